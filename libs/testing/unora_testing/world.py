"""All services in one event loop, over real gRPC with mutual TLS, Postgres and NATS.

Relays, consumers and jobs do not run in the background: `drain` steps them until no work is left, so that tests need no
polling and no sleep.
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Iterable
from contextlib import AbstractAsyncContextManager
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any, TypeVar
from uuid import UUID

import asyncpg
import grpc
import msgspec
from google.api.httpbody_pb2 import HttpBody
from google.protobuf.message import Message
from unora.billing.v1.webhook_service_pb2_grpc import WebhookServiceStub
from unora_common import declarations
from unora_common.app import App
from unora_common.config import CONTEXTS, Config, load
from unora_common.ids import random_id, uuid7
from unora_common.service import Service
from unora_identity.providers.access_tokens import AccessTokens
from unora_local.keys import ensure_file, private_folder, signing_key
from unora_local.sandbox.server import Sandbox
from unora_sdk.names import aggregate_of, occurred_at, subject_of

from unora_testing.deadlines import GENEROUS, TIMEOUTS
from unora_testing.drain import Drainer
from unora_testing.pictures import remember
from unora_testing.testbed import Testbed

S = TypeVar("S")
FAST = (0.02,)


class Caller:
    """A signed-in member: the id, the token, and the gRPC metadata that carries it."""

    def __init__(self, user: UUID, token: str) -> None:
        self.user = user
        self.id = str(user)
        self.token = token
        self.metadata = (("authorization", f"Bearer {token}"),)


class World:
    """The services of one test worker, on their own database and NATS account. Each start begins with empty ones."""

    def __init__(self, testbed: Testbed, worker: str) -> None:
        self.testbed = testbed
        self.worker = worker
        self.database = f"unora_{worker}"
        self.folder = Path(testbed.folder) / worker
        private_folder(self.folder)
        self.sms, payments = self.folder / "sms.jsonl", self.folder / "payments.json"
        for file in (self.sms, payments):
            file.unlink(missing_ok=True)
        self.sms.touch(mode=0o600)
        self.certificates = testbed.certificates()
        self._token_key = ensure_file(self.folder / "token.pem", signing_key)
        self._audit_key = ensure_file(self.folder / "audit.pem", signing_key)
        self._phone_key = ensure_file(self.folder / "phone.key", lambda: b"p" * 32)
        self.gov_id_secret = ensure_file(self.folder / "gov_id.key", lambda: b"g" * 32)
        self.oidc_keys = self.folder / "oidc_keys.json"
        """The public keys of the stand-in for an OpenID provider."""
        oidc = {"name": "played", "issuer": "https://played.invalid", "audience": "unora", "jwks": str(self.oidc_keys)}
        self._oidc = ensure_file(self.folder / "oidc.json", lambda: msgspec.json.encode([oidc]))
        self.tokens = AccessTokens([self._token_key.read_text()])
        self.apps: dict[str, App[Any, Any]] = {}
        self.payments_key, self.payments_secret = "sk_test_world", "whsec_world"
        self.payments = Sandbox(
            payments,
            key=self.payments_key,
            webhook_secret=self.payments_secret,
            send=self.deliver_webhook,
        )
        self.payments_url = ""
        self.superuser: asyncpg.Connection[asyncpg.Record]
        """Of the first server, where it sees the tables of all contexts."""
        self._streak_superuser: asyncpg.Connection[asyncpg.Record] | None = None
        """Of a second server that has the tables of streak; some of them cannot be written from the first."""
        self._channels: dict[tuple[str, str], grpc.aio.Channel] = {}
        self._revoked: object = None
        """As it was when all services last asked for the revoked sessions."""
        self._drainer: Drainer

    async def start(self) -> None:
        """Create the database and start every service's gRPC server, without its background tasks."""
        await self.testbed.clone(self.database)
        self.superuser = await asyncpg.connect(self.testbed.dsn(self.database))
        if self.testbed.streak_postgres:
            self._streak_superuser = await asyncpg.connect(f"{self.testbed.streak_postgres}/{self.database}")
        self._drainer = await self.drainer()
        await self._drainer.reset()
        try:
            await self._start_services()
        except BaseException:
            await self.stop()  # a server that is left open keeps the loop from closing
            raise

    async def drainer(self) -> Drainer:
        """What steps the services of this world; it has connections of its own."""
        return Drainer(await self.testbed.admin(self.worker), await asyncpg.connect(self.testbed.dsn(self.database)))

    async def _start_services(self) -> None:
        addresses: dict[str, str] = {}
        self.payments_url = await self.payments.start()
        for context in CONTEXTS:
            service = declarations.load_service(context)
            app = App(service, self.config(service, addresses), TIMEOUTS)
            self.apps[context] = app
            await app.open()
            await app.serve()
            assert app.server is not None
            await app.server.set_ready(True)  # the readiness watch does not run, and clients wait for readiness
            addresses[context] = app.server.address
        remember(self.apps["identity"].runtime.resources.vision)
        for app in self.apps.values():
            app.config.peers.update(addresses)
            await load_keys_and_revocations(app)

    async def stop(self) -> None:
        """Stop every service."""
        await asyncio.gather(*(channel.close() for channel in self._channels.values()))
        for app in reversed(self.apps.values()):
            await app.close()
        await self.payments.stop()
        await self._drainer.close()
        await self.superuser.close()
        if self._streak_superuser is not None:
            await self._streak_superuser.close()

    def config(self, service: Service[Any, Any], peers: dict[str, str], **changes: Any) -> Config:
        """The configuration of one service in this world."""
        config: Config = load(service.config, self.variables(service.name))
        return msgspec.structs.replace(config, peers=dict(peers), retry_delays=FAST, **changes)

    def variables(self, name: str) -> dict[str, str]:
        """The environment of one service in this world, without the addresses of the others."""
        certificate = self.certificates[name]
        direct = pooled = self.testbed.dsn(self.database, f"unora_{name}")
        if self.testbed.pooler:
            pooled = self.testbed.pooled_dsn(self.database, f"unora_{name}")
        return {
            "UNORA_DATABASE_URL": pooled,
            "UNORA_DIRECT_DATABASE_URL": direct if self.testbed.pooler else "",
            "UNORA_NATS_URL": self.testbed.nats(name, self.worker),
            "UNORA_TLS_CA": str(certificate.ca),
            "UNORA_TLS_CERT": str(certificate.cert),
            "UNORA_TLS_KEY": str(certificate.key),
            "UNORA_LISTEN": "127.0.0.1:0",
            "UNORA_LOG_LEVEL": "error",
            "UNORA_DATABASE_CONNECTIONS": "6",
            "UNORA_DEFAULT_DEADLINE": str(GENEROUS),
            "UNORA_LONGEST_DEADLINE": str(GENEROUS),
            "UNORA_SHUTDOWN_GRACE": "1",
            # Tests of other rules may call as often as they like; the budgets have tests of their own (XX-06).
            "UNORA_MEMBER_CALLS": "1000",
            "UNORA_MEMBER_CALLS_PER_SECOND": "1000000",
            "UNORA_MEMBER_BURST": "1000000",
            # And so may many members sign in from one device (ID-11).
            "UNORA_CODES_PER_DEVICE": "1000",
            "UNORA_CODES_PER_COUNTRY": "100000",
            "UNORA_CODES_IN_ALL": "100000",
            "UNORA_REFLECTION": "true",
            "UNORA_TOKEN_KEY": str(self._token_key),
            "UNORA_AUDIT_KEY": str(self._audit_key),
            "UNORA_PHONE_KEY": str(self._phone_key),
            "UNORA_S3_ENDPOINT": self.testbed.s3,
            "UNORA_S3_BUCKET": "photos",
            "UNORA_S3_ACCESS_KEY": "unora-test",
            "UNORA_S3_SECRET_KEY": self.testbed.secret,
            "UNORA_SMS_SANDBOX": str(self.sms),
            "UNORA_GOV_ID_SECRET": str(self.gov_id_secret),
            "UNORA_OIDC_PROVIDERS": str(self._oidc),
            "UNORA_STRIPE_API_BASE": self.payments_url,
            "UNORA_STRIPE_TIMEOUT": str(GENEROUS),
            "UNORA_STRIPE_SECRET_KEY": self.payments_key,
            "UNORA_STRIPE_WEBHOOK_SECRET": self.payments_secret,
        }

    def superuser_of(self, context: str) -> asyncpg.Connection[asyncpg.Record]:
        """The superuser where the tables of a context are: for locks, plans, triggers and what only one server has."""
        return self._streak_superuser if self._streak_superuser and context == "streak" else self.superuser

    # Callers

    def channel(self, context: str, caller: str = "gateway") -> grpc.aio.Channel:
        """A channel to a service with the certificate of a caller."""
        key = (context, caller)
        if key not in self._channels:
            ca, certificate, private = self.certificates[caller].read()
            server = self.apps[context].server
            assert server is not None
            self._channels[key] = grpc.aio.secure_channel(
                server.address,
                grpc.ssl_channel_credentials(ca, private, certificate),
                options=[("grpc.ssl_target_name_override", f"{context}.unora")],
            )
        return self._channels[key]

    def stub(self, stub: Callable[[grpc.aio.Channel], S], context: str, caller: str = "gateway") -> S:
        """A client of a service: `world.stub(StreakServiceStub, "streak")`."""
        return stub(self.channel(context, caller))

    def caller(self, user: UUID | None = None, roles: Iterable[str] = (), *, suspended: bool = False) -> Caller:
        """A signed-in member without an account: only the token is real."""
        user = user or random_id()
        token = self.tokens.sign(user_id=user, session_id=uuid7(), roles=list(roles), suspended=suspended)
        return Caller(user, token.text)

    async def deliver_webhook(self, body: bytes, signature: str) -> bool:
        """Send a webhook to billing as the gateway does; return whether billing accepted it."""
        stub = self.stub(WebhookServiceStub, "billing")
        try:
            await stub.ReceiveProviderEvent(HttpBody(data=body), metadata=(("stripe-signature", signature),))
        except grpc.aio.AioRpcError:
            return False
        return True

    # Time and events

    async def now(self) -> datetime:
        """The rule clock (UTC)."""
        now: datetime = await self.superuser.fetchval("SELECT clock.now()")
        return now

    async def move_clock(self, to: datetime | timedelta) -> None:
        """Move the rule clock forward, to a moment or by a duration, and drain."""
        ahead = to if isinstance(to, timedelta) else to - await self.now()
        await self.superuser.execute("UPDATE clock.shift SET ahead = ahead + $1", ahead)
        await self.drain(clock_moved=True)

    async def publish(self, *events: Message) -> None:
        """Put events into the outbox of the context that owns them, as if they had happened there, and drain."""
        for event in events:
            identifier, version = aggregate_of(event)
            subject = subject_of(event)
            context = subject.split(".")[1]
            await self.superuser_of(context).execute(
                f"""INSERT INTO {context}.outbox
                (id, aggregate_id, aggregate_version, subject, payload, occurred_at, trace)
                VALUES ($1, $2, $3, $4, $5, $6, '')""",
                *(uuid7(), identifier, version, subject, event.SerializeToString(), occurred_at(event)),
            )
        await self.drain()

    def counted(self, context: str, least: int = 0) -> AbstractAsyncContextManager[None]:
        """A block at whose end the consumers of a context's stream know the messages that came inside: a single step
        takes them all. `least` is how many must come that the stream does not acknowledge.
        """
        return self._drainer.counted(context, least)

    async def relay(self, context: str) -> int:
        """Publish the events of one context, and no others; return how many, once all its consumers know of them."""
        async with self.counted(context):
            return await self.apps[context].relay.step()

    async def events(self, kind: type[Message], *aggregates: UUID | str) -> list[Any]:
        """The events of one type that were emitted, in order; of these aggregates, or of all."""
        subject = subject_of(kind)
        rows = await self.superuser.fetch(
            f"""SELECT payload FROM {subject.split(".")[1]}.outbox
            WHERE subject = $1 AND (cardinality($2::uuid[]) = 0 OR aggregate_id = ANY($2)) ORDER BY seq""",
            subject,
            [UUID(str(aggregate)) for aggregate in aggregates],
        )
        return [kind.FromString(row["payload"]) for row in rows]

    async def drain(self, *, clock_moved: bool = False) -> None:
        """Step jobs, relays and consumers of all services until no work is left, and refresh the revoked sessions."""
        await self._drainer.drain(self.apps, self.payments.deliver, clock_moved=clock_moved)
        revoked = await self._revoked_now()
        if revoked != self._revoked:
            await asyncio.gather(*(app.revocations.refresh() for app in self.apps.values()))
            self._revoked = revoked

    async def _revoked_now(self) -> object:
        """What changes with each revocation: to have all services ask identity costs seven calls."""
        async with self.apps["identity"].database.session() as session:
            row = await session.row("SELECT count(*), max(revoked_at) FROM identity.revocations")
        return tuple(row or ())


async def load_keys_and_revocations(app: App[Any, Any]) -> None:
    """Load identity's public keys and revoked sessions, as a process does at its start.

    No background task refreshes them in a world, so their age is not counted either.
    """
    app.revocations.clock = lambda: 0.0
    await app.verifier.refresh()
    await app.revocations.refresh()
