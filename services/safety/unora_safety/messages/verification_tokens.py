"""Page tokens of VerifyAuditChain: the progress of a verification, sealed for one moderator and one request."""

from __future__ import annotations

import struct
from base64 import b64decode, urlsafe_b64encode
from datetime import UTC, datetime, timedelta
from hashlib import blake2b
from typing import Final
from uuid import UUID

from unora_common.config import CONTEXTS
from unora_common.errors import InvalidArgument

from unora_safety.domain.chain import EntryPosition, Head
from unora_safety.domain.chain_verifier import VerificationProgress

EPOCH: Final = datetime(1970, 1, 1, tzinfo=UTC)
MICROSECOND: Final = timedelta(microseconds=1)
PROGRESS: Final = struct.Struct(">Bqqq32s")
SEAL_SIZE: Final = 8


def to_token(progress: VerificationProgress | None, source_context: str, moderator: UUID) -> str:
    """The token for the next call with the same `source_context`; empty if everything is verified."""
    if progress is None:
        return ""
    number, recorded_at = progress.last or (0, EPOCH)
    context = CONTEXTS.index(progress.source_context)
    microseconds = (recorded_at - EPOCH) // MICROSECOND
    packed = PROGRESS.pack(context, progress.verified.length, number, microseconds, progress.verified.hash)
    return urlsafe_b64encode(_seal(packed, source_context, moderator) + packed).rstrip(b"=").decode()


def from_token(token: str, source_context: str, moderator: UUID) -> VerificationProgress | None:
    """Where a call begins; None is the beginning. Raises InvalidArgument for a token of another call or moderator."""
    if not token:
        return None
    try:
        raw = b64decode(token.encode() + b"=" * (-len(token) % 4), altchars=b"-_", validate=True)
        seal, packed = raw[:SEAL_SIZE], raw[SEAL_SIZE:]
        context, length, number, microseconds, digest = PROGRESS.unpack(packed)
        if seal != _seal(packed, source_context, moderator):
            raise ValueError("the seal is another's")
    except (ValueError, struct.error) as error:
        raise InvalidArgument({"page_token": "is not a token of this verification"}) from error
    last = EntryPosition(number, EPOCH + microseconds * MICROSECOND) if number else None
    return VerificationProgress(CONTEXTS[context], Head(length, digest if length else b""), last)


def _seal(packed: bytes, source_context: str, moderator: UUID) -> bytes:
    key = moderator.bytes + source_context.encode()
    return blake2b(packed, digest_size=SEAL_SIZE, key=key, person=b"audit walk").digest()
