"""Which refusals each method answers with: those that its comment names, and those that any method may have."""

from __future__ import annotations

import re
from collections.abc import Iterable
from dataclasses import dataclass
from inspect import getdoc
from typing import Final, Self

from unora.common.v1.options_pb2 import Access
from unora_common.errors import DomainError

from unora_gateway import refusals as gateway
from unora_gateway.openapi.contract import Contract, Method, first_sentence

ANY: Final = ("INVALID_ARGUMENT", "REQUEST_UNREADABLE", "TOO_MANY_CALLS", "SERVICE_BUSY", "INTERNAL")
ANY_AWAY: Final = ("DEPENDENCY_UNAVAILABLE", "DEADLINE_EXCEEDED", "REQUEST_LATE")
SIGNED_IN: Final = ("TOKEN_MISSING", "TOKEN_INVALID", "TOKEN_EXPIRED", "SESSION_REVOKED", "REVOCATIONS_STALE")
GATEWAY: Final = (
    gateway.QueryParameterUnknown,
    gateway.RequestMalformed,
    gateway.BodyTooLarge,
    gateway.HeadersTooLarge,
    gateway.MediaTypeUnsupported,
    gateway.RequestSlow,
)
"""What the gateway may refuse of any request."""
SEVERAL: Final = "common"
"""The context of a refusal that any method may have."""
AS_ANOTHER: Final = re.compile(r"(?:as in|those of) ([A-Z][a-z]\w+)")
REASON: Final = re.compile(r"\b[A-Z][A-Z0-9]*(?:_[A-Z0-9]+)+\b")


@dataclass(frozen=True)
class Refusal:
    """An error that leaves a service."""

    context: str
    reason: str
    status: int
    """Of HTTP."""
    says: str

    @classmethod
    def by_code(cls, context: str, reason: str, code: str, says: str) -> Self:
        """One of a service, which has the status of its gRPC code."""
        return cls(context, reason, gateway.HTTP[code], says)

    @classmethod
    def of_gateway(cls, kind: type[DomainError]) -> Self:
        """One of the gateway itself."""
        status = gateway.OTHER_HTTP.get(kind, gateway.HTTP[kind.code])
        return cls(gateway.SOURCE, kind.reason, status, first_sentence(" ".join((getdoc(kind) or "").split())))


class Refusals:
    """All of them, by what they are named."""

    def __init__(self, contract: Contract, every: Iterable[Refusal]) -> None:
        self._contract = contract
        self._every: dict[str, list[Refusal]] = {}
        for each in every:
            self._every.setdefault(each.reason, []).append(each)

    def of(self, method: Method) -> list[Refusal]:
        """Those of a method, its own first."""
        named = [*self._named(method.route.name, set()), *_of_any(method)]
        found = [self._find(name, method.route.context) for name in dict.fromkeys(named)]
        return [*(each for each in found if each), *map(Refusal.of_gateway, _by_gateway(method))]

    def _named(self, name: str, seen: set[str]) -> list[str]:
        """The reasons that a method's comment names, and those of the methods to whose errors it points."""
        if name in seen or name not in self._contract.comments:
            return []
        comment = self._contract.comments[name]
        errors = comment.partition("Errors:")[2]
        more = (self._named(each, seen | {name}) for each in AS_ANOTHER.findall(errors))
        own = [each for each in REASON.findall(comment) if each in self._every]
        return own + [each for names in more for each in names]

    def _find(self, reason: str, context: str) -> Refusal | None:
        """The refusal by its name: of the context itself, else one of any context, else of another."""
        found = self._every.get(reason, [])
        order = {context: 0, SEVERAL: 1}
        return min(found, key=lambda each: order.get(each.context, 2), default=None)


def _of_any(method: Method) -> Iterable[str]:
    yield from ANY
    yield from ANY_AWAY
    if method.keeps_answer:
        yield "REQUEST_ID_REUSED"
    if method.access == Access.ACCESS_PUBLIC:
        return
    yield from SIGNED_IN
    if not method.suspended_allowed:
        yield "ACCOUNT_SUSPENDED"
    if method.access == Access.ACCESS_ADMIN:
        yield "ADMIN_ONLY"


def _by_gateway(method: Method) -> Iterable[type[DomainError]]:
    yield from GATEWAY
    if method.route.variables:
        yield gateway.PathUnknown  # a value that is empty, or holds a slash
    if not method.route.takes_bytes:
        yield from (gateway.JsonInvalid, gateway.FieldUnknown) if method.route.body else (gateway.BodyUnexpected,)
