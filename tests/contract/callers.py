"""Callers of every method by its descriptor: straight to its service, and over REST through a gateway."""

from __future__ import annotations

import io
import re
from abc import ABC, abstractmethod
from collections.abc import Sequence
from typing import Any, Final

import aiohttp
import grpc
from google.protobuf import json_format
from google.protobuf.message import Message
from unora.common.v1.options_pb2 import Access
from unora_gateway.contract import routes
from unora_gateway.refusals import HTTP, OTHER_HTTP
from unora_testing.deadlines import GENEROUS
from unora_testing.gateway import Door
from unora_testing.rest.binding import VARIABLE, HttpRequest, binding_of
from unora_testing.world import World
from yarl import URL

from tests.contract.contract import CANARY, Method, methods, valid
from tests.support import Refusal, read_refusal

Metadata = Sequence[tuple[str, str]]
STATUS_OF: Final = {kind.reason: status for kind, status in OTHER_HTTP.items()}
"""The HTTP status of reasons that say more than their code."""
LONGEST_ADDRESS: Final = 15_000
"""The most bytes of a path with its query that surely fit the gateway's limit of headers."""
FAULTS: Final = ("INTERNAL", "UNKNOWN", "UNIMPLEMENTED", "UNAVAILABLE", "DEADLINE_EXCEEDED")
REASON: Final = re.compile(r"[A-Z][A-Z0-9_]{2,}")
ON_THE_WAY: Final = ("REQUEST_MALFORMED", "HEADERS_TOO_LARGE")
"""The reasons for which the gateway refuses an address that HTTP cannot carry."""


class Caller(ABC):
    """Calls methods by their descriptors. No error may repeat any part of the call."""

    def __init__(self, world: World) -> None:
        self.world = world

    def metadata(self, method: Method) -> Metadata:
        """A token that may call it, of a member without an account."""
        if not method.policy.needs_member:
            return ()
        return self.world.caller(roles=["admin"] if method.policy.access == Access.ACCESS_ADMIN else []).metadata

    @abstractmethod
    async def __call__(self, method: Method, request: Message, metadata: Metadata | None = None) -> Refusal | None:
        """The refusal of a call, or None if it was answered."""

    @abstractmethod
    def domain(self, method: Method) -> str:
        """Which service refused, as the errors of this way say it."""

    def emptiest(self, method: Method) -> Message:
        """The request of a method with nothing that can be left out."""
        return type(valid(method.descriptor.input_type))()

    @abstractmethod
    def carries(self, request: Message) -> bool:
        """Whether this way has words for the request."""

    @abstractmethod
    def reaches(self, method: Method, request: Message) -> bool:
        """Whether the request arrives at the service, or at what judges it before the service."""

    def refused(self, refusal: Refusal | None, method: Method, code: str, reason: str) -> None:
        """Assert that the call was refused with this code and reason, by the context that serves the method."""
        assert refusal is not None, "the call was answered"
        assert (refusal.code, refusal.reason, refusal.domain) == (code, reason, self.domain(method))

    def clean(self, refusal: Refusal | None, method: Method) -> None:
        """Assert that the call was answered, or refused with a reason that a client can act on."""
        if refusal is not None:
            assert refusal.code not in FAULTS, refusal
            assert refusal.domain == self.domain(method)
            assert REASON.fullmatch(refusal.reason)
            assert refusal.sentence.endswith(".")


class GrpcCaller(Caller):
    """Straight to the services."""

    def right(self, method: Method) -> str:
        """The name of a certificate that may call it."""
        return next(iter(sorted(method.policy.callers))) if method.policy.access == Access.ACCESS_SERVICE else "gateway"

    async def raw(self, method: Method, body: bytes, metadata: Metadata, certificate: str = "") -> Refusal | None:
        """The refusal of a call with these bytes, or None if it was answered."""
        channel = self.world.channel(method.context, certificate or self.right(method))
        call: Any = channel.unary_unary(method.policy.path)
        try:
            await call(body, metadata=metadata, timeout=GENEROUS)
        except grpc.aio.AioRpcError as error:
            quiet(f"{error.details()} {error.trailing_metadata()} {error.initial_metadata()}", metadata)
            return read_refusal(error)
        return None

    async def __call__(
        self, method: Method, request: Message, metadata: Metadata | None = None, certificate: str = ""
    ) -> Refusal | None:
        given = self.metadata(method) if metadata is None else metadata
        return await self.raw(method, request.SerializeToString(), given, certificate)

    def domain(self, method: Method) -> str:
        return f"unora.{method.context}"

    def carries(self, request: Message) -> bool:
        return True

    def reaches(self, method: Method, request: Message) -> bool:
        return True


