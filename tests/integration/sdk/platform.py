"""NATS as a subscriber finds it, with a publisher of streak's events, and subscribers that a test starts and stops."""

from __future__ import annotations

import asyncio
import sqlite3
from collections.abc import AsyncIterator, Iterable
from contextlib import asynccontextmanager
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any
from uuid import UUID

from google.protobuf.message import Message
from nats.js.api import ConsumerInfo
from nats.js.errors import NotFoundError
from unora.streak.v1.events_pb2 import CheckedIn
from unora_common.ids import uuid7
from unora_common.streams import ensure_streams
from unora_local import nats_reload, ports, subscribers, tls
from unora_local.nats import Nats
from unora_local.nats_config import ADMIN
from unora_local.subscribers import Subscriber as Account
from unora_sdk import Event, Options, Settings, SqliteStore, Store, Subscriber
from unora_sdk.again import again_subject
from unora_sdk.names import aggregate_of, context_of, durable, inbox, occurred_at, subject_of
from unora_sdk.nats_client import NatsClient, connect
from unora_testing.deadlines import GENEROUS, eventually, within

SUBJECT = subject_of(CheckedIn)
STREAM, CONSUMER = "unora_streak", "push__checked_in"
NOON = datetime(2026, 3, 1, 12, tzinfo=UTC)
QUICK = {"delays": (0.05,)}
"""So that a failed event is tried again at once."""


class Platform:
    """A server of NATS with the streams, and subscribers that may each consume some events; tests mostly need one."""

    def __init__(
        self,
        folder: Path,
        name: str = "push",
        events: Iterable[type[Message]] = (CheckedIn,),
        certificates: Path | None = None,
        others: Iterable[str] = (),
    ) -> None:
        """`certificates`: a folder with an authority that others use, too. `others` are more subscribers."""
        self.folder, self.name = folder, name
        self.account = Account(name, "secret", tuple(map(subject_of, events)))
        self.contexts = sorted({context_of(subject) for subject in (SUBJECT, *self.account.subjects)})
        self.accounts = {each: Account(each, "secret", self.account.subjects) for each in (name, *others)}
        subscribers.write(folder / "subscribers.json", self.accounts.values())
        self.certificates = tls.ensure(certificates or folder / "tls", [*self.contexts, *self.accounts, *tls.NATS])
        self.server = Nats(
            folder / "nats",
            port=ports.free()[0],
            passwords=dict.fromkeys((*self.contexts, ADMIN), "secret"),
            reads={},
            certificates=self.certificates,
            log=folder / "nats.log",
            subscribers=folder / "subscribers.json",
        )
        self.admin: NatsClient
        self.publishers: dict[str, NatsClient] = {}

    async def start(self) -> None:
        await self.server.start()
        self.admin = await self.connect(ADMIN, "streams")
        for context in self.contexts:
            self.publishers[context] = await self.connect(context, context)

    async def stop(self) -> None:
        for client in (self.admin, *self.publishers.values()):
            await client.close()
        await self.server.stop()

    async def connect(self, user: str, certificate: str) -> NatsClient:
        own = self.certificates[certificate]
        return await connect(self.server.url(user), own.ca, own.cert, own.key, inbox_prefix=inbox(user).encode())

    async def connect_subscriber(self, refusals: list[str] | None = None) -> NatsClient:
        """A connection with all that the subscriber may do; what the server refuses goes into `refusals`."""

        async def note(error: Exception) -> None:
            (refusals if refusals is not None else []).append(str(error))

        own, url = self.certificates[self.name], self.server.url_of(self.account)
        return await connect(url, own.ca, own.cert, own.key, inbox_prefix=inbox(self.name).encode(), error_cb=note)

    async def change_password(self, password: str) -> None:
        """Changes the subscriber's password on the server, which ends the connections that were let in by the one
        before.
        """
        changed = [replace(each, password=password) for each in self.accounts.values()]
        subscribers.write(self.folder / "subscribers.json", changed)
        self.server.configure()
        assert self.server.process is not None
        await nats_reload.reload(self.server.process.pid, self.server.log)

    async def empty(self) -> None:
        """Makes stream and consumer as new, for the next test."""
        stream = self.admin.jetstream(timeout=GENEROUS)
        await stream.delete_consumer(STREAM, CONSUMER)
        await stream.purge_stream(STREAM)
        await self.server.make_consumers()

    async def make_anew(self) -> None:
        """Deletes the stream with all that it knows, and makes it again."""
        await self.admin.jetstream(timeout=GENEROUS).delete_stream(STREAM)
        await ensure_streams(self.admin, self.contexts, {})
        await self.server.make_consumers()

    def environment(self, name: str = "") -> dict[str, str]:
        """The variables of a subscriber; without a name, of the first one."""
        account = self.accounts[name or self.name]
        own = self.certificates[account.name]
        return {
            "UNORA_NATS_URL": self.server.url_of(account),
            "UNORA_NATS_INBOX": inbox(account.name),
            "UNORA_NATS_CONSUMERS": " ".join(f"{each.stream}/{each.name}" for each in account.durables()),
            "UNORA_TLS_CA": str(own.ca),
            "UNORA_TLS_CERT": str(own.cert),
            "UNORA_TLS_KEY": str(own.key),
        }

    def settings(self) -> Settings:
        return Settings.from_environment(self.environment())

    def subscriber(self, store: Store[Any], **options: Any) -> Subscriber[Any]:
        return Subscriber(self.settings(), store, Options(**(QUICK | options)))

    async def publish(
        self, *events: Message, ids: Iterable[UUID] = (), headers: dict[str, str] | None = None, again_to: str = ""
    ) -> list[UUID]:
        """Publishes events as the relays do; returns their ids. `again_to` is the subscriber that alone gets them, as
        by `republish --consumer`.
        """
        given = list(ids) or [uuid7() for _ in events]
        for identifier, event in zip(given, events, strict=True):
            subject = subject_of(event)
            stream = self.publishers[context_of(subject)].jetstream(timeout=GENEROUS)
            to = again_subject(subject, durable(again_to, subject)) if again_to else subject
            await stream.publish(to, event.SerializeToString(), headers=headers_of(event, identifier) | (headers or {}))
        return given

    async def consumer(self, stream: str = STREAM, name: str = CONSUMER) -> ConsumerInfo:
        found: ConsumerInfo = await self.admin.jetstream(timeout=GENEROUS).consumer_info(stream, name)
        return found

    async def is_done(self) -> bool:
        """Whether the consumers have nothing to deliver and wait for no acknowledgement."""
        for each in (each for account in self.accounts.values() for each in account.durables()):
            info = await self.consumer(each.stream, each.name)
            if info.num_pending or info.num_ack_pending:
                return False
            # The stream has a message a moment before its consumers count it.
            delivered = info.delivered.stream_seq if info.delivered else 0
            if delivered < max([await self._last(each.stream, subject) for subject in each.filters]):
                return False
        return True

    async def _last(self, stream: str, subject: str) -> int:
        """The number of the last message with a subject; 0 if there is none."""
        try:
            return (await self.admin.jetstream(timeout=GENEROUS).get_last_msg(stream, subject)).seq or 0
        except NotFoundError:
            return 0

    async def until_done(self) -> None:
        await eventually(self.is_done, "every event is acknowledged")


