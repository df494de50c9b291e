"""NATS speaks TLS to everybody, and only to those who have a certificate of Unora's authority."""

from __future__ import annotations

import asyncio
import json
import ssl
from contextlib import suppress
from pathlib import Path
from typing import Any

import pytest
from nats.errors import Error as NatsError
from unora_common import streams
from unora_local import ports, tls
from unora_local.nats import Nats
from unora_local.tls import Certificate
from unora_sdk.certificates import Certificates
from unora_sdk.environment import ConfigError
from unora_sdk.nats_client import SERVER_NAME, NatsClient, connect
from unora_testing.deadlines import GENEROUS, within

from tests.integration.common.bare_world import BareWorld, Probe, check_in_request, formed
from tests.integration.common.proxy import Wire

CONNECT = {"verbose": False, "pedantic": False, "user": "", "pass": "", "lang": "test", "version": "1"}


class Tap(Wire):
    """A wire that keeps what goes over it."""

    def __init__(self, port: int) -> None:
        super().__init__(port)
        self.heard: dict[asyncio.StreamWriter, bytearray] = {}

    async def _pump(self, source: asyncio.StreamReader, sink: asyncio.StreamWriter) -> None:
        with suppress(OSError):
            while data := await source.read(65536):
                self.heard.setdefault(sink, bytearray()).extend(data)
                sink.write(data)
                await sink.drain()
        sink.close()
        self._open.discard(sink)


async def refused(bare_world: BareWorld, context: ssl.SSLContext) -> None:
    """Requires that a client with the right password is not let in with this TLS."""
    client = NatsClient()

    async def enter() -> None:
        await client.connect(
            [bare_world.testbed.nats("streak", bare_world.worker)],
            tls=context,
            tls_hostname=SERVER_NAME,
            tls_handshake_first=True,
            allow_reconnect=False,
            error_cb=_quiet,
        )
        await client.flush()

    with pytest.raises((OSError, NatsError)):
        await enter()
    assert not client.is_connected


async def _quiet(_: Exception) -> None:
    """The refusal is what the test is about."""


async def test_a_client_without_tls_is_told_nothing(bare_world: BareWorld) -> None:
    """Not even that NATS is there: the server speaks first in plain NATS."""
    reader, writer = await asyncio.open_connection("127.0.0.1", bare_world.testbed.nats_port)
    login = CONNECT | {"user": f"{bare_world.worker}-streak", "pass": bare_world.testbed.secret}
    writer.write(b"CONNECT " + json.dumps(login).encode() + b"\r\nPING\r\n")
    with suppress(ConnectionError):
        said = await within(reader.read())
        assert b"INFO" not in said
        assert b"PONG" not in said
    writer.close()


async def test_a_client_without_a_certificate_is_refused(bare_world: BareWorld) -> None:
    await refused(bare_world, ssl.create_default_context(cafile=str(bare_world.certificates["streak"].ca)))


async def test_a_client_with_a_certificate_of_another_authority_is_refused(
    bare_world: BareWorld, tmp_path: Path
) -> None:
    foreign = tls.ensure(tmp_path, ["streak"])["streak"]
    context = ssl.create_default_context(cafile=str(bare_world.certificates["streak"].ca))
    context.load_cert_chain(foreign.cert, foreign.key)
    await refused(bare_world, context)


async def test_a_certificate_does_not_replace_the_password(bare_world: BareWorld) -> None:
    own = bare_world.certificates["streak"]
    url = bare_world.testbed.nats("streak", bare_world.worker).replace(bare_world.testbed.secret, "wrong")
    with pytest.raises(NatsError):
        await connect(url, own.ca, own.cert, own.key, allow_reconnect=False, error_cb=_quiet)


async def test_nothing_goes_over_the_wire_in_plain_text(bare_world: BareWorld) -> None:
    tap = Tap(bare_world.testbed.nats_port)
    await tap.join()
    url = bare_world.testbed.nats("matching", bare_world.worker).rpartition(":")[0]
    app = await bare_world.open("matching", changes={"nats_url": f"{url}:{tap.port}"})
    event = formed()
    async with app.database.transaction() as tx:
        tx.emit(event)
    assert await app.relay.step() == 1
    await app.close()
    assert len(tap.heard) == 2
    for heard in tap.heard.values():
        assert heard[:2] == b"\x16\x03", "a TLS handshake comes first, in both directions"
        for secret in (bare_world.testbed.secret, event.connection_id, "connection_formed", "INFO", "CONNECT"):
            assert secret.encode() not in heard
    await tap.cut()


