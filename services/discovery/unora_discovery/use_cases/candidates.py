"""DI-17: a search. The planes propose some finalists, Postgres decides on them."""

from __future__ import annotations

from typing import Final
from uuid import UUID

import numpy as np
from unora_common.database import Session

from unora_discovery.domain.cards import BATCH_SIZE, DRAWN_AT_MOST
from unora_discovery.domain.planes import Hunt, Planes, Seeker
from unora_discovery.domain.search import SearchCriteria, SearchResult
from unora_discovery.domain.servers import ServerType
from unora_discovery.store.search import MAX_WAITING, Finalists, decide, list_apart, list_waiting

EXTRA_FINALISTS: Final = 7
"""How many more finalists than are needed are decided on at first."""
WIDENING_FACTOR: Final = 16
"""How many times more finalists are decided on each time that too few may be shown."""
MAX_LEFT_OUT: Final = 20_000
"""The most members of a viewer's history that are read to leave them out at once."""
NONE: Final = np.zeros(0, np.int64)


async def find_candidates(
    session: Session, planes: Planes, viewer: UUID, seeker: Seeker, server: ServerType, criteria: SearchCriteria
) -> SearchResult:
    """DI-02 to DI-13: the best, some of anyone and some of those who wait, all of whom may be shown to the viewer.

    The planes are some milliseconds of arithmetic even for a million members, so it is done in the event loop. If most
    of those that they propose may not be shown, the viewer's own history is the reason: it is read once and left out.
    After that 16 times as many are asked about, until nobody is left to ask about.
    """
    found = planes.eligible(seeker, server)
    planes.leave_out_reduced(found, criteria.visibility_seed, criteria.visibility_below)
    hunt = Hunt(found, planes.shared(criteria.hobbies, found), np.random.default_rng(criteria.tie_seed & (1 << 64) - 1))
    asked, left_out = criteria.ranked_limit + EXTRA_FINALISTS, False
    while True:
        finalists = Finalists(hunt.best(asked), hunt.anyone(asked), NONE, hunt.random.random(MAX_WAITING).tolist())
        result, many_wait = await decide(session, viewer, server, criteria, finalists)
        enough = len(result.ranked) >= criteria.ranked_limit and len(result.anyone) >= BATCH_SIZE
        if enough or hunt.is_over(asked):
            break
        if not left_out:
            hunt.leave_out(await list_apart(session, viewer, criteria, MAX_LEFT_OUT))
            left_out = True
        else:
            asked *= WIDENING_FACTOR
    if many_wait and len(result.waiting) < DRAWN_AT_MOST:
        waiting = hunt.among(await list_waiting(session, viewer, server, criteria), MAX_WAITING)
        only = Finalists(finalists.ranked, finalists.anyone, waiting, ())
        result, _ = await decide(session, viewer, server, criteria, only)
    return result
