"""ID-17: devices are registered and removed, and the notifier learns whom it may tell, when and where."""

from __future__ import annotations

from collections.abc import Sequence
from itertools import groupby
from operator import itemgetter
from typing import Final
from uuid import UUID

from unora_common.database import Row, Session, Tx
from unora_common.ids import uuid7
from unora_common.logs import Log

from unora_identity.domain.notifications import (
    Category,
    Platform,
    PushDevice,
    PushTarget,
    Recipient,
    Settings,
    quiet_until,
    read_locale,
    read_token,
)
from unora_identity.providers.master_key import Unsealable
from unora_identity.resources import Resources
from unora_identity.store import accounts, notification_settings, push_devices
from unora_identity.use_cases.sessions import lock_with_session

PURPOSE: Final = "push token"
"""What tokens are sealed for."""


async def register_device(
    tx: Tx, resources: Resources, session: UUID, platform: Platform, token: str, locale: str
) -> PushDevice:
    """The device of the caller's session gets this token, which leaves every other session. Raises SessionRevoked: a
    session that has ended must not get a device after its own was removed.
    """
    token, locale = read_token(token), read_locale("locale", locale)
    locked, _ = await lock_with_session(tx, session)
    key = resources.master_key.unwrap(locked.id, await accounts.get_data_key(tx, locked.id))
    device = PushDevice(
        id=uuid7(), session_id=session, platform=platform, locale=locale, registered_at=resources.machine_now()
    )
    sealed, most = key.seal(PURPOSE, token), resources.policy.push_devices_most
    return await push_devices.register(tx, locked.id, device, resources.hasher.push_token(token), sealed, most)


async def unregister_device(tx: Tx, device: UUID, session: UUID) -> None:
    """Removes a device of the caller, if it is there. Raises SessionRevoked: who was thrown out must not keep the
    owner from being told of it.
    """
    await lock_with_session(tx, session)
    await push_devices.remove(tx, device)


async def update_settings(tx: Tx, settings: Settings, session: UUID) -> None:
    """Replaces the caller's settings. Raises SessionRevoked."""
    await lock_with_session(tx, session)
    await notification_settings.put(tx, tx.user, settings)


async def remove_invalid_tokens(tx: Tx, resources: Resources, tokens: Sequence[str]) -> None:
    """Removes the devices with these tokens. A device that has another token by now stays."""
    await push_devices.remove_tokens(tx, [resources.hasher.push_token(token) for token in tokens])


async def list_recipients(
    db: Session, resources: Resources, log: Log, users: Sequence[UUID], category: Category
) -> list[Recipient]:
    """Those of the members who may be told something of a category, by id, with all their devices. A member whose
    tokens cannot be opened is left out and logged, so that they hold up no other.
    """
    rows = await push_devices.list_recipients(db, users, category, resources.machine_now())
    found = []
    for user, devices in groupby(rows, key=itemgetter("user_id")):
        try:
            found.append(_recipient(resources, user, list(devices), category))
        except Unsealable as error:
            log.error("push token cannot be opened", user_id=str(user), failure=error)
    return found


def _recipient(resources: Resources, user: UUID, rows: Sequence[Row], category: Category) -> Recipient:
    first = rows[0]
    key = resources.master_key.unwrap(user, first["data_key"])
    quiet = notification_settings.quiet_of(first)
    return Recipient(
        user_id=user,
        not_before=quiet_until(quiet, first["time_zone"], category, first["now"]),
        targets=tuple(
            PushTarget(
                device=push_devices.device_of(row),
                token=key.open(PURPOSE, row["token_sealed"]),
                locale=row["preferred"] or row["locale"],
            )
            for row in rows
        ),
    )
