"""ID-17: what members want to be told. A row changes only under the lock of its member's row."""

from __future__ import annotations

from datetime import time
from uuid import UUID

from unora_common.database import Row, Session, Tx

from unora_identity.domain.notifications import Category, QuietHours, Settings

FIND = "SELECT muted, quiet_from, quiet_until, locale FROM identity.notification_settings WHERE user_id = $1"
PUT = """
    INSERT INTO identity.notification_settings (user_id, muted, quiet_from, quiet_until, locale)
    VALUES ($1, $2, $3, $4, $5)
    ON CONFLICT (user_id) DO UPDATE SET muted = excluded.muted, quiet_from = excluded.quiet_from,
        quiet_until = excluded.quiet_until, locale = excluded.locale"""


async def find(db: Session, user: UUID) -> Settings:
    """The settings of a member; those of a member who changed nothing if there are none."""
    row = await db.row(FIND, user)
    if row is None:
        return Settings()
    return Settings(muted=frozenset(map(Category, row["muted"])), quiet=quiet_of(row), locale=row["locale"])


async def put(tx: Tx, user: UUID, settings: Settings) -> None:
    """Stores the settings of a member."""
    begin: time | None = settings.quiet.begin if settings.quiet else None
    end: time | None = settings.quiet.end if settings.quiet else None
    await tx.run(PUT, user, sorted(settings.muted), begin, end, settings.locale)


def quiet_of(row: Row) -> QuietHours | None:
    """The quiet hours of a row with the columns `quiet_from` and `quiet_until`."""
    return QuietHours(row["quiet_from"], row["quiet_until"]) if row["quiet_from"] is not None else None
