"""Interests. What closes many of them at once is in `interest_closings.py`."""

from __future__ import annotations

from datetime import datetime, timedelta
from typing import NamedTuple
from uuid import UUID

from unora_common.database import Session, Tx
from unora_common.pages import Place
from unora_common.rows import Columns, from_row

from unora_matching.domain.errors import InterestNotFound
from unora_matching.domain.interests import Interest, InterestStatus, PairRelation, ResolvedCard

COLUMNS = Columns(
    "id",
    "sender_id",
    "receiver_id",
    "server_type",
    "card_id",
    "interest_status",
    "shown_as",
    "sent_at",
    "version",
)
INSERTED = COLUMNS + Columns("closed_at")
READ = COLUMNS + Columns("connection_id")

PAIR_RELATION = """
    SELECT
        EXISTS (
            SELECT FROM matching.connections
            WHERE user_a_id = least($1::uuid, $2::uuid) AND user_b_id = greatest($1, $2)) AS ever_connected,
        EXISTS (
            SELECT FROM matching.blocked_pairs
            WHERE (blocker_id, blocked_id) IN (($1, $2), ($2, $1)) AND blocked) AS blocked,
        (SELECT id FROM matching.interests
         WHERE sender_id = $2 AND receiver_id = $1 AND server_type = $3 AND sent_at > $4
            AND interest_status = 'pending' AND shown_as = 'pending' AND deleted_at IS NULL) AS returned_interest_id"""
# An interest that was sent at $4 or earlier is due to expire, even if the job has not closed it yet (MA-11).

INSERT = f"INSERT INTO matching.interests ({INSERTED.names()}) VALUES ({INSERTED.parameters()})"

GET = f"SELECT {READ.names()} FROM matching.interests WHERE id = $1 AND sender_id = $2 AND deleted_at IS NULL"

SAVE_WITHDRAWN = """
    UPDATE matching.interests
    SET interest_status = $2, shown_as = $3, closed_at = coalesce(closed_at, $4), version = $5 WHERE id = $1"""

LIST_SENDERS = """
    SELECT DISTINCT sender_id FROM matching.interests
    WHERE receiver_id = $1 AND interest_status = 'pending' AND deleted_at IS NULL
        AND sent_at <= coalesce($2, 'infinity'::timestamptz)"""

# A pair is mutual since the later of its two interests was sent.
LIST_MUTUAL = """
    SELECT i.receiver_id, i.server_type, i.id AS own_id FROM matching.interests i
    JOIN matching.interests r
        ON r.sender_id = i.receiver_id AND r.receiver_id = i.sender_id AND r.server_type = i.server_type
        AND r.interest_status = 'pending' AND r.shown_as = 'pending' AND r.deleted_at IS NULL
    WHERE i.sender_id = $1 AND i.interest_status = 'pending' AND i.shown_as = 'pending' AND i.deleted_at IS NULL
        AND i.sent_at > (SELECT clock.now()) - $2::interval AND r.sent_at > (SELECT clock.now()) - $2::interval
    ORDER BY greatest((i.sent_at, i.id), (r.sent_at, r.id))"""

PURGE = """
    DELETE FROM matching.interests WHERE ctid = ANY (ARRAY(
        SELECT ctid FROM matching.interests
        WHERE shown_as NOT IN ('pending', 'matched')
            AND closed_at < (SELECT clock_timestamp() - make_interval(days => $1))
        ORDER BY closed_at LIMIT $2 FOR UPDATE SKIP LOCKED))"""

LIST_BY_SENDER = f"""
    SELECT {READ.names()} FROM matching.interests
    WHERE sender_id = $1 AND deleted_at IS NULL
        AND (sent_at, id) < (coalesce($2, 'infinity'::timestamptz), coalesce($3::uuid, $1))
    ORDER BY sent_at DESC, id DESC LIMIT $4"""


class Mutual(NamedTuple):
    """An interest of a member that was returned, while one of the two was away."""

    receiver_id: UUID
    server_type: str
    own_id: UUID


async def get_pair_relation(tx: Tx, sender: UUID, card: ResolvedCard, lifetime: timedelta) -> PairRelation:
    """The relation of the two: one statement, whatever it finds (MA-10). It runs under the locks of both, and as a
    statement of its own: the locking statement sees the data as they were before it waited.
    """
    return await get_relation(tx, sender, card.receiver_id, card.server_type, lifetime)


async def get_relation(tx: Tx, sender: UUID, receiver: UUID, server_type: str, lifetime: timedelta) -> PairRelation:
    """The same without a card."""
    row = await tx.row(PAIR_RELATION, sender, receiver, server_type, tx.now - lifetime)
    assert row is not None
    return from_row(PairRelation, row)


def insert(tx: Tx, interest: Interest) -> None:
    """Stores a new interest at the commit, where the constraint refuses a second one that looks pending."""
    tx.defer(INSERT, *_inserted(interest))


async def insert_now(tx: Tx, interest: Interest) -> None:
    """Stores a new interest at once, because a later statement of the same transaction changes it."""
    await tx.run(INSERT, *_inserted(interest))


async def get(tx: Tx, interest_id: UUID, sender: UUID) -> Interest:
    """A member's own interest, under the member's lock. Raises InterestNotFound, also for another member's (XX-04)."""
    row = await tx.row(GET, interest_id, sender)
    if row is None:
        raise InterestNotFound
    return from_row(Interest, row)


def save_withdrawn(tx: Tx, interest: Interest) -> None:
    """Stores that an interest was withdrawn (MA-11)."""
    tx.defer(SAVE_WITHDRAWN, interest.id, interest.interest_status, interest.shown_as, tx.now, interest.version)


async def list_senders(tx: Tx, receiver: UUID, until: datetime | None) -> list[UUID]:
    """Who has a pending interest in a member that was sent up to `until`; None means all. Never for an answer
    (MA-10).
    """
    return [row["sender_id"] for row in await tx.rows(LIST_SENDERS, receiver, until)]


async def list_mutual(tx: Tx, member: UUID, lifetime: timedelta) -> list[Mutual]:
    """ID-16: the pending interests of a member that are returned by a pending one, in the order in which they became
    mutual.
    """
    return [Mutual(*row) for row in await tx.rows(LIST_MUTUAL, member, lifetime)]


async def purge(tx: Tx, days: int, limit: int) -> int:
    """Deletes interests that did not become a connection and were closed so long ago, by the machine's clock. A void
    one is kept as long as it looks pending (MA-11).
    """
    return await tx.run(PURGE, days, limit)


async def list_by_sender(session: Session, member: UUID, after: Place | None, limit: int) -> list[Interest]:
    """A page of the interests that a member sent, newest first; equal times are ordered by id."""
    after_time, after_id = after or (None, None)
    return [from_row(Interest, row) for row in await session.rows(LIST_BY_SENDER, member, after_time, after_id, limit)]


def _inserted(interest: Interest) -> list[object]:
    """The values of INSERTED. Only a void interest is closed when it is stored."""
    closed_at = None if interest.interest_status is InterestStatus.PENDING else interest.sent_at
    return INSERTED.values_of(interest, closed_at=closed_at)
