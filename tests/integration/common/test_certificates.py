"""Certificates are renewed while services run: no call is lost, and new connections show the new one."""

from __future__ import annotations

import asyncio
import ssl
import time
from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import grpc
import httpx
import msgspec
import pytest
from cryptography import x509
from unora.streak.v1.streak_service_pb2 import GetDashboardRequest
from unora.streak.v1.streak_service_pb2_grpc import StreakServiceStub
from unora_common import server
from unora_common.app import App
from unora_common.call import Call
from unora_common.certificates import of_config
from unora_common.clients import Clients
from unora_common.config import CONTEXTS
from unora_local import ports
from unora_local.nats import Nats
from unora_local.tls import NATS, Certificate, ensure
from unora_sdk.certificates import Certificates
from unora_sdk.nats_client import NatsClient, tls_options
from unora_testing.deadlines import GENEROUS, TIMEOUTS, eventually, within
from unora_testing.mounted import LONG, Authority, Issued, Mounted

from tests.integration.common.bare_world import BareWorld, Probe, check_in_request
from tests.integration.common.processes import ServiceProcess
from tests.integration.common.proxy import Wire

CALLERS = 4
LEAST = 3.0
"""Seconds that a certificate which is to expire in a test is valid at least; it takes some to be used at all."""


def serial(pem: bytes) -> int:
    """The number of a certificate."""
    return x509.load_pem_x509_certificate(pem).serial_number


async def shown(address: str, caller: Certificate, name: str = "streak.unora") -> int:
    """The number of the certificate that a server shows to a new connection."""
    context = ssl.create_default_context(cafile=str(caller.ca))
    context.load_cert_chain(caller.cert, caller.key)
    context.set_alpn_protocols(["h2"])
    host, _, port = address.rpartition(":")
    _, writer = await within(asyncio.open_connection(host, int(port), ssl=context, server_hostname=name))
    found = writer.get_extra_info("ssl_object").getpeercert(binary_form=True)
    writer.transport.abort()
    return x509.load_der_x509_certificate(found).serial_number


async def value_of(address: str, metric: str) -> float:
    """The value of a metric of a process, with its labels as Prometheus shows them."""
    async with httpx.AsyncClient() as web:
        text = (await web.get(f"http://{address}/metrics")).text
    return next(float(line.rpartition(" ")[2]) for line in text.splitlines() if line.startswith(f"{metric} "))


