"""A world without the real services, for tests of unora_common.

It has a database, a NATS account and certificates as every world has, but each test declares its own services: the
contract of StreakService with a use case of the test's own, and consumers of matching's events.
"""

# ruff: noqa: N802 - methods have their contract's names
from __future__ import annotations

from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager
from io import StringIO
from typing import Any, ClassVar
from uuid import UUID

import asyncpg
import msgspec
from google.protobuf.message import Message
from nats.js.errors import NotFoundError
from unora.common.v1.options_pb2 import Repeat
from unora.matching.v1.events_pb2 import ConnectionEnded, ConnectionFormed
from unora.streak.v1.events_pb2 import CheckedIn
from unora.streak.v1.streak_service_pb2 import (
    EFFORT_SIGNAL_LOW,
    CheckInRequest,
    CheckInResponse,
    GetDashboardRequest,
    GetDashboardResponse,
    GetStreakRequest,
    GetStreakResponse,
    Streak,
)
from unora.streak.v1.streak_service_pb2_grpc import StreakServiceStub
from unora_common.app import App
from unora_common.call import Call
from unora_common.config import Config
from unora_common.database import Session, Tx
from unora_common.errors import DomainError
from unora_common.handlers import custom_idempotent, custom_read, custom_write, idempotent, reads
from unora_common.ids import uuid7
from unora_common.logs import logger
from unora_common.policies import MethodPolicy, policies_of, service_descriptor
from unora_common.runtime import Runtime
from unora_common.service import Part, Service
from unora_common.timeouts import Timeouts
from unora_sdk.names import aggregate_of, subject_of
from unora_testing.deadlines import GENEROUS, TIMEOUTS
from unora_testing.testbed import Testbed
from unora_testing.world import World, load_keys_and_revocations

from tests.replicas import stub_of

PROBE = """
CREATE TABLE {schema}.probe (
    number integer GENERATED ALWAYS AS IDENTITY,
    key text NOT NULL CONSTRAINT uq_probe_key UNIQUE,
    value text CONSTRAINT ck_probe_value CHECK (value <> 'never')
);
GRANT SELECT, INSERT, UPDATE, DELETE ON {schema}.probe TO unora_{schema};
"""
SCHEMAS = ("streak", "matching", "safety")


class Taken(DomainError):
    """The refusal for a violation of uq_probe_key."""

    code = "ALREADY_EXISTS"
    reason = "PROBE_TAKEN"
    sentence = "It is taken."


def with_all_methods(servicer: type[Any]) -> type[Any]:
    """Gives a servicer the methods of its contract that it lacks; each returns an empty response."""
    for policy in policies_of(service_descriptor(servicer.service)):
        if not hasattr(servicer, policy.name):
            setattr(servicer, policy.name, _empty(policy))
    return servicer


def _empty(policy: MethodPolicy) -> Any:
    async def method(self: Any, request: Any, call: Call) -> Any:
        return policy.response()

    method.__annotations__ |= {"request": policy.request, "return": policy.response}
    if policy.reads_only:
        return custom_read(method)
    return custom_write(method) if policy.repeat == Repeat.REPEAT_OWN else custom_idempotent(method)


@with_all_methods
class Probe:
    """StreakService as a test needs it: CheckIn writes a row with the streak's id, and emits an event."""

    service = "unora.streak.v1.StreakService"

    def __init__(self, runtime: Runtime[Any, Any]) -> None:
        self.runtime = runtime

    @idempotent
    async def CheckIn(self, request: CheckInRequest, tx: Tx) -> CheckInResponse:
        return await self.check_in(request, tx)

    @reads
    async def GetStreak(self, request: GetStreakRequest, db: Session) -> GetStreakResponse:
        await self.read(request, db)
        return GetStreakResponse(streak=Streak(streak_id=request.streak_id))

    @custom_read
    async def GetDashboard(self, request: GetDashboardRequest, call: Call) -> GetDashboardResponse:
        await self.look(call)
        return GetDashboardResponse()

    async def check_in(self, request: CheckInRequest, tx: Tx) -> CheckInResponse:
        insert = "INSERT INTO streak.probe (key) VALUES ($1) RETURNING number"
        number: int = await tx.value(insert, request.streak_id)
        event = CheckedIn(streak_id=request.streak_id, version=1)
        event.occurred_at.FromDatetime(await tx.read_clock())
        tx.emit(event)
        return CheckInResponse(streak=Streak(streak_id=request.streak_id, cycle=number))

    async def read(self, request: GetStreakRequest, db: Session) -> None:
        """What GetStreak does before it answers."""

    async def look(self, call: Call) -> None:
        """What GetDashboard does before it answers."""


