"""The configuration of NATS that the component renders, on three real servers; addresses, files are this machine's."""

from __future__ import annotations

import asyncio
import shutil
from collections.abc import AsyncIterator
from contextlib import AsyncExitStack
from pathlib import Path

import pytest
from nats.errors import Error as NatsError
from nats.js.api import StreamInfo
from unora_common import streams
from unora_common.config import CONTEXTS
from unora_common.stream_settings import DEAD_LETTERS
from unora_local import ports, tls
from unora_local.binaries import script
from unora_local.process import Process
from unora_sdk.names import stream
from unora_sdk.nats_client import NatsClient, connect
from unora_testing.deadlines import GENEROUS, eventually
from unora_tools.kubernetes import secrets

from tests.integration.deploy.rendered import Rendered

SERVERS = range(3)
CONTEXT = "streak"


class Cluster:
    """Three servers on ports of this machine."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.certificates = tls.ensure(folder / "tls", ["nats", "streams", CONTEXT])
        self.made = secrets.secrets(folder / "kit")
        self.clients, self.routes, self.monitors = (ports.free(len(SERVERS)) for _ in range(3))
        (self.config,) = (
            item["data"] for name, item in Rendered("prod").all("ConfigMap").items() if name.startswith("nats-config")
        )
        self.servers: list[Process] = []

    def url(self, secret: str) -> str:
        """The address of a secret, with the ports of all three servers."""
        address = self.made[secret]["nats_url"].decode()
        start, _, _ = address.rpartition("@")
        return ",".join(f"{start}@127.0.0.1:{port}" for port in self.clients)

    def write(self, number: int) -> Path:
        """The configuration of one server as a pod would mount it."""
        home = self.folder / f"nats-{number}"
        (home / "users").mkdir(parents=True)
        own = self.certificates["nats"]
        for source, name in ((own.ca, "ca.crt"), (own.cert, "tls.crt"), (own.key, "tls.key")):
            shutil.copy(source, home / name)
        for name, text in self.config.items():
            (home / name).write_text(self._here(text, number, home))
        (home / "users" / "passwords.conf").write_bytes(self.made["nats-users"]["passwords.conf"])
        return home / "nats.conf"

    def _here(self, text: str, number: int, home: Path) -> str:
        """The same text, with addresses and files of this machine."""
        for other in SERVERS:
            text = text.replace(f"nats-{other}.nats-servers:6222", f"localhost:{self.routes[other]}")
        for before, after in (
            ("0.0.0.0:4222", f"127.0.0.1:{self.clients[number]}"),
            ("127.0.0.1:8222", f"127.0.0.1:{self.monitors[number]}"),
            ("0.0.0.0:6222", f"127.0.0.1:{self.routes[number]}"),
            ("/run/unora/tls/", f"{home}/"),
            ("/run/nats/nats.pid", f"{home}/nats.pid"),
            ("store_dir: /data", f"store_dir: {home}/data"),
        ):
            text = text.replace(before, after)
        return text

    async def start(self, stack: AsyncExitStack) -> None:
        """Start the servers; they end with the stack."""
        for number in SERVERS:
            command = [
                "env",
                f"POD_NAME=nats-{number}",
                str(script("nats-server")),
                "--config",
                str(self.write(number)),
            ]
            server = Process(f"nats-{number}", command, log=self.folder / f"nats-{number}.log")
            await server.start()
            stack.push_async_callback(server.stop)
            self.servers.append(server)

    async def administrator(self) -> NatsClient:
        """A connection as the administrator, when the servers have found each other."""

        async def enter() -> NatsClient | None:
            self.servers[0].check()
            own = self.certificates["streams"]
            try:
                return await connect(self.url("nats-admin"), own.ca, own.cert, own.key, connect_timeout=5)
            except (OSError, NatsError):
                return None

        found = await eventually(enter, "a server of NATS takes the administrator")
        assert isinstance(found, NatsClient)
        return found


@pytest.fixture(scope="module")
async def cluster(tmp_path_factory: pytest.TempPathFactory) -> AsyncIterator[Cluster]:
    async with AsyncExitStack() as stack:
        made = Cluster(tmp_path_factory.mktemp("cluster"))
        await made.start(stack)
        yield made


async def test_streams_have_three_copies_and_outlive_a_server(
    cluster: Cluster, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setenv("UNORA_NATS_URL", cluster.url("nats-admin"))
    own = cluster.certificates["streams"]
    for name, file in (("CA", own.ca), ("CERT", own.cert), ("KEY", own.key)):
        monkeypatch.setenv(f"UNORA_TLS_{name}", str(file))
    admin = await cluster.administrator()
    try:
        jetstream = admin.jetstream(timeout=GENEROUS)

        async def made() -> bool:
            """As the Job of Kubernetes, which is tried again: JetStream has no leader in the first seconds."""
            sizes = ["--megabytes", "64", "--dead-letter-megabytes", "64"]
            return await asyncio.to_thread(streams.main, ["--replicas", "3", *sizes]) == 0

        await eventually(made, "the streams are made")
        for name in (*map(stream, CONTEXTS), DEAD_LETTERS):
            info: StreamInfo = await jetstream.stream_info(name)
            assert (info.config.num_replicas, info.config.max_bytes) == (3, 64 * 2**20)

        client = await a_context(cluster, CONTEXT)
        try:
            subject = f"unora.{CONTEXT}.v1.checked_in"
            assert (await client.request(subject, b"{}", timeout=GENEROUS)).data
            before = (await jetstream.stream_info(stream(CONTEXT))).state.messages
            await cluster.servers[2].stop()

            async def published() -> bool:
                try:
                    return b'"stream"' in (await client.request(subject, b"{}", timeout=2)).data
                except (NatsError, TimeoutError):
                    return False

            await eventually(published, "the two others have a majority, and take events")

            async def counted() -> bool:
                try:
                    return (await jetstream.stream_info(stream(CONTEXT))).state.messages > before
                except (NatsError, TimeoutError):
                    return False

            await eventually(counted, "the event is in the stream")
        finally:
            await client.close()
    finally:
        await admin.close()


async def test_a_wrong_password_and_a_foreign_certificate_are_refused(cluster: Cluster, tmp_path: Path) -> None:
    await (await cluster.administrator()).close()
    own = cluster.certificates[CONTEXT]
    wrong = f"tls://{CONTEXT}:wrong@127.0.0.1:{cluster.clients[0]}"
    with pytest.raises(NatsError, match="Authorization Violation"):
        await connect(wrong, own.ca, own.cert, own.key, allow_reconnect=False, max_reconnect_attempts=1)
    foreign = tls.ensure(tmp_path, [CONTEXT])[CONTEXT]
    with pytest.raises((NatsError, OSError)):
        await connect(
            cluster.url(f"{CONTEXT}-secrets"),
            own.ca,
            foreign.cert,
            foreign.key,
            allow_reconnect=False,
            max_reconnect_attempts=1,
        )


async def a_context(cluster: Cluster, context: str) -> NatsClient:
    """A connection with the secret of a context."""
    own = cluster.certificates[context]
    url = cluster.url(f"{context}-secrets")
    return await connect(url, own.ca, own.cert, own.key, inbox_prefix=f"_INBOX.{context}", connect_timeout=GENEROUS)
