"""Commands of identity beside serving."""

from __future__ import annotations

import argparse
import sys
from uuid import UUID

from unora.identity.v1.events_pb2 import RoleGranted
from unora_common.runtime import Runtime
from unora_common.service import Command

from unora_identity.config import IdentityConfig
from unora_identity.resources import Resources
from unora_identity.store import accounts, members

ADMIN = "admin"


async def grant_admin(runtime: Runtime[IdentityConfig, Resources], user: UUID) -> bool | None:
    """Makes a member an admin, from their next access token on. False if they are one already, None if unknown."""
    async with runtime.database.transaction() as tx:
        locked = (await members.lock(tx, user)).get(user)
        if locked is None:
            return None
        if not await accounts.grant(tx, user, ADMIN):
            return False
        locked.tell(tx, RoleGranted, role=ADMIN)
        await members.save_versions(tx, [locked])
        return True


async def _run(runtime: Runtime[IdentityConfig, Resources], options: argparse.Namespace) -> int:
    done = await grant_admin(runtime, options.user_id)
    if done is None:
        print(
            f"make-admin: there is no member {options.user_id}. The id of a member is the user_id that VerifyPhone "
            "and GetAccount answer; sign in by phone first.",
            file=sys.stderr,
        )
        return 1
    print(
        f"{options.user_id} is now an admin, from the next sign-in or refresh on"
        if done
        else f"{options.user_id} is an admin already"
    )
    return 0


def _arguments(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("user_id", type=UUID, help="the member's id, as VerifyPhone and GetAccount answer it")


make_admin = Command("grant a member the role admin", _arguments, _run)
