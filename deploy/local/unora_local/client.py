"""The services as an app reaches them through the gateway: mutual TLS, a member's token, errors that can be read."""

from __future__ import annotations

import uuid
from collections.abc import Awaitable, Mapping
from dataclasses import dataclass, field
from types import TracebackType
from typing import TYPE_CHECKING, Any, Final, Self, TypeVar

import grpc
import msgspec
from google.protobuf.message import Message
from unora.billing.v1.billing_service_pb2_grpc import BillingServiceStub
from unora.billing.v1.wallet_service_pb2_grpc import WalletServiceStub
from unora.discovery.v1.discovery_service_pb2_grpc import DiscoveryServiceStub
from unora.identity.v1.account_service_pb2 import RefreshSessionRequest, SessionTokens
from unora.identity.v1.account_service_pb2_grpc import AccountServiceStub
from unora.identity.v1.device_service_pb2_grpc import DeviceServiceStub
from unora.identity.v1.export_service_pb2_grpc import ExportServiceStub
from unora.identity.v1.notification_directory_service_pb2_grpc import NotificationDirectoryServiceStub
from unora.identity.v1.place_service_pb2_grpc import PlaceServiceStub
from unora.identity.v1.profile_service_pb2_grpc import ProfileServiceStub
from unora.matching.v1.matching_service_pb2_grpc import MatchingServiceStub
from unora.reveal.v1.personality_service_pb2_grpc import PersonalityServiceStub
from unora.reveal.v1.reveal_service_pb2_grpc import RevealServiceStub
from unora.safety.v1.moderation_service_pb2_grpc import ModerationServiceStub
from unora.safety.v1.safety_service_pb2_grpc import SafetyServiceStub
from unora.streak.v1.streak_service_pb2_grpc import StreakServiceStub
from unora_common.clients import BALANCED, RECONNECTING
from unora_common.config import CONTEXTS
from unora_common.grpc_errors import read_details

from unora_local.env import Env

if TYPE_CHECKING:
    from grpc.aio import UnaryUnaryMultiCallable

ANSWER_WITHIN: Final = 60.0
"""Seconds that a service or the object store gets: far more than it needs, also on a busy machine."""

Q = TypeVar("Q", bound=Message)
A = TypeVar("A", bound=Message)


def request_id() -> str:
    """A fresh one."""
    return str(uuid.uuid4())


class Unexpected(Exception):
    """What was seen is not what was expected."""


@dataclass
class Refused(Exception):
    """A call that was refused: the status, the stable reason and the details."""

    method: str
    code: str
    reason: str
    message: str
    metadata: dict[str, str] = field(default_factory=dict)
    violations: dict[str, str] = field(default_factory=dict)

    @classmethod
    def read(cls, method: str, error: grpc.aio.AioRpcError) -> Refused:
        """The rich status of an error."""
        info, bad, said = read_details(error)
        violations = {each.field: each.description for each in bad.field_violations}
        message = said.message or error.details() or ""
        return cls(method, error.code().name, info.reason, message, dict(info.metadata), violations)

    def __str__(self) -> str:
        more = ", ".join(f"{key} = {value}" for key, value in (self.metadata | self.violations).items())
        said = " ".join(filter(None, (self.code, self.reason, self.message)))
        return f"{self.method} was refused: {said}{f' ({more})' if more else ''}"