class Pair:
    """Streak, and the channel of a gateway to it, each with a certificate of its own that a test renews."""

    def __init__(self, world: BareWorld, folder: Path) -> None:
        self.world = world
        self.authority = Authority.of(folder, world.certificates["streak"])
        mounted = [
            Mounted(folder / name, [self.authority], self.authority.issue(name)) for name in ("streak", "gateway")
        ]
        self.streak, self.gateway = mounted
        self.answered = 0
        self.lost: list[str] = []
        self.app: App[Any, Any]
        self.clients: Clients
        self.certificates: Certificates
        self.wire: Wire
        self._stub: StreakServiceStub
        self._metadata = world.caller().metadata

    async def open(self, servicer: type[Probe] = Probe) -> None:
        files = self.streak.files
        await self.world.probe(servicer, tls_ca=files.ca, tls_cert=files.cert, tls_key=files.key)
        self.app = self.world.apps["streak"]
        assert self.app.server is not None
        await self.app.server.set_ready(True)
        self.wire = Wire(int(self.world.address(self.app).rpartition(":")[2]))
        await self.wire.join()
        for mounted, name in ((self.streak, "streak"), (self.gateway, "gateway")):
            mounted.put([self.authority], self.authority.issue(name))
        self.app.certificates.refresh()
        files = self.gateway.files
        config = msgspec.structs.replace(
            self.app.config,
            tls_ca=files.ca,
            tls_cert=files.cert,
            tls_key=files.key,
            peers={"streak": f"127.0.0.1:{self.wire.port}"},
        )
        self.certificates = of_config(config)
        self.clients = Clients(config, TIMEOUTS, self.certificates)
        self._stub = self.clients.stub(StreakServiceStub, "unora.streak.v1.StreakService")

    async def read(self) -> None:
        await self._stub.GetDashboard(
            GetDashboardRequest(), metadata=self._metadata, timeout=GENEROUS, wait_for_ready=True
        )

    async def write(self) -> None:
        """A call that is not repeated if it is lost."""
        await self._stub.CheckIn(check_in_request(), metadata=self._metadata, timeout=GENEROUS)

    async def put(self, authorities: Sequence[Authority], streak: Issued, gateway: Issued) -> None:
        """Renews both certificates, and returns when the server has shown its new one, and calls were answered on
        connections that were made since.
        """
        self.streak.put(authorities, streak)
        self.app.certificates.refresh()
        self.gateway.put(authorities, gateway)
        self.certificates.refresh()
        self.clients.renew()
        assert await shown(self.world.address(self.app), self.gateway.files) == serial(streak.cert)
        await self.goes_on()

    async def goes_on(self) -> None:
        """Returns when the connections of now have ended, and calls have been answered on others."""
        connections = self.wire.accepted + 2
        await eventually(lambda: self.lost or self.wire.accepted >= connections, "new connections are made")
        enough = self.answered + 5 * CALLERS
        await eventually(lambda: self.lost or self.answered >= enough, "calls are answered")

    async def close(self) -> None:
        await self.clients.close()
        await self.wire.cut()

    @asynccontextmanager
    async def under_calls(self) -> AsyncIterator[None]:
        """Members call all the time."""
        await self.read()
        stopping = False

        async def call() -> None:
            while not stopping:
                for work in (self.read, self.write):
                    try:
                        await work()
                        self.answered += 1
                    except grpc.aio.AioRpcError as error:
                        self.lost.append(str(error))

        calling = [asyncio.ensure_future(call()) for _ in range(CALLERS)]
        try:
            yield
        finally:
            stopping = True
            await within(asyncio.gather(*calling))
            await self.close()
        assert not self.lost