class RestCaller(Caller):
    """Over REST through a gateway, as an app does."""

    def __init__(self, world: World, door: Door, http: aiohttp.ClientSession) -> None:
        super().__init__(world)
        self.door = door
        self._http = http

    async def send(self, request: HttpRequest, metadata: Metadata = ()) -> Refusal | None:
        """The refusal of a request, or None if it was answered. Each has the one shape, and the status of its code."""
        headers = {**dict(metadata), **({"content-type": request.content_type} if request.content_type else {})}
        body = None if request.body is None else io.BytesIO(request.body)  # aiohttp warns of large bytes
        url = URL(self.door.gateway.plain_url + request.path, encoded=True).extend_query(request.query)
        async with self._http.request(request.verb, url, data=body, headers=headers) as answer:
            text = await answer.text()
            if answer.status == 200:
                return None
            quiet(f"{text} {answer.headers}", metadata)
            assert answer.content_type == "application/json", text
            assert not [name for name in answer.headers if name.lower().startswith(("grpc-", "x-unora", "x-envoy"))]
            error = await answer.json()
        assert list(error) == ["code", "reason", "message", "metadata", "violations"]
        assert answer.status == STATUS_OF.get(error["reason"], HTTP[error["code"]]), error
        violations = {each["field"]: each["reason"] for each in error["violations"]}
        return Refusal(error["code"], error["reason"], "", error["metadata"], violations, error["message"])

    async def __call__(self, method: Method, request: Message, metadata: Metadata | None = None) -> Refusal | None:
        given = self.metadata(method) if metadata is None else metadata
        return await self.send(self.written(method, request), given)

    def written(self, method: Method, request: Message) -> HttpRequest:
        """The request as it goes over the wire."""
        return binding_of(method.policy.path).request(request)

    def emptiest(self, method: Method) -> Message:
        """A path has no empty parts: its variables are there."""
        made = valid(method.descriptor.input_type)
        for field in method.descriptor.input_type.fields:
            if field.name not in VARIABLE.findall(binding_of(method.policy.path).template):
                made.ClearField(field.name)
        return made

    def domain(self, method: Method) -> str:
        return ""  # an app calls one address; which service is behind it is not its concern

    def carries(self, request: Message) -> bool:
        """JSON has no words for a time outside the years 1 to 9999."""
        try:
            json_format.MessageToDict(request)
        except (json_format.SerializeToJsonError, ValueError):
            return False
        return True

    def reaches(self, method: Method, request: Message) -> bool:
        """Envoy refuses addresses that are too long, and paths with null characters, before anything reads them."""
        made = self.written(method, request)
        longest = len(made.path) + sum(len(name) + len(value) for name, value in made.query)
        return longest < LONGEST_ADDRESS and "%00" not in made.path


def over_rest() -> list[Method]:
    """The methods that pass the gateway."""
    passing = {route.path for route in routes()}
    return [method for method in methods() if method.policy.path in passing]


async def written(world: World, context: str) -> dict[str, tuple[int, int]]:
    """Rows and a checksum of every table of a context."""
    tables = await world.superuser.fetch(
        """SELECT c.oid::regclass::text AS name FROM pg_class c
        WHERE c.relnamespace = $1::text::regnamespace AND c.relkind IN ('r', 'p') AND NOT c.relispartition""",
        context,
    )
    checksum = "coalesce(sum(hashtextextended(t::text, 0)::numeric), 0)"
    sums = " UNION ALL ".join(f"SELECT '{row['name']}', count(*), {checksum} FROM {row['name']} t" for row in tables)
    return {name: (count, total) for name, count, total in await world.superuser.fetch(sums)}


def quiet(answer: str, metadata: Metadata) -> None:
    """Assert that an answer repeats no part of the call."""
    assert CANARY not in answer
    for _, value in metadata:
        assert not value or value not in answer
