"""ID-11: the codes that devices which no account knows were sent, by what they spent.

A code is a row of its own, and a budget is the number of its rows in the window. So nothing has to be given back when a
code could not be sent, and no row or lock is shared by two sign-ups. Calls at the same moment do not see each other:
a budget may be exceeded by as many codes as there are connections for the gateway's calls.
"""

from __future__ import annotations

from datetime import datetime
from uuid import UUID

from unora_common.database import Tx
from unora_common.rows import from_row

from unora_identity.domain.code_budgets import Asker, Codes

# Each count stops at what is allowed, so that it costs no more when more is asked for.
COUNT = """
    SELECT
        (SELECT count(*) FROM (SELECT FROM identity.code_spending
            WHERE device_digest = $1 AND issued_at > $4 LIMIT $5) AS d) AS of_device,
        (SELECT count(*) FROM (SELECT FROM identity.code_spending
            WHERE address_digest = $2 AND issued_at > $4 LIMIT $6) AS a) AS of_address,
        (SELECT count(*) FROM (SELECT FROM identity.code_spending
            WHERE calling_code = $3 AND issued_at > $4 LIMIT $7) AS c) AS of_country,
        (SELECT count(*) FROM (SELECT FROM identity.code_spending
            WHERE issued_at > $4 LIMIT $8) AS i) AS in_all"""
SPEND = """
    INSERT INTO identity.code_spending (challenge_id, issued_at, device_digest, address_digest, calling_code)
    VALUES ($1, $2, $3, $4, $5)"""


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
