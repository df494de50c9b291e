"""Who a call comes from: the certificate's name, and the member whose token it carries; and whether this member may
make it (XX-03, SA-06).
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import grpc

from unora_common.errors import PermissionDenied
from unora_common.policies import MethodPolicy
from unora_common.revocations import Revocations
from unora_common.tokens import Member, TokenMissing, Verifier

SPIFFE = b"spiffe://unora/"


class AdminOnly(PermissionDenied):
    """The method is for members with the role admin."""

    reason = "ADMIN_ONLY"
    sentence = "Only administrators can do this."


class AccountSuspended(PermissionDenied):
    """SA-06: the member is suspended, and the method is not one of the few that suspended members may call."""

    reason = "ACCOUNT_SUSPENDED"
    sentence = "Your account is suspended. You can appeal."


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


def authorize(member: Member, policy: MethodPolicy) -> None:
    """SA-06: refuses suspended members, and members without the role that the method needs."""
    if member.suspended and not policy.suspended_allowed:
        raise AccountSuspended
    if policy.admins_only and "admin" not in member.roles:
        raise AdminOnly