def checked_in(number: int = 1, streak: UUID | None = None, after: timedelta = timedelta(0)) -> CheckedIn:
    """An event with this version, that took effect so long after noon."""
    event = CheckedIn(streak_id=str(streak or uuid7()), version=number)
    event.occurred_at.FromDatetime(NOON + after)
    return event


def headers_of(event: Message, identifier: UUID) -> dict[str, str]:
    return {
        "ce-specversion": "1.0",
        "ce-id": str(identifier),
        "ce-source": f"/unora/{context_of(subject_of(event))}",
        "ce-type": subject_of(event),
        "ce-subject": str(aggregate_of(event)[0]),
        "ce-time": occurred_at(event).isoformat().replace("+00:00", "Z"),
        "content-type": "application/protobuf",
        "traceparent": "00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01",
    }


@asynccontextmanager
async def serving(*all_of: Subscriber[Any]) -> AsyncIterator[None]:
    """The subscribers run inside the block, and end by themselves after it."""
    running = [asyncio.ensure_future(each.serve()) for each in all_of]
    try:
        yield
    finally:
        for each in all_of:
            each.stop()
        for task in running:
            await within(task)


class Seen:
    """A handler that writes the event's id into a table of the same file, and keeps the events in a list."""

    def __init__(self, path: Path) -> None:
        self.path = path
        self.store = SqliteStore(path)
        self.events: list[Event[CheckedIn]] = []
        with sqlite3.connect(path) as connection:
            connection.execute("CREATE TABLE IF NOT EXISTS seen (id text PRIMARY KEY)")

    async def __call__(self, event: Event[CheckedIn], transaction: sqlite3.Connection) -> None:
        self.events.append(event)
        transaction.execute("INSERT INTO seen VALUES (?)", (str(event.id),))

    def rows(self) -> set[str]:
        with sqlite3.connect(self.path) as connection:
            return {row[0] for row in connection.execute("SELECT id FROM seen")}