async def test_a_server_that_offers_no_tls_gets_no_password(bare_world: BareWorld) -> None:
    """Somebody on the way who answers in plain text, as a server does that needs no TLS."""
    heard = bytearray()

    async def answer(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        writer.write(b'INFO {"server_id":"x","version":"2.15.1","max_payload":1048576,"headers":true}\r\n')
        with suppress(OSError):
            while data := await reader.read(65536):
                heard.extend(data)
        writer.close()

    async with await asyncio.start_server(answer, "127.0.0.1", 0) as server:
        port = server.sockets[0].getsockname()[1]
        own = bare_world.certificates["streak"]
        with pytest.raises((OSError, NatsError)):
            await connect(
                f"tls://streak:the-password@127.0.0.1:{port}",
                *(own.ca, own.cert, own.key),
                allow_reconnect=False,
                error_cb=_quiet,
            )
    assert heard[:2] == b"\x16\x03"
    assert b"the-password" not in heard


async def start_as(folder: Path, certificate: Certificate, admin: Certificate) -> None:
    """Starts a server with a certificate; raises if its administrator refuses it."""
    server = Nats(
        folder / "nats",
        port=ports.free()[0],
        passwords={"streak": "x", "admin": "x"},
        reads={},
        certificates={"nats": certificate, "streams": admin},
        log=folder / "nats.log",
    )
    async with server:
        pass


@pytest.mark.parametrize("name", ["streak", "gateway"])
async def test_a_server_with_the_certificate_of_another_name_is_refused(tmp_path: Path, name: str) -> None:
    """Who has a context's key must not be able to stand in for NATS, whatever the address."""
    certificates = tls.ensure(tmp_path / "tls", [name, *tls.NATS])
    await start_as(tmp_path, certificates["nats"], certificates["streams"])
    with pytest.raises((OSError, NatsError)):
        await start_as(tmp_path, certificates[name], certificates["streams"])


async def test_a_server_of_another_authority_is_refused(tmp_path: Path) -> None:
    own, foreign = (tls.ensure(tmp_path / each, tls.NATS) for each in ("own", "foreign"))
    with pytest.raises((OSError, NatsError)):
        await start_as(tmp_path, foreign["nats"], own["streams"])


@pytest.mark.parametrize("url", ["nats://{}", "{}", "tls://{}, nats://{}", "ws://{}"])
async def test_an_address_without_tls_ends_the_start(bare_world: BareWorld, url: str) -> None:
    address = f"streak:x@127.0.0.1:{bare_world.testbed.nats_port}"
    with pytest.raises(ConfigError, match="UNORA_NATS_URL cannot be used: each of its addresses begins with tls://"):
        await bare_world.open(changes={"nats_url": url.replace("{}", address)})


async def test_certificates_that_cannot_be_read_end_the_start(bare_world: BareWorld, tmp_path: Path) -> None:
    own = bare_world.certificates["streak"]
    (tmp_path / "empty.pem").touch()
    for ca, cert, key in ((own.ca, own.cert, tmp_path / "none"), (tmp_path / "empty.pem", own.cert, own.key)):
        with pytest.raises(ConfigError, match="UNORA_TLS_"):
            Certificates(ca, cert, key)


def test_the_administrator_needs_tls_too(
    bare_world: BareWorld, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    own = bare_world.certificates["streams"]
    values: dict[str, Any] = {"NATS_URL": "nats://admin:x@127.0.0.1:1", "TLS_CA": own.ca, "TLS_CERT": own.cert}
    for name, value in values.items():
        monkeypatch.setenv(f"UNORA_{name}", str(value))
    monkeypatch.delenv("UNORA_TLS_KEY", raising=False)
    assert streams.main([]) == 1
    assert "UNORA_TLS_KEY is not set" in capsys.readouterr().err
    monkeypatch.setenv("UNORA_TLS_KEY", str(own.key))
    assert streams.main([]) == 1
    assert "begins with tls://" in capsys.readouterr().err


async def test_a_name_of_nats_may_call_no_service(bare_world: BareWorld) -> None:
    """The certificates of NATS and of its administrator are of the same authority as those of the contexts."""
    await bare_world.probe(Probe)
    for name in tls.NATS:
        call: Any = bare_world.channel("streak", name).unary_unary("/unora.streak.v1.StreakService/CheckIn")
        with pytest.raises(Exception, match="PERMISSION_DENIED"):
            await call(check_in_request().SerializeToString(), timeout=GENEROUS)