class Gateway:
    """A client of every service, that remembers which methods it called."""

    def __init__(self, channels: Mapping[str, grpc.aio.Channel]) -> None:
        """`channels` by context, and as `notifier` the notifier's to identity."""
        self._channels = channels
        self.called: list[str] = []
        """Each call, in order, as `StreakService.GetDashboard`."""
        self.accounts = AccountServiceStub(channels["identity"])
        self.devices = DeviceServiceStub(channels["identity"])
        self.recipients = NotificationDirectoryServiceStub(channels["notifier"])
        self.exports = ExportServiceStub(channels["identity"])
        self.places = PlaceServiceStub(channels["identity"])
        self.profiles = ProfileServiceStub(channels["identity"])
        self.discovery = DiscoveryServiceStub(channels["discovery"])
        self.matching = MatchingServiceStub(channels["matching"])
        self.streaks = StreakServiceStub(channels["streak"])
        self.reveals = RevealServiceStub(channels["reveal"])
        self.personality = PersonalityServiceStub(channels["reveal"])
        self.billing = BillingServiceStub(channels["billing"])
        self.wallet = WalletServiceStub(channels["billing"])
        self.safety = SafetyServiceStub(channels["safety"])
        self.moderation = ModerationServiceStub(channels["safety"])
        self._names = {
            method: f"{type(stub).__name__.removesuffix('Stub')}.{name}"
            for stub in vars(self).values()
            if type(stub).__name__.endswith("Stub")
            for name, method in vars(stub).items()
        }

    @classmethod
    def at(cls, env: Env) -> Self:
        """A client of a running stack, with the developer's certificate, and for the notifier with its own."""
        developer = credentials(env.certificates())
        return cls({context: channel(env, context, developer) for context in CONTEXTS} | notifier(env))

    async def call(self, method: UnaryUnaryMultiCallable[Q, A], request: Q, token: str = "") -> A:
        """Call a method, as a member if there is a token; raise Refused if it is not answered."""
        self.called.append(self._names[method])
        metadata = (("authorization", f"Bearer {token}"),) if token else ()
        try:
            return await method(request, timeout=ANSWER_WITHIN, metadata=metadata)
        except grpc.aio.AioRpcError as error:
            raise Refused.read(type(request).__name__.removesuffix("Request"), error) from None

    async def __aenter__(self) -> Self:
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        for channel in self._channels.values():
            await channel.close()


def notifier(env: Env) -> dict[str, grpc.aio.Channel]:
    """The channel of the notifier, which is no app: it always goes to identity, with a certificate of its own."""
    return {"notifier": channel(env, "identity", credentials(env.certificates_of("notifier")))}


def credentials(certificates: tuple[bytes, bytes, bytes]) -> grpc.ChannelCredentials:
    """What a client shows: `certificates` are the authority, its certificate and its key, as PEM."""
    ca, cert, key = certificates
    return grpc.ssl_channel_credentials(ca, key, cert)


def channel(env: Env, context: str, shown: grpc.ChannelCredentials) -> grpc.aio.Channel:
    """A channel to a service of a running stack: to all its processes in turn."""
    options = [
        ("grpc.ssl_target_name_override", f"{context}.unora"),
        ("grpc.service_config", msgspec.json.encode(BALANCED).decode()),
        *RECONNECTING,
    ]
    return grpc.aio.secure_channel(env.address(context), shown, options=options)


class Session:
    """A signed-in member at the gateway."""

    def __init__(self, gateway: Gateway, user_id: str, tokens: SessionTokens, number: str) -> None:
        self.gateway = gateway
        self.user_id = user_id
        self.number = number
        self._tokens = tokens

    @property
    def access_token(self) -> str:
        """What proves to a service who calls."""
        return self._tokens.access_token

    @property
    def refresh_token(self) -> str:
        """What the session is refreshed with."""
        return self._tokens.refresh_token

    async def call(self, method: UnaryUnaryMultiCallable[Q, A], request: Q) -> A:
        """Call a method as this member."""
        return await self.gateway.call(method, request, self.access_token)

    def at(self, gateway: Gateway) -> Session:
        """The same session, by another way to the services."""
        return Session(gateway, self.user_id, self._tokens, self.number)

    async def refresh(self) -> None:
        """Exchange the tokens for new ones, which carry the session's roles of this moment (ID-03)."""
        request = RefreshSessionRequest(request_id=request_id(), refresh_token=self._tokens.refresh_token)
        self._tokens = (await self.gateway.call(self.gateway.accounts.RefreshSession, request)).tokens


async def refused(call: Awaitable[Any], reason: str) -> Refused:
    """Await a call that must be refused for this reason."""
    try:
        answer = await call
    except Refused as error:
        if error.reason != reason:
            raise
        return error
    raise Unexpected(f"{reason} was expected, the call was answered: {type(answer).__name__}")
