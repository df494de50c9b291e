"""How the gateway is reached: with TLS and without, by HTTP/1.1 and HTTP/2, and after its certificate has changed."""

from __future__ import annotations

import base64
import shutil
import ssl
from collections.abc import Mapping
from pathlib import Path

import grpc
import httpx
import pytest
from unora_gateway.filters import ALIVE
from unora_local import tls
from unora_local.tls import FRONT, Certificate
from unora_testing.deadlines import eventually
from unora_testing.gateway import Door, gateway_of
from unora_testing.mounted import Authority, Mounted

from tests.integration.gateway import frames
from tests.integration.gateway.recorder import Recorder
from tests.support import plain_http

ACCOUNT = "/unora.identity.v1.AccountService/GetAccount"


async def test_one_machine_has_a_port_without_tls(door: Door, services: Recorder) -> None:
    async with plain_http(door.gateway.plain_url) as web:
        assert (await web.get("/v1/account")).status_code == 200
    async with grpc.aio.insecure_channel(door.gateway.plain_url.removeprefix("http://")) as channel:
        await frames.native(channel, ACCOUNT)
    assert services.last().path == ACCOUNT


async def test_grpc_web_as_text_is_taken(door: Door, services: Recorder) -> None:
    headers = {"content-type": "application/grpc-web-text", "accept": "application/grpc-web-text"}
    async with door.web() as web:
        answer = await web.post(ACCOUNT, content=base64.b64encode(bytes(5)), headers=headers)
    assert answer.headers["content-type"].startswith("application/grpc-web-text")
    frames_apart = [part + b"=" * (-len(part) % 4) for part in answer.content.split(b"=") if part]
    assert b"grpc-status:0" in b"".join(map(base64.b64decode, frames_apart))
    assert services.last().path == ACCOUNT


async def test_a_client_that_does_not_know_the_authority_does_not_call(door: Door) -> None:
    async with httpx.AsyncClient(base_url=door.url) as web:
        with pytest.raises(httpx.ConnectError, match="CERTIFICATE_VERIFY_FAILED"):
            await web.get("/v1/account")


async def test_old_versions_of_tls_are_refused(door: Door) -> None:
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
    context.check_hostname, context.verify_mode = False, ssl.CERT_NONE
    with pytest.warns(DeprecationWarning, match="TLSv1_1"):
        context.maximum_version = ssl.TLSVersion.TLSv1_1
    async with httpx.AsyncClient(base_url=door.url, verify=context) as web:
        with pytest.raises(httpx.ConnectError):
            await web.get("/v1/account")


async def test_a_new_certificate_is_shown_without_a_restart(
    services: Recorder, certificates: Mapping[str, Certificate], tmp_path: Path
) -> None:
    old = certificates[FRONT]
    shown = Certificate(old.ca, tmp_path / "front.pem", tmp_path / "front.key")
    shutil.copy(old.cert, shown.cert)
    shutil.copy(old.key, shown.key)
    other = tls.ensure(tmp_path / "other", [FRONT])[FRONT]
    async with gateway_of(services.addresses, {**certificates, FRONT: shown}) as door:

        async def trusted_by_the_new_authority() -> bool:
            context = ssl.create_default_context(cafile=str(other.ca))
            async with httpx.AsyncClient(base_url=door.url, verify=context) as web:
                try:
                    return (await web.get("/healthz")).status_code == 200
                except httpx.ConnectError:
                    return False

        assert not await trusted_by_the_new_authority()
        for new, place in ((other.key, shown.key), (other.cert, shown.cert)):
            draft = place.with_suffix(".new")
            shutil.copy(new, draft)
            draft.replace(place)
        await eventually(trusted_by_the_new_authority, "the new certificate is shown")


async def test_services_are_called_with_the_newest_certificate_without_a_restart(
    services: Recorder, certificates: Mapping[str, Certificate], tmp_path: Path
) -> None:
    """At first the gateway's certificate and the authority that it trusts are others than those of the services."""
    other, issuing = Authority(tmp_path / "other"), Authority.of(tmp_path, certificates["gateway"])
    mounted = Mounted(tmp_path / "own", [other], other.issue("gateway"))
    async with (
        gateway_of(
            services.addresses, {**certificates, "gateway": mounted.files}, ready=ALIVE, health_seconds="0.1"
        ) as door,
        door.web() as web,
    ):

        async def is_answered() -> bool:
            return (await web.get("/v1/account")).status_code == 200

        assert not await is_answered()
        mounted.put([issuing], issuing.issue("gateway"))
        await eventually(is_answered, "the services are reached")
    assert services.last().path == ACCOUNT
