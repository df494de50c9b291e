"""The NATS server with JetStream, as one process that listens on loopback only."""

import asyncio
from collections.abc import Mapping, Sequence
from pathlib import Path

from unora_common.streams import ANSWER_WITHIN, Reads, ensure_consumers, ensure_streams
from unora_sdk.nats_client import NatsClient, connect

from unora_local import nats_config, subscribers
from unora_local.binaries import script
from unora_local.keys import private_folder
from unora_local.launcher import READY_WITHIN, Launcher
from unora_local.nats_config import ADMIN, Tls
from unora_local.process import Process
from unora_local.tls import Certificate


class Nats(Launcher):
    """A server with its store in `folder`, used again at the next start.

    `passwords` names the users: the contexts, and `admin` for tools. With `accounts` each of them has all these users
    and its own streams, so that tests that run at the same time do not see each other's messages. `certificates` has
    those of `nats` and of `streams`, the administrator. `subscribers` is the file of those that are not Unora's; it is
    read at each start. A `bare` one starts without streams.
    """

    def __init__(
        self,
        folder: Path,
        *,
        port: int,
        passwords: Mapping[str, str],
        reads: Reads,
        certificates: Mapping[str, Certificate],
        log: Path,
        accounts: Sequence[str] = (),
        subscribers: Path | None = None,
        bare: bool = False,
    ) -> None:
        if ADMIN not in passwords:
            raise ValueError(f"the user {ADMIN!r} needs a password")
        self.folder = folder
        self.port = port
        self._passwords = passwords
        self._reads = reads
        self._certificates = certificates
        self.log = log
        self._accounts = accounts
        self._subscribers = subscribers
        self._bare = bare

    def url(self, user: str, account: str | None = None) -> str:
        """The address for a context or for `admin`, in one of the accounts if there are accounts."""
        name = nats_config.user_name(user, account)
        return f"tls://{name}:{self._passwords[user]}@127.0.0.1:{self.port}"

    def url_of(self, subscriber: subscribers.Subscriber) -> str:
        """The address for a subscriber that is not Unora's."""
        return f"tls://{subscriber.name}:{subscriber.password}@127.0.0.1:{self.port}"

    @property
    def administrator(self) -> Certificate:
        """The certificate of the administrator."""
        return self._certificates["streams"]

    def for_administrator(self) -> dict[str, str]:
        """The variables of the command that makes the streams."""
        own = self.administrator
        return {
            "UNORA_NATS_URL": self.url(ADMIN),
            "UNORA_TLS_CA": str(own.ca),
            "UNORA_TLS_CERT": str(own.cert),
            "UNORA_TLS_KEY": str(own.key),
        }

    async def connect(self, user: str, certificate: Certificate, account: str | None = None) -> NatsClient:
        """A connection as a context or as `admin`."""
        files = certificate.ca, certificate.cert, certificate.key
        return await connect(self.url(user, account), *files, allow_reconnect=False, connect_timeout=ANSWER_WITHIN)

    async def start(self) -> None:
        """Start the server and return when JetStream answers, and the streams exist if it is not bare."""
        config = self.configure()
        await self._launch(Process("nats", [str(script("nats-server")), "--config", str(config)], log=self.log))

    def configure(self) -> Path:
        """Write the configuration anew; a server that runs takes it over at a SIGHUP."""
        private_folder(self.folder)
        config, own = self.folder / nats_config.CONFIG, self._certificates["nats"]
        nats_config.write(
            config,
            port=self.port,
            store=self.folder,
            passwords=self._passwords,
            reads=self._reads,
            tls=Tls(own.ca, own.cert, own.key),
            accounts=self._accounts,
            subscribers=self._others(),
        )
        return config

    async def make_consumers(self) -> None:
        """Make the consumers of subscribers that are not Unora's."""
        admin = await self.connect(ADMIN, self.administrator)
        try:
            await ensure_consumers(admin, [each for other in self._others() for each in other.durables()])
        finally:
            await admin.close()

    def _others(self) -> list[subscribers.Subscriber]:
        """Those that may consume something: one that is being removed may not."""
        known = subscribers.read(self._subscribers) if self._subscribers else []
        return [each for each in known if each.subjects]

    async def _ready(self, process: Process) -> None:
        # The server opens its port for clients last, when JetStream has recovered.
        await process.wait_until(self._listens, within=READY_WITHIN)
        if self._bare:
            return
        contexts = [name for name in self._passwords if name != ADMIN]
        for account in self._accounts or (None,):
            admin = await self.connect(ADMIN, self.administrator, account)
            await ensure_streams(admin, contexts, self._reads)
            await admin.close()
        if self._others():
            await self.make_consumers()

    async def _listens(self) -> bool:
        try:
            _, writer = await asyncio.open_connection("127.0.0.1", self.port)
        except OSError:
            return False
        writer.close()
        return True
