"""Who a call comes from: the certificate's name, and the member whose token the call carries (XX-03, SA-06)."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import grpc

from unora_common.errors import PermissionDenied
from unora_common.revocations import Revocations
from unora_common.tokens import Member, TokenMissing, Verifier

SPIFFE = b"spiffe://unora/"


def caller_of(context: grpc.aio.ServicerContext[Any, Any]) -> str:
    """The name in the certificate's URI spiffe://unora/<name>. The TLS layer has verified the certificate.

    Raises PermissionDenied if the certificate has no such URI.
    """
    for name in (
        context.peer_identities() or ()
    ):  # its alternative names; the whole `auth_context` costs ten times as much
        if name.startswith(SPIFFE):
            return str(name[len(SPIFFE) :].decode())
    raise PermissionDenied


@dataclass(frozen=True)
class Authenticator:
    """Verifies members' tokens and looks up their sessions."""

    verifier: Verifier
    revocations: Revocations

    async def member_of(self, metadata: Mapping[str, str | bytes]) -> Member:
        """The member of the bearer token in `metadata`. Raises Unauthenticated, or RevocationsStale.

        A verified token is remembered; whether its session was revoked is looked up at each call.
        """
        scheme, _, token = str(metadata.get("authorization", "")).partition(" ")
        if scheme.lower() != "bearer" or not token:
            raise TokenMissing
        member = await self.verifier.verify(token)
        self.revocations.check(member.session)
        return member
