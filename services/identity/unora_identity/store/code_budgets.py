"""ID-11: the codes that devices which no account knows were sent, by what they spent.

A code is a row of its own, and goes with its challenge when it could not be sent. Triggers count the rows by country
and minute (code_totals), so that the wide budgets cost the same however many codes they allow. Calls at the same moment
do not see each other: a budget may be exceeded by as many codes as there are connections for the gateway's calls.
"""

from __future__ import annotations

from datetime import datetime
from uuid import UUID

from unora_common.database import Tx
from unora_common.rows import from_row

from unora_identity.domain.code_budgets import Asker, Codes

OF_ALL = 0
"""The calling code under which the codes to all countries are counted."""

# The rows of the minute in which the window begins are counted only if they decide: if with all of them the budget is
# spent, and with none of them it is not. Otherwise a count below the budget may include rows that are a little older
# than the window.
_TOTAL = """
    SELECT CASE
        WHEN later >= {allowed} THEN later
        WHEN later + first < {allowed} THEN later + first
        ELSE later + (
            SELECT count(*) FROM identity.code_spending
            WHERE {spent} AND issued_at > $4 AND issued_at < date_trunc('minute', $4) + interval '1 minute') END
    FROM (
        SELECT coalesce(sum(codes) FILTER (WHERE minute > date_trunc('minute', $4)), 0) AS later,
            coalesce(sum(codes) FILTER (WHERE minute = date_trunc('minute', $4)), 0) AS first
        FROM identity.code_totals
        WHERE calling_code = {calling_code} AND minute >= date_trunc('minute', $4)) AS totals"""
# The counts by row stop at what is allowed, so that they cost no more when more is asked for.
COUNT = f"""
    SELECT
        (SELECT count(*) FROM (SELECT FROM identity.code_spending
            WHERE device_digest = $1 AND issued_at > $4 LIMIT $5) AS d) AS of_device,
        (SELECT count(*) FROM (SELECT FROM identity.code_spending
            WHERE address_digest = $2 AND issued_at > $4 LIMIT $6) AS a) AS of_address,
        ({_TOTAL.format(allowed="$7", spent="calling_code = $3", calling_code="$3")}) AS of_country,
        ({_TOTAL.format(allowed="$8", spent="true", calling_code=OF_ALL)}) AS in_all"""
SPEND = """
    INSERT INTO identity.code_spending (challenge_id, issued_at, device_digest, address_digest, calling_code)
    VALUES ($1, $2, $3, $4, $5)"""
PURGE = """
    DELETE FROM identity.code_totals WHERE ctid = ANY (ARRAY(
        SELECT ctid FROM identity.code_totals WHERE minute < $1
        ORDER BY minute LIMIT $2 FOR UPDATE SKIP LOCKED))"""


async def count(tx: Tx, asker: Asker, since: datetime, allowed: Codes) -> Codes:
    """How many codes were sent since a moment of the rule clock, to count against what is allowed."""
    row = await tx.row(
        COUNT,
        asker.device,
        asker.address,
        asker.calling_code,
        since,
        allowed.of_device,
        allowed.of_address,
        allowed.of_country,
        allowed.in_all,
    )
    assert row is not None
    return from_row(Codes, row)


def spend(tx: Tx, challenge: UUID, asker: Asker) -> None:
    """Counts a code at the commit. It is not counted any more when its challenge is deleted."""
    tx.defer(SPEND, challenge, tx.now, asker.device, asker.address, asker.calling_code)


async def purge(tx: Tx, before: datetime, limit: int) -> int:
    """Deletes totals of minutes that no budget counts any more, by the machine's clock."""
    return await tx.run(PURGE, before, limit)