@pytest.fixture
def pair(bare_world: BareWorld, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Pair:
    monkeypatch.setattr(server, "CONNECTION_AGE", 0.2)  # so that connections are made all the time
    return Pair(bare_world, tmp_path)


async def test_no_call_is_lost_while_certificates_expire_and_are_renewed(pair: Pair) -> None:
    await pair.open()

    async def renew(life: timedelta = LONG) -> tuple[Issued, Issued]:
        streak, gateway = (pair.authority.issue(name, life) for name in ("streak", "gateway"))
        await pair.put([pair.authority], streak, gateway)
        return streak, gateway

    async with pair.under_calls():
        began = time.monotonic()
        await renew()
        took = time.monotonic() - began  # a busy machine takes longer to use a certificate
        short = await renew(timedelta(seconds=LEAST + 8 * took))
        await renew()
        ends = max(x509.load_pem_x509_certificate(each.cert).not_valid_after_utc for each in short)
        await eventually(lambda: datetime.now(UTC) > ends, "certificates that were in use are over")
        await pair.goes_on()


async def test_no_call_is_lost_while_the_authority_is_replaced(pair: Pair, tmp_path: Path) -> None:
    await pair.open()
    old, new = pair.authority, Authority(tmp_path / "new")
    before = [old.issue(name) for name in ("streak", "gateway")]
    after = [new.issue(name) for name in ("streak", "gateway")]
    address = pair.world.address(pair.app)
    leaked = grpc.ssl_channel_credentials(old.pem + new.pem, before[1].key, before[1].cert)
    async with pair.under_calls():
        for authorities, issued in (([old], before), ([old, new], before), ([old, new], after), ([new], after)):
            await pair.put(authorities, *issued)
    options = [("grpc.ssl_target_name_override", "streak.unora")]
    async with grpc.aio.secure_channel(address, leaked, options) as channel:
        call = StreakServiceStub(channel).GetDashboard(GetDashboardRequest(), timeout=GENEROUS)
        assert await call.code() == grpc.StatusCode.UNAVAILABLE, "a certificate of the old authority is refused"


class Held(Probe):
    """Its GetDashboard answers only when a test lets it."""

    began: asyncio.Event
    leave: asyncio.Event

    async def look(self, call: Call) -> None:
        self.began.set()
        await self.leave.wait()


async def test_a_call_in_flight_is_answered_on_the_channel_that_is_replaced(
    bare_world: BareWorld, tmp_path: Path
) -> None:
    Held.began, Held.leave = asyncio.Event(), asyncio.Event()
    pair = Pair(bare_world, tmp_path)
    await pair.open(Held)
    reading = asyncio.ensure_future(pair.read())
    await within(Held.began.wait())
    pair.gateway.put([pair.authority], pair.authority.issue("gateway"))
    pair.certificates.refresh()
    await pair.write()
    assert not reading.done()
    Held.leave.set()
    await within(reading)
    await pair.close()


async def test_a_process_takes_new_files_by_itself_and_shows_that_it_did(bare_world: BareWorld, tmp_path: Path) -> None:
    authority = Authority.of(tmp_path, bare_world.certificates["streak"])
    mounted = Mounted(tmp_path / "streak", [authority], authority.issue("streak"))
    files = {f"TLS_{name}": str(getattr(mounted.files, name.lower())) for name in ("CA", "CERT", "KEY")}
    (port,) = ports.free()
    metrics = f"127.0.0.1:{port}"
    nobody = {f"{context.upper()}_ADDRESS": "127.0.0.1:1" for context in CONTEXTS if context != "streak"}
    process = ServiceProcess(bare_world, "streak", tmp_path, **files, **nobody, METRICS_LISTEN=metrics)
    await process.start()
    try:
        await process.until("SERVING", "")
        new = authority.issue("streak", timedelta(days=90))
        mounted.put([authority], new)

        async def is_shown() -> bool:
            return await shown(process.address, bare_world.certificates["gateway"]) == serial(new.cert)

        await eventually(is_shown, "the new certificate is shown")
        ends = await value_of(metrics, 'unora_certificate_expiry_timestamp_seconds{certificate="own"}')
        assert ends == x509.load_pem_x509_certificate(new.cert).not_valid_after_utc.timestamp()
        assert await value_of(metrics, 'unora_certificate_reloads_total{result="loaded"}') == 1
        mounted.put([authority], Issued(new.cert, authority.issue("streak").key))
        await process.until_logged("certificate refused")
        assert await is_shown()
        assert await value_of(metrics, 'unora_certificate_reloads_total{result="refused"}') == 1
    finally:
        await process.end()


async def test_nats_gets_the_new_certificate_at_the_next_connection(tmp_path: Path) -> None:
    """After both ends have certificates of another authority: the old ones would be refused."""
    folders = [tmp_path / "old", tmp_path / "new"]
    old, new = (ensure(folder, [*NATS, "streak"]) for folder in folders)
    authorities = [Authority.of(tmp_path, each["streak"]) for each in (old, new)]
    mounted = Mounted(tmp_path / "streak", authorities[:1], _issued(old["streak"]))
    (port,) = ports.free()

    def server_of(certificates: dict[str, Certificate]) -> Nats:
        log = tmp_path / "nats.log"
        passwords = {"streak": "x", "admin": "x"}
        return Nats(tmp_path / "nats", port=port, passwords=passwords, reads={}, certificates=certificates, log=log)

    client, files = NatsClient(), mounted.files
    again = asyncio.Event()

    async def connected() -> None:
        again.set()

    async with server_of(old) as running:
        await client.connect(
            [running.url("streak")],
            max_reconnect_attempts=-1,
            reconnect_time_wait=0.1,  # type: ignore[arg-type]  # it is slept
            reconnected_cb=connected,
            error_cb=_quiet,
            **tls_options(Certificates(files.ca, files.cert, files.key)),
        )
    mounted.put(authorities[1:], _issued(new["streak"]))
    async with server_of(new):
        await within(again.wait())
        await client.flush(GENEROUS)
        await client.close()


def _issued(certificate: Certificate) -> Issued:
    _, cert, key = certificate.read()
    return Issued(cert, key)


async def _quiet(_: Exception) -> None:
    """NATS is away for a moment."""
