"""The commands of identity besides serving: who is an admin (ID-15)."""

from __future__ import annotations

import argparse
import sys
from uuid import UUID

from unora_common.runtime import Runtime
from unora_common.service import Command

from unora_identity.config import IdentityConfig
from unora_identity.domain.second_factor import provisioning_uri
from unora_identity.resources import Resources
from unora_identity.use_cases.admins import NotGranted, TakenAway, grant_admin
from unora_identity.use_cases.admins import revoke_admin as take_away


async def _make(runtime: Runtime[IdentityConfig, Resources], options: argparse.Namespace) -> int:
    user: UUID = options.user_id
    made = await grant_admin(runtime, user, replace_secret=options.new_secret)
    if made is NotGranted.NO_MEMBER:
        return _no_member("make-admin", user)
    if made is NotGranted.HAD_IT:
        print(
            f"make-admin: {user} is an admin already. With --new-secret they get another second factor: "
            "the present one stops working, and their sessions as an admin end.",
            file=sys.stderr,
        )
        return 1
    assert not isinstance(made, NotGranted)
    print(f"{user} {'is now an admin' if made.granted else 'has another second factor'}. The secret is shown only now:")
    print(f"  secret   {made.secret}")
    print(f"  address  {provisioning_uri(made.secret, user)}")
    print("They add it to an authenticator app, and sign in again with its 6 digits as totp_code of VerifyPhone.")
    return 0


async def _revoke(runtime: Runtime[IdentityConfig, Resources], options: argparse.Namespace) -> int:
    user: UUID = options.user_id
    done = await take_away(runtime, user)
    if done is TakenAway.NO_MEMBER:
        return _no_member("revoke-admin", user)
    if done is TakenAway.HAD_NONE:
        print(f"{user} is no admin")
    else:
        print(f"{user} is no longer an admin; their sessions as an admin have ended, and the secret is deleted")
    return 0


def _no_member(command: str, user: UUID) -> int:
    print(
        f"{command}: there is no member {user}. The id of a member is the user_id that VerifyPhone and GetAccount "
        "return; sign in by phone first.",
        file=sys.stderr,
    )
    return 1


def _for_member(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("user_id", type=UUID, help="the member's id, as VerifyPhone and GetAccount return it")


def _for_new_admin(parser: argparse.ArgumentParser) -> None:
    _for_member(parser)
    parser.add_argument("--new-secret", action="store_true", help="give an admin another second factor")


make_admin: Command[IdentityConfig, Resources] = Command("grant a member the role admin", _for_new_admin, _make)
revoke_admin: Command[IdentityConfig, Resources] = Command("take the role admin away", _for_member, _revoke)
