"""ID-15: the second factor at the sign-in of an admin."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Final

from unora_common.database import Tx
from unora_common.errors import DomainError

from unora_identity.domain.accounts import LockedMember
from unora_identity.domain.events import EventHeader, SecondFactorRefused
from unora_identity.domain.second_factor import try_second_factor
from unora_identity.domain.sessions import ADMIN
from unora_identity.resources import Resources
from unora_identity.store import accounts, second_factors
from unora_identity.use_cases.member_events import emit_member_events

PURPOSE: Final = "second factor"
"""What secrets are sealed for."""


async def try_factor(
    tx: Tx, resources: Resources, locked: LockedMember, headers: Iterator[EventHeader], code: str
) -> bool | DomainError:
    """Judges the second factor of a locked member. Returns whether the session carries the role admin, or the refusal
    to raise once the counted try is committed. A member without the role, or without a secret, has nothing to prove:
    the code is ignored.
    """
    factor = await second_factors.find(tx, locked.id)
    if factor is None or ADMIN not in await accounts.list_roles(tx, locked.id):
        return False
    key = resources.master_key.unwrap(locked.id, await accounts.get_data_key(tx, locked.id))
    secret = key.open(PURPOSE, factor.secret_sealed)
    tried = try_second_factor(factor, secret, code, resources.machine_now(), resources.policy)
    if tried.counted:
        await second_factors.put(tx, tried.factor)
    if tried.refusal is None:
        return True
    if tried.counted:
        await emit_member_events(tx, [SecondFactorRefused(**next(headers))])
    return tried.refusal
