"""Verification of the chains of the audit log (SA-01)."""

from __future__ import annotations

from collections.abc import Mapping

from unora_common.config import CONTEXTS
from unora_common.database import Session

from unora_safety.domain.chain import START, Chain
from unora_safety.domain.chain_verifier import (
    NO_CHECKPOINTS,
    ChainVerifier,
    Verification,
    VerificationProgress,
    VerifiedChain,
)
from unora_safety.store import audit


async def verify_chains(
    db: Session,
    source_context: str,
    start: VerificationProgress | None,
    limit: int | None,
    batch: int,
    checkpoints: Mapping[str, Mapping[int, bytes]] | None = None,
) -> Verification:
    """Verifies the chain of one context, or with "" all chains that are not empty, from `start` on.

    It checks at most `limit` rows, None for all, and holds at most `batch` rows in memory. `checkpoints` are exported
    heads by context (SA-11): hashes by row number.
    """
    verified = list[VerifiedChain]()
    for chain in await audit.list_chains(db, [source_context] if source_context else CONTEXTS):
        is_empty = not (chain.head.length or chain.last_number)
        expected = (checkpoints or {}).get(chain.source_context, NO_CHECKPOINTS)
        if is_empty and not source_context and not expected:
            continue
        begin = VerificationProgress(chain.source_context, START, None)
        if start is not None and chain.source_context <= start.source_context:
            if chain.source_context < start.source_context:
                continue
            begin = start
        if limit == 0:
            return Verification(verified, begin)
        found, progress, count = await _verify_chain(db, chain, begin, limit, batch, expected)
        verified.append(found)
        if progress is not None:
            return Verification(verified, progress)
        limit = None if limit is None else limit - count
    return Verification(verified, None)


async def _verify_chain(
    db: Session,
    chain: Chain,
    begin: VerificationProgress,
    limit: int | None,
    batch: int,
    checkpoints: Mapping[int, bytes],
) -> tuple[VerifiedChain, VerificationProgress | None, int]:
    """Verifies the rows that existed when the heads were read; rows appended since then are not checked.

    Returns what it found, where the next call continues if the limit was reached, and how many rows it checked.
    """
    verifier, last, count = ChainVerifier(begin.verified, checkpoints), begin.last, 0
    is_end = False
    while not (is_end or verifier.broken_at or (limit is not None and count >= limit)):
        size = batch if limit is None else min(batch, limit - count)
        entries = await audit.list_entries(db, chain.source_context, chain.last_number, last, size)
        verifier.check(entries)
        count += len(entries)
        is_end = len(entries) < size
        if entries:
            last = entries[-1].position
    is_whole = verifier.verified == chain.head and chain.last_number == chain.head.length
    is_done = is_end or verifier.broken_at or is_whole
    broken_at = verifier.finish(chain.head) if is_done else 0
    found = VerifiedChain(chain, verifier.verified.length, broken_at, verifier.differs_at)
    progress = None if is_done else VerificationProgress(chain.source_context, verifier.verified, last)
    return found, progress, count
