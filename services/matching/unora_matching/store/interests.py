"""Interests and their wipes."""

from __future__ import annotations

from collections.abc import Sequence
from typing import NamedTuple
from uuid import UUID

from unora_common.database import Row, Session, Tx
from unora_common.ids import uuid7
from unora_common.pages import Place

from unora_matching.domain import Closed, Connection, Interest, InterestStatus, Inventory, Standing, Wish

STANDING = """
    SELECT
        EXISTS (
            SELECT FROM matching.connections
            WHERE user_a_id = least($1::uuid, $2::uuid) AND user_b_id = greatest($1, $2)) AS apart,
        (SELECT id FROM matching.interests
         WHERE sender_id = $2 AND receiver_id = $1 AND server_type = $3
            AND interest_status = 'pending' AND shown_as = 'pending' AND deleted_at IS NULL) AS answer"""

INSERT = """
    INSERT INTO matching.interests (
        id, sender_id, receiver_id, server_type, card_id, interest_status, shown_as, sent_at, closed_at, version)
    VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10)"""

CLOSE = """
    WITH closed AS (
        UPDATE matching.interests AS i SET
            interest_status = CASE
                WHEN i.id = ANY ($2) THEN 'matched'
                WHEN was.interest_status = 'void' OR i.receiver_id = ANY ($3) AND i.sender_id = ANY ($3) THEN 'void'
                ELSE 'wiped' END,
            shown_as = CASE
                WHEN i.id = ANY ($2) THEN 'matched'
                WHEN i.sender_id = ANY ($4) THEN 'wiped'
                ELSE 'pending' END,
            connection_id = CASE WHEN i.id = ANY ($2) THEN $1::uuid END,
            closed_at = coalesce(i.closed_at, $5),
            version = i.version + CASE was.interest_status WHEN 'pending' THEN 1 ELSE 0 END
        FROM matching.interests AS was
        WHERE was.id = i.id AND i.sender_id = ANY ($3) AND i.shown_as = 'pending' AND i.deleted_at IS NULL
            AND (i.sender_id = ANY ($4) OR i.receiver_id = ANY ($3))
        RETURNING i.id, i.sender_id, i.receiver_id, i.server_type, i.interest_status, i.version,
            was.interest_status = 'pending' AS now_closed
    ), logged AS (
        INSERT INTO matching.interest_wipes (id, user_id, connection_id, wiped_count, wiped_at)
        SELECT wipe.id, wipe.user_id, $1,
            (SELECT count(*) FROM closed WHERE closed.sender_id = wipe.user_id AND closed.interest_status = 'wiped'), $5
        FROM unnest($6::uuid[], $4::uuid[]) AS wipe (id, user_id)
    )
    SELECT * FROM closed WHERE now_closed ORDER BY id"""
# $1 the connection, $2 the two interests that it was formed of, $3 its pair, $4 those of the pair who are full now,
# $5 the time, $6 an id for each wipe. What a full member sent is wiped, save to the other of the pair, where the
# connection voids it; and what was void before loses the look of waiting with the rest, or the wipe would tell that it
# was void.

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


async def standing(tx: Tx, sender: UUID, wish: Wish) -> Standing:
    """How the two stand, one statement whatever it finds (MA-10). Under the locks of both, and after them: a locking
    statement would see what was there before it waited.
    """
    row = await tx.row(STANDING, sender, wish.receiver_id, wish.server_type)
    assert row is not None
    return Standing(row["apart"], row["answer"])


def insert(tx: Tx, interest: Interest) -> None:
    """Stores a new interest with the commit; the constraint refuses the same one twice there."""
    tx.write(INSERT, *_columns(interest))


async def insert_now(tx: Tx, interest: Interest) -> None:
    """Stores a new interest at once, for what follows in the same transaction."""
    await tx.run(INSERT, *_columns(interest))


async def close(tx: Tx, connection: Connection, matched: Sequence[UUID], full: Sequence[Inventory]) -> Closing:
    """MA-01, MA-04: closes all that a new connection closes, and logs the wipes of those whose last slot it took."""
    wiped = {inventory.user_id: 0 for inventory in full}
    rows = await tx.rows(
        CLOSE,
        connection.id,
        list(matched),
        list(connection.pair),
        list(wiped),
        connection.formed_at,
        [uuid7() for _ in wiped],
    )
    closed = [_closed(row) for row in rows]
    for interest in closed:
        if interest.status is InterestStatus.WIPED:
            wiped[interest.sender_id] += 1
    return Closing(closed, wiped)


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
        status=InterestStatus(row["interest_status"]),
        version=row["version"],
    )
