"""Behind the local S3 stand more servers. None of them answers who has no certificate of theirs."""

from __future__ import annotations

import asyncio
import contextlib
import http.client
import ssl
import stat
from collections.abc import AsyncIterator
from pathlib import Path

import psutil
import pytest
from unora_local import ports, tls
from unora_local.seaweed import PORTS, Seaweed
from unora_local.seaweed_security import NAME
from unora_testing.deadlines import GENEROUS

HELLO_OF_GRPC = b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n" + bytes(3) + b"\x04" + bytes(5)
PATHS = (
    "/",
    "/status",
    "/dir/status",
    "/dir/assign",
    "/buckets/photos/",
    "/cluster/status",
    "/metrics",
    "/ui/index.html",
)


@pytest.fixture(scope="module")
async def server(tmp_path_factory: pytest.TempPathFactory) -> AsyncIterator[Seaweed]:
    folder = tmp_path_factory.mktemp("seaweed")
    made = Seaweed(
        folder / "s3",
        ports=dict(zip(PORTS, ports.free(len(PORTS)), strict=True)),
        access_key="unora",
        secret_key="secret-of-the-test",
        log=folder / "s3.log",
    )
    async with made:
        yield made


def listening(server: Seaweed) -> dict[int, str]:
    """The ports that it listens on, with their addresses."""
    assert server.process is not None
    found = psutil.Process(server.process.pid).net_connections("tcp")
    return {each.laddr.port: each.laddr.ip for each in found if each.status == psutil.CONN_LISTEN}


def behind(server: Seaweed) -> list[int]:
    """Those that are not the S3's own."""
    s3 = int(server.endpoint.rpartition(":")[2])
    found = listening(server)
    assert s3 in found
    return [port for port in found if port != s3]


def stranger() -> ssl.SSLContext:
    context = ssl.create_default_context()
    context.check_hostname, context.verify_mode = False, ssl.CERT_NONE
    context.set_alpn_protocols(["h2", "http/1.1"])
    return context


async def answer(port: int, context: ssl.SSLContext | None, said: bytes) -> bytes:
    """What a server answers; nothing if it ends the connection."""
    with contextlib.suppress(OSError):
        async with asyncio.timeout(GENEROUS):
            reader, writer = await asyncio.open_connection("127.0.0.1", port, ssl=context)
            try:
                writer.write(said)
                await writer.drain()
                return await reader.read(1000)
            finally:
                writer.close()
    return b""


async def test_it_listens_on_loopback_only(server: Seaweed) -> None:
    assert set(listening(server).values()) == {"127.0.0.1"}
    assert len(behind(server)) >= len(PORTS) - 1


async def test_no_server_behind_the_s3_answers_without_tls(server: Seaweed) -> None:
    for port in behind(server):
        for path in PATHS:
            said = f"GET {path} HTTP/1.0\r\nHost: 127.0.0.1\r\n\r\n".encode()
            got = await answer(port, None, said)
            assert got == b"" or b" 400 " in got.splitlines()[0], (port, path, got)
        assert not (await answer(port, None, HELLO_OF_GRPC)).startswith(bytes(3)), port


async def test_no_server_behind_the_s3_answers_without_a_certificate_of_its_authority(
    server: Seaweed, tmp_path: Path
) -> None:
    """A context's certificate opens them as little: it is of another authority."""
    other = tls.ensure(tmp_path, [NAME])[NAME]
    with_another = stranger()
    with_another.load_cert_chain(other.cert, other.key)
    for port in behind(server):
        for context in (stranger(), with_another):
            for said in (b"GET /cluster/status HTTP/1.0\r\nHost: 127.0.0.1\r\n\r\n", HELLO_OF_GRPC):
                assert await answer(port, context, said) == b"", port


async def test_its_own_certificate_opens_them(server: Seaweed) -> None:
    """The control of the tests above: they fail for want of the certificate, not of a server."""
    own = tls.ensure(server.folder / "tls", [NAME])[NAME]
    context = stranger()
    context.load_cert_chain(own.cert, own.key)
    opened = [port for port in behind(server) if await answer(port, context, HELLO_OF_GRPC)]
    assert len(opened) >= len(PORTS) - 1


async def test_the_s3_hands_out_nothing_unsigned(server: Seaweed) -> None:
    def status(path: str) -> int:
        host = server.endpoint.removeprefix("http://")
        with contextlib.closing(http.client.HTTPConnection(host, timeout=GENEROUS)) as connection:
            connection.request("GET", path)
            with connection.getresponse() as answered:
                return answered.status

    for path in ("/", "/photos", "/photos/", "/photos/.ready", "/buckets/photos/.ready", "/metrics", "/cluster/status"):
        assert await asyncio.to_thread(status, path) == http.HTTPStatus.FORBIDDEN, path


async def test_its_sockets_are_its_owners(server: Seaweed) -> None:
    assert server.process is not None
    sockets = [each.laddr for each in psutil.Process(server.process.pid).net_connections("unix") if each.laddr]
    files = [path for each in sockets if (path := server.folder / str(each)).exists()]
    assert files
    assert all(stat.S_IMODE(file.stat().st_mode) & 0o077 == 0 for file in files)
