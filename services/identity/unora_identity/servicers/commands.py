"""The commands of identity besides serving."""

from __future__ import annotations

import argparse
import sys
from uuid import UUID

from unora_common.runtime import Runtime
from unora_common.service import Command

from unora_identity.config import IdentityConfig
from unora_identity.resources import Resources
from unora_identity.use_cases.admins import Grant, grant_admin


async def _run(runtime: Runtime[IdentityConfig, Resources], options: argparse.Namespace) -> int:
    grant = await grant_admin(runtime, options.user_id)
    if grant is Grant.NO_MEMBER:
        print(
            f"make-admin: there is no member {options.user_id}. The id of a member is the user_id that VerifyPhone "
            "and GetAccount return; sign in by phone first.",
            file=sys.stderr,
        )
        return 1
    if grant is Grant.HAD_IT:
        print(f"{options.user_id} is an admin already")
    else:
        print(f"{options.user_id} is now an admin, from the next sign-in or refresh on")
    return 0


def _arguments(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("user_id", type=UUID, help="the member's id, as VerifyPhone and GetAccount return it")


make_admin: Command[IdentityConfig, Resources] = Command("grant a member the role admin", _arguments, _run)