class BareWorld(World):
    """A world that has only the services that a test opens."""

    _made: ClassVar[set[str]] = set()

    def __init__(self, testbed: Testbed, worker: str) -> None:
        super().__init__(testbed, f"{worker}_bare")
        self.log = StringIO()
        self.revoked: frozenset[UUID] = frozenset()
        """The sessions that identity would list as revoked."""
        self.opened: list[App[Any, Any]] = []

    async def start(self) -> None:
        """Creates the database for the first test, and empties it for the others: a clone takes ten times as long."""
        if self.database not in BareWorld._made:
            await self.testbed.clone(self.database)
        self.superuser = await asyncpg.connect(self.testbed.dsn(self.database))
        if self.database not in BareWorld._made:
            await self.superuser.execute("".join(PROBE.format(schema=schema) for schema in SCHEMAS))
            BareWorld._made.add(self.database)
        tables = ("outbox", "inbox", "inbox_failures", "kept_answers", "probe")
        await self.superuser.execute(
            f"TRUNCATE {', '.join(f'{schema}.{table}' for schema in SCHEMAS for table in tables)} RESTART IDENTITY; "
            "UPDATE clock.shift SET ahead = '0'"
        )
        self._drainer = await self.drainer()
        await self._drainer.reset()

    async def stop(self) -> None:
        for app in self.opened:
            await app.close()
        await super().stop()

    async def _revoked_now(self) -> object:
        """Nobody knows: a test sets `revoked`."""
        return None

    async def _fetch_revoked(self, _: Runtime[Any, Any]) -> frozenset[UUID]:
        return self.revoked

    async def admin(self) -> Any:
        """A connection to NATS as its administrator."""
        return await self.testbed.admin(self.worker)

    async def open(
        self,
        context: str = "streak",
        *,
        servicers: Sequence[Part[Any, Any]] = (),
        consumers: Sequence[Part[Any, Any]] = (),
        jobs: Sequence[Part[Any, Any]] = (),
        changes: dict[str, Any] | None = None,
        timeouts: Timeouts = TIMEOUTS,
    ) -> App[Any, Any]:
        """Opens a process of a service with these parts. Stubs call the first process of a context."""
        service = Service(
            context,
            config=Config,
            servicers=servicers,
            consumers=consumers,
            jobs=jobs,
            constraints={"uq_probe_key": Taken},
            keys=lambda _: self.tokens.jwks(),
            revocations=self._fetch_revoked,
        )
        app = App(service, msgspec.structs.replace(self.config(service, {}), **(changes or {})), timeouts)
        app.log = logger(context, "info", self.log)
        self.opened.append(app)
        await app.open()
        await load_keys_and_revocations(app)
        await app.serve()
        if context not in self.apps:
            self.apps[context] = app
            self.opened.remove(app)
        return app

    async def probe(self, servicer: Part[Any, Any] = Probe, **changes: Any) -> StreakServiceStub:
        """Opens streak with this servicer; returns a client with the gateway's certificate."""
        await self.open(servicers=[servicer], changes=changes)
        return self.stub(StreakServiceStub, "streak")

    @asynccontextmanager
    async def stub_of(self, app: App[Any, Any]) -> AsyncIterator[StreakServiceStub]:
        """A client of one process that is not the first of its context."""
        async with stub_of(self, app, StreakServiceStub) as stub:
            yield stub

    async def keys(self, schema: str = "streak") -> list[str]:
        """The keys that the probes wrote, in order."""
        return [row["key"] for row in await self.superuser.fetch(f"SELECT key FROM {schema}.probe ORDER BY number")]

    def logged(self) -> list[dict[str, Any]]:
        """The log lines of all services that were opened here."""
        return [msgspec.json.decode(line) for line in self.log.getvalue().splitlines()]

    def address(self, app: App[Any, Any]) -> str:
        """The address of a process."""
        assert app.server is not None
        return app.server.address


def check_in_request(streak: str = "", request_id: str = "") -> CheckInRequest:
    """A valid request, with new ids unless given."""
    return CheckInRequest(
        request_id=request_id or str(uuid7()), streak_id=streak or str(uuid7()), effort_signal=EFFORT_SIGNAL_LOW
    )


def formed(connection: str = "", version: int = 1, receiver: str = "") -> ConnectionFormed:
    """An event of matching, with new ids unless given."""
    event = ConnectionFormed(connection_id=connection or str(uuid7()), version=version, user_a_id=receiver)
    event.occurred_at.GetCurrentTime()
    return event


def ended(connection: str, version: int = 2) -> ConnectionEnded:
    """Another event of matching."""
    event = ConnectionEnded(connection_id=connection, version=version)
    event.occurred_at.GetCurrentTime()
    return event


def headers_of(event: Message, identifier: str = "") -> dict[str, str]:
    """The headers with which a relay publishes an event, without the id by which the stream recognises a repeat."""
    subject = subject_of(event)
    return {
        "ce-specversion": "1.0",
        "ce-id": identifier or str(uuid7()),
        "ce-source": f"/unora/{subject.split('.')[1]}",
        "ce-type": subject,
        "ce-subject": str(aggregate_of(event)[0]),
        "ce-time": "2026-03-01T12:00:00Z",
        "content-type": "application/protobuf",
    }


async def stream_messages(bare_world: BareWorld, stream: str) -> list[Any]:
    """All messages of a stream, in its order."""
    admin = await bare_world.admin()
    try:
        manager = admin.jetstream(timeout=GENEROUS)
        state = (await manager.stream_info(stream)).state
        found = []
        for sequence in range(state.first_seq or 1, (state.last_seq or 0) + 1):
            try:
                found.append(await manager.get_msg(stream, sequence))
            except NotFoundError:
                continue
        return found
    finally:
        await admin.close()
