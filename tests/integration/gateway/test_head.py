"""HEAD over REST: what GET answers, without its body (RFC 9110, 9.3.2)."""

from __future__ import annotations

import asyncio
import re
import subprocess
from collections.abc import Mapping

import grpc
import pytest
from unora.identity.v1.account_service_pb2 import GetAccountResponse
from unora_local.tls import Certificate
from unora_testing.deadlines import GENEROUS
from unora_testing.gateway import Door, gateway_of

from tests.integration.gateway.recorder import Recorder


@pytest.fixture
def account(services: Recorder, monkeypatch: pytest.MonkeyPatch) -> None:
    answer = GetAccountResponse()
    answer.account.user_id = "somebody"
    monkeypatch.setattr(services, "answer", answer.SerializeToString())


async def test_head_is_answered_as_get_without_a_body(door: Door, account: None, services: Recorder) -> None:
    async with door.web() as web:
        full = await web.get("/v1/account")
        assert (full.status_code, "somebody" in full.text) == (200, True)
        for _ in range(2):  # the connection goes on
            calls = len(services.seen)
            head = await web.head("/v1/account")
            assert len(services.seen) == calls + 1
            assert services.last().path.endswith("/GetAccount")
            assert (head.status_code, head.content) == (200, b"")
            for name in ("content-type", "content-length", "cache-control"):
                assert head.headers[name] == full.headers[name], name


def asked(door: Door, version: str, *words: str) -> subprocess.CompletedProcess[str]:
    """What curl is answered on one connection: with -v it tells of bytes that follow the answer to HEAD."""
    known = ["curl", "-sSv", version, "--cacert", str(door.authority), *words]
    return subprocess.run(known, capture_output=True, text=True, check=True, timeout=GENEROUS)


@pytest.mark.parametrize("version", ["--http1.1", "--http2"])
async def test_nothing_follows_the_headers_on_the_wire(door: Door, account: None, version: str) -> None:
    """A body that came in spite of HEAD would be read as the next answer."""
    url = f"{door.url}/v1/account"
    done = await asyncio.to_thread(asked, door, version, "-I", url, url)
    assert done.stdout.count("HTTP/2 200" if version == "--http2" else "HTTP/1.1 200") == 2
    assert "Excess" not in done.stderr
    assert re.findall(r"[Rr]e-?using existing .*connection", done.stderr)


@pytest.mark.parametrize("version", ["--http1.1", "--http2"])
async def test_nothing_follows_a_refusal_of_envoys_own_either(
    services: Recorder, certificates: Mapping[str, Certificate], version: str
) -> None:
    """The budget of an address refuses before the script has seen the request."""
    async with gateway_of(services.addresses, certificates, address_calls_per_second="1", address_burst="1") as door:
        url = f"{door.url}/v1/account"
        done = await asyncio.to_thread(asked, door, version, "-I", *[url] * 5)
    assert re.findall(r"HTTP/[12.]+ 429", done.stdout)
    assert "Excess" not in done.stderr
    assert "x-unora" not in done.stdout
    lengths = {int(each) for each in re.findall(r"content-length: (\d+)", done.stdout)}
    assert max(lengths) > 100, "the length of the refusal that GET would have"


@pytest.mark.parametrize("path", ["/v1/account?x=1", "/v1/nothing", "/v1/account:pause"])
async def test_a_refusal_of_head_has_the_status_of_get_and_no_body(door: Door, account: None, path: str) -> None:
    async with door.web() as web:
        full, head = await web.get(path), await web.head(path)
        assert full.status_code >= 400
        assert (head.status_code, head.content) == (full.status_code, b"")
        for name in ("content-type", "content-length"):
            assert head.headers[name] == full.headers[name], name
        assert (await web.get("/v1/account")).status_code == 200


async def test_a_refusal_of_a_service_has_no_body_either(door: Door, services: Recorder) -> None:
    async with door.web() as web:
        found = []
        for verb in ("GET", "HEAD"):
            services.refusals.append(grpc.StatusCode.NOT_FOUND)
            found.append(await web.request(verb, "/v1/account"))
        full, head = found
        assert (full.status_code, head.status_code, head.content) == (404, 404, b"")
        assert head.headers["content-length"] == full.headers["content-length"] == str(len(full.content))


async def test_where_there_is_no_get_there_is_no_head(door: Door) -> None:
    async with door.web() as web:
        assert "HEAD" not in (await web.head("/v1/account:pause")).headers["allow"]
        assert (await web.delete("/v1/payments")).headers["allow"] == "GET, HEAD, POST"
