"""Interests and their wipes."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime, timedelta
from typing import NamedTuple
from uuid import UUID

from unora_common.database import Row, Session, Tx
from unora_common.ids import uuid7
from unora_common.pages import Place

from unora_matching.domain import (
    Closed,
    Connection,
    Interest,
    InterestNotFound,
    InterestStatus,
    Inventory,
    Standing,
    Wish,
)

STANDING = """
    SELECT
        EXISTS (
            SELECT FROM matching.connections
            WHERE user_a_id = least($1::uuid, $2::uuid) AND user_b_id = greatest($1, $2)) AS met,
        EXISTS (
            SELECT FROM matching.blocked_pairs
            WHERE (blocker_id, blocked_id) IN (($1, $2), ($2, $1)) AND blocked) AS blocked,
        (SELECT id FROM matching.interests
         WHERE sender_id = $2 AND receiver_id = $1 AND server_type = $3 AND sent_at > $4
            AND interest_status = 'pending' AND shown_as = 'pending' AND deleted_at IS NULL) AS answer"""
# $4 before when an interest was sent that is due to expire, though nobody has come to it yet (MA-11).

INSERT = """
    INSERT INTO matching.interests (
        id, sender_id, receiver_id, server_type, card_id, interest_status, shown_as, sent_at, closed_at, version)
    VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10)"""

CLOSE = """
    WITH closed AS (
        UPDATE matching.interests AS i SET
            interest_status = CASE
                WHEN i.id = ANY ($2) THEN 'matched'
                WHEN was.interest_status = 'void' OR i.receiver_id = ANY ($3) THEN 'void'
                ELSE 'wiped' END,
            shown_as = CASE
                WHEN i.id = ANY ($2) THEN 'matched'
                WHEN i.sender_id = ANY ($4) THEN 'wiped'
                ELSE 'pending' END,
            connection_id = CASE WHEN i.id = ANY ($2) THEN $1::uuid END,
            closed_at = coalesce(i.closed_at, $5),
            version = i.version + 1
        FROM matching.interests AS was
        WHERE was.id = i.id AND i.sender_id = ANY ($3) AND i.shown_as = 'pending' AND i.deleted_at IS NULL
            AND (i.sender_id = ANY ($4) OR i.receiver_id = ANY ($3) AND i.interest_status = 'pending')
        RETURNING i.id, i.sender_id, i.receiver_id, i.server_type, i.version, i.interest_status,
            CASE was.interest_status WHEN 'void' THEN i.shown_as ELSE i.interest_status END AS closure
    ), logged AS (
        INSERT INTO matching.interest_wipes (id, user_id, connection_id, wiped_count, wiped_at)
        SELECT wipe.id, wipe.user_id, $1,
            (SELECT count(*) FROM closed WHERE closed.sender_id = wipe.user_id AND closed.interest_status = 'wiped'), $5
        FROM unnest($6::uuid[], $4::uuid[]) AS wipe (id, user_id)
    )
    SELECT * FROM closed ORDER BY id"""
# $1 the connection, if it is one that closes, $2 the two interests that it was formed of, $3 its pair, or else the one
# member, $4 those of them who are full now, $5 the time, $6 an id for each wipe. What a full member sent is wiped, save
# to the other of the pair, where the connection voids it; and what was void before loses the look of waiting with the
# rest, or the wipe would tell that it was void.

OWN = """
    SELECT id, sender_id, receiver_id, server_type, card_id, interest_status, shown_as, sent_at, version
    FROM matching.interests WHERE id = $1 AND sender_id = $2 AND deleted_at IS NULL"""

WITHDRAW = """
    UPDATE matching.interests
    SET interest_status = $2, shown_as = $3, closed_at = coalesce(closed_at, $4), version = $5 WHERE id = $1"""

VOID = """
    UPDATE matching.interests SET interest_status = 'void', closed_at = $1, version = version + 1
    WHERE {whose} AND interest_status = 'pending' AND deleted_at IS NULL
        AND sent_at <= coalesce($2, 'infinity'::timestamptz)
    RETURNING id, sender_id, receiver_id, server_type, version, 'void' AS closure"""
VOID_OF_PAIR = VOID.format(whose="(sender_id, receiver_id) IN (($3, $4), ($4, $3))")
VOID_OF_SENDER = VOID.format(whose="sender_id = $3")

EXPIRE = """
    UPDATE matching.interests SET
        interest_status = CASE interest_status WHEN 'void' THEN 'void' ELSE 'expired' END,
        shown_as = 'expired', closed_at = coalesce(closed_at, $1), version = version + 1
    WHERE sender_id = ANY ($2) AND shown_as = 'pending' AND deleted_at IS NULL AND sent_at <= $3
    RETURNING id, sender_id, receiver_id, server_type, version, 'expired' AS closure"""

SENT = """
    SELECT id, sender_id, receiver_id, server_type, card_id, interest_status, shown_as, sent_at, version
    FROM matching.interests
    WHERE sender_id = $1 AND deleted_at IS NULL
        AND (sent_at, id) < (coalesce($2, 'infinity'::timestamptz), coalesce($3::uuid, $1))
    ORDER BY sent_at DESC, id DESC LIMIT $4"""


class Closing(NamedTuple):
    """What a connection closed."""

    closed: list[Closed]
    wiped: dict[UUID, int]
    """How many interests were wiped, of each member who is full now."""


async def standing(tx: Tx, sender: UUID, wish: Wish, lifetime: timedelta) -> Standing:
    """How the two stand, one statement whatever it finds (MA-10). Under the locks of both, and after them: a locking
    statement would see what was there before it waited.
    """
    row = await tx.row(STANDING, sender, wish.receiver_id, wish.server_type, tx.now - lifetime)
    assert row is not None
    return Standing(row["met"], row["blocked"], row["answer"])


def insert(tx: Tx, interest: Interest) -> None:
    """Stores a new interest with the commit; the constraint refuses the same one twice there."""
    tx.defer(INSERT, *_columns(interest))


async def insert_now(tx: Tx, interest: Interest) -> None:
    """Stores a new interest at once, for what follows in the same transaction."""
    await tx.run(INSERT, *_columns(interest))


async def close(tx: Tx, connection: Connection, matched: Sequence[UUID], full: Sequence[Inventory]) -> Closing:
    """MA-01, MA-04: closes all that a new connection closes, and logs the wipes of those whose last slot it took."""
    return await _close(tx, connection.id, matched, connection.pair, [inventory.user_id for inventory in full])


async def wipe(tx: Tx, member: UUID) -> Closing:
    """MA-04: wipes and logs what a member sent whose limit fell to the count."""
    return await _close(tx, None, [], [member], [member])


async def _close(
    tx: Tx, connection_id: UUID | None, matched: Sequence[UUID], members: Sequence[UUID], full: Sequence[UUID]
) -> Closing:
    """At tx.now, which is when the connection was formed."""
    wipes = [uuid7() for _ in full]
    rows = await tx.rows(CLOSE, connection_id, list(matched), list(members), list(full), tx.now, wipes)
    wiped = dict.fromkeys(full, 0)
    for row in rows:
        if row["interest_status"] == InterestStatus.WIPED:
            wiped[row["sender_id"]] += 1
    return Closing([_closed(row) for row in rows], wiped)


async def own(tx: Tx, interest_id: UUID, sender: UUID) -> Interest:
    """A member's own interest, under their lock. Another's is the same as a missing one (XX-04)."""
    row = await tx.row(OWN, interest_id, sender)
    if row is None:
        raise InterestNotFound
    return _interest(row)


def save_withdrawn(tx: Tx, interest: Interest) -> None:
    """Stores that an interest was taken back (MA-11)."""
    tx.defer(WITHDRAW, interest.id, interest.status, interest.shown_as, tx.now, interest.version)


async def void_pair(tx: Tx, one: UUID, other: UUID, until: datetime | None) -> list[Closed]:
    """MA-12: voids what pends between two, either way, that was sent up to a moment. It goes on looking pending."""
    return [_closed(row) for row in await tx.rows(VOID_OF_PAIR, tx.now, until, one, other)]


async def void_sent(tx: Tx, sender: UUID, until: datetime | None) -> list[Closed]:
    """SA-08: voids what a member sent up to a moment and still pends. It goes on looking pending."""
    return [_closed(row) for row in await tx.rows(VOID_OF_SENDER, tx.now, until, sender)]


async def expire(tx: Tx, senders: Sequence[UUID], lifetime: timedelta) -> list[Closed]:
    """MA-11: what these members sent too long ago expires; what is void looks expired from now on."""
    return [_closed(row) for row in await tx.rows(EXPIRE, tx.now, senders, tx.now - lifetime)]


async def sent(session: Session, member: UUID, after: Place | None, limit: int) -> list[Interest]:
    """A page of a member's interests, newest first; ids decide between those of one instant."""
    at, last = after or (None, None)
    return [_interest(row) for row in await session.rows(SENT, member, at, last, limit)]


def _columns(interest: Interest) -> tuple[object, ...]:
    """In the order of INSERT."""
    return (
        interest.id,
        interest.sender_id,
        interest.receiver_id,
        interest.server_type,
        interest.card_id,
        interest.status,
        interest.shown_as,
        interest.sent_at,
        None if interest.status is InterestStatus.PENDING else interest.sent_at,
        interest.version,
    )


def _interest(row: Row) -> Interest:
    return Interest(
        id=row["id"],
        sender_id=row["sender_id"],
        receiver_id=row["receiver_id"],
        server_type=row["server_type"],
        card_id=row["card_id"],
        status=InterestStatus(row["interest_status"]),
        shown_as=InterestStatus(row["shown_as"]),
        sent_at=row["sent_at"],
        version=row["version"],
    )


def _closed(row: Row) -> Closed:
    return Closed(
        id=row["id"],
        sender_id=row["sender_id"],
        receiver_id=row["receiver_id"],
        server_type=row["server_type"],
        closure=InterestStatus(row["closure"]),
        version=row["version"],
    )
