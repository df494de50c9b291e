"""Statements that close many interests at once: for a connection, as a wipe, as void, and as expired."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime, timedelta
from typing import NamedTuple
from uuid import UUID

from unora_common.database import Tx
from unora_common.ids import uuid7
from unora_common.rows import from_row

from unora_matching.domain.connections import Connection
from unora_matching.domain.events import InterestClosed
from unora_matching.domain.interests import InterestStatus
from unora_matching.domain.inventory import Inventory

CLOSED = "i.id AS interest_id, i.sender_id, i.receiver_id, i.server_type, i.version, i.card_id"
"""What a statement that closes interests returns for each, besides `closure` and `occurred_at`."""

CLOSE = f"""
    WITH closed AS (
        UPDATE matching.interests AS i SET
            interest_status = CASE
                WHEN i.id = ANY ($2) THEN 'matched'
                WHEN before.interest_status = 'void' OR i.receiver_id = ANY ($3) THEN 'void'
                ELSE 'wiped' END,
            shown_as = CASE
                WHEN i.id = ANY ($2) THEN 'matched'
                WHEN i.sender_id = ANY ($4) THEN 'wiped'
                ELSE 'pending' END,
            connection_id = CASE WHEN i.id = ANY ($2) THEN $1::uuid END,
            closed_at = coalesce(i.closed_at, $5),
            version = i.version + 1
        FROM matching.interests AS before
        WHERE before.id = i.id AND i.sender_id = ANY ($3) AND i.shown_as = 'pending' AND i.deleted_at IS NULL
            AND (i.sender_id = ANY ($4) OR i.receiver_id = ANY ($3) AND i.interest_status = 'pending')
        RETURNING {CLOSED}, i.interest_status,
            CASE before.interest_status WHEN 'void' THEN i.shown_as ELSE i.interest_status END AS closure,
            $5::timestamptz AS occurred_at
    ), logged AS (
        INSERT INTO matching.interest_wipes (id, user_id, connection_id, wiped_count, wiped_at)
        SELECT wipe.id, wipe.user_id, $1,
            (SELECT count(*) FROM closed WHERE closed.sender_id = wipe.user_id AND closed.interest_status = 'wiped'), $5
        FROM unnest($6::uuid[], $4::uuid[]) AS wipe (id, user_id)
    )
    SELECT * FROM closed ORDER BY interest_id"""
# $1 is the new connection, or null; $2 the two interests that formed it; $3 its pair, or else the one member; $4 those
# of $3 who are full now; $5 the time; $6 an id for each wipe. All interests that a full member sent are wiped, except
# one to the other of the pair, which the connection makes void. Interests that were void before stop looking pending
# together with the wiped ones: otherwise the wipe would reveal that they were void.

VOID = f"""
    UPDATE matching.interests AS i SET interest_status = 'void', closed_at = $1, version = version + 1
    WHERE {{condition}} AND interest_status = 'pending' AND deleted_at IS NULL
        AND sent_at <= coalesce($2, 'infinity'::timestamptz)
    RETURNING {CLOSED}, 'void' AS closure, $1::timestamptz AS occurred_at"""
VOID_PAIR = VOID.format(condition="(sender_id, receiver_id) IN (($3, $4), ($4, $3))")
VOID_SENT = VOID.format(condition="sender_id = $3")
VOID_RECEIVED = VOID.format(condition="receiver_id = $3")

EXPIRE = f"""
    UPDATE matching.interests AS i SET
        interest_status = CASE interest_status WHEN 'void' THEN 'void' ELSE 'expired' END,
        shown_as = 'expired', closed_at = coalesce(closed_at, $1), version = version + 1
    WHERE sender_id = ANY ($2) AND shown_as = 'pending' AND deleted_at IS NULL AND sent_at <= $3
    RETURNING {CLOSED}, 'expired' AS closure, $1::timestamptz AS occurred_at"""


class Closing(NamedTuple):
    """The interests that a connection or a lower tier closed."""

    events: list[InterestClosed]
    wiped: dict[UUID, int]
    """The number of wiped interests of each member who is full now."""


async def close_for_connection(
    tx: Tx, connection: Connection, matched: Sequence[UUID], full: Sequence[Inventory]
) -> Closing:
    """MA-01, MA-04: closes all interests that a new connection closes, and logs a wipe for each member in `full`, whose
    last slot it took.
    """
    return await _close(tx, connection.id, matched, connection.pair, [inventory.user_id for inventory in full])


async def wipe_sent(tx: Tx, member: UUID) -> Closing:
    """MA-04: wipes the interests of a member whose limit fell to the number of connections, and logs the wipe."""
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
    return Closing([from_row(InterestClosed, row) for row in rows], wiped)


async def void_pair(tx: Tx, one: UUID, other: UUID, until: datetime | None) -> list[InterestClosed]:
    """MA-12: voids the pending interests of two members in each other that were sent up to `until`; None means all.
    They still look pending.
    """
    return [from_row(InterestClosed, row) for row in await tx.rows(VOID_PAIR, tx.now, until, one, other)]


async def void_sent(tx: Tx, sender: UUID, until: datetime | None) -> list[InterestClosed]:
    """SA-08: voids the pending interests that a member sent up to `until`; None means all. They still look pending."""
    return [from_row(InterestClosed, row) for row in await tx.rows(VOID_SENT, tx.now, until, sender)]


async def void_received(tx: Tx, receiver: UUID, until: datetime | None) -> list[InterestClosed]:
    """ID-09: voids the pending interests in a member that were sent up to `until`; None means all. They still look
    pending. The caller holds the locks of all senders.
    """
    return [from_row(InterestClosed, row) for row in await tx.rows(VOID_RECEIVED, tx.now, until, receiver)]


async def expire(tx: Tx, senders: Sequence[UUID], lifetime: timedelta) -> list[InterestClosed]:
    """MA-11: expires the interests of these members that are due. A void one stays void and looks expired."""
    return [from_row(InterestClosed, row) for row in await tx.rows(EXPIRE, tx.now, senders, tx.now - lifetime)]
