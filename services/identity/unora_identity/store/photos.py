"""The photos of members."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime
from uuid import UUID

from unora_common.database import Session, Tx
from unora_common.ids import uuid7
from unora_common.rows import Columns, from_row

from unora_identity.domain.photos import Photo, PhotoQuality

PHOTO_COLUMNS = Columns(
    *("id", "object_key", "card_key", "thumbnail_key", "fingerprint"),
    *("has_face", "quality_passed", "width", "height"),
)
_INSERTED = PHOTO_COLUMNS + Columns("user_id", "position", "sharpness", "brightness", "created_at")

ADD = f"INSERT INTO identity.photos ({_INSERTED.names()}) VALUES ({_INSERTED.parameters()})"
# The row of a deleted photo stays, because reveals refer to it (RE-12). Its objects are left to the clean-up, as an
# expired offer without a request of a client, to which the trigger all_sizes adds the other sizes. The offer from which
# the photo came stays too: as long as its form is valid, the client may post another file, and the clean-up finds it.
DELETE = """
    WITH gone AS (
        UPDATE identity.photos SET deleted_at = $2, fingerprint = NULL
        WHERE id = $1 AND deleted_at IS NULL RETURNING user_id, object_key)
    INSERT INTO identity.photo_uploads (id, user_id, request_id, content_type, object_keys, expires_at)
    SELECT $4, user_id, $4, 'image/jpeg', ARRAY[object_key], $3 FROM gone"""
# Two photos of a member must never have one position, not even for a moment, so all leave theirs first.
CLEAR_POSITIONS = "UPDATE identity.photos SET deleted_at = $2 WHERE user_id = $1 AND deleted_at IS NULL"
SET_POSITIONS = """
    UPDATE identity.photos p SET position = o.position, deleted_at = NULL
    FROM unnest($2::uuid[]) WITH ORDINALITY AS o (id, position) WHERE p.id = o.id AND p.user_id = $1"""
DELETED_KEYS = """
    SELECT array_remove(ARRAY[object_key, card_key, thumbnail_key], NULL) AS object_keys
    FROM identity.photos WHERE id = $1 AND user_id = $2 AND deleted_at IS NOT NULL"""
REPLACED = """
    SELECT p.id FROM identity.photo_uploads u JOIN identity.photos p ON p.id = u.replaces_photo_id
    WHERE u.id = $1 AND u.user_id = $2 AND p.user_id = $2 AND p.deleted_at IS NOT NULL"""
SET_SIZES = """
    UPDATE identity.photos SET card_key = $2, thumbnail_key = $3, fingerprint = $4
    WHERE id = $1 AND deleted_at IS NULL AND thumbnail_key IS NULL
        AND EXISTS (SELECT FROM identity.users u WHERE u.id = photos.user_id AND u.deleted_at IS NULL)"""


def photo_of(values: Sequence[object]) -> Photo:
    """A photo from its PHOTO_COLUMNS."""
    row = dict(zip(PHOTO_COLUMNS, values, strict=True))
    signed = row.pop("fingerprint")
    return from_row(Photo, row, fingerprint=signed if signed is None else int(str(signed)) % 2**64)


async def delete(tx: Tx, photo: UUID, expired_at: datetime) -> None:
    """Deletes a photo, and leaves its objects to the clean-up as those of an offer that expired at `expired_at`, by the
    machine's clock.
    """
    await tx.run(DELETE, photo, tx.now, expired_at, uuid7())


async def set_order(tx: Tx, user: UUID, photos: Sequence[Photo]) -> None:
    """Stores the order of all photos of a member."""
    await tx.run(CLEAR_POSITIONS, user, tx.now)
    await tx.run(SET_POSITIONS, user, [photo.id for photo in photos])


async def add(tx: Tx, user: UUID, photo: Photo, position: int, quality: PhotoQuality) -> None:
    """Stores a photo."""
    values = _INSERTED.values_of(
        photo,
        fingerprint=_signed(photo.fingerprint),
        user_id=user,
        position=position,
        sharpness=quality.sharpness,
        brightness=quality.brightness,
        created_at=tx.now,
    )
    await tx.run(ADD, *values)


async def set_sizes(tx: Tx, photo: UUID, card_key: str, thumbnail_key: str, fingerprint: int | None) -> bool:
    """PR-08, PR-09: stores the sizes and the fingerprint of a photo that has none. False if the photo is deleted, has
    them by now, or is of an account that is being erased (ID-09).
    """
    return await tx.run(SET_SIZES, photo, card_key, thumbnail_key, _signed(fingerprint)) == 1


async def list_keys_of_deleted(session: Session, user: UUID, photo: UUID) -> list[str]:
    """The objects that a member's deleted photo had; none for a photo that is not deleted."""
    keys: list[str] | None = await session.value(DELETED_KEYS, photo, user)
    return keys or []


async def find_replaced(session: Session, user: UUID, photo: UUID) -> UUID | None:
    """The deleted photo whose place this one has taken."""
    replaced: UUID | None = await session.value(REPLACED, photo, user)
    return replaced


def _signed(fingerprint: int | None) -> int | None:
    """Postgres has no unsigned integers: the upper half becomes negative."""
    return fingerprint - 2**64 if fingerprint is not None and fingerprint >= 2**63 else fingerprint
