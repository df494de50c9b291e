"""The token of a verification that goes on in another call: where it stands, sealed for who asked for what."""

from __future__ import annotations

import struct
from base64 import b64decode, urlsafe_b64encode
from datetime import UTC, datetime, timedelta
from hashlib import blake2b
from typing import Final, NamedTuple
from uuid import UUID

from unora_common.config import CONTEXTS
from unora_common.errors import InvalidArgument

from unora_safety.domain import Head
from unora_safety.store.audit import Step

EPOCH: Final = datetime(1970, 1, 1, tzinfo=UTC)
MICROSECOND: Final = timedelta(microseconds=1)
PLACE: Final = struct.Struct(">Bqqq32s")
SEAL: Final = 8


class Stage(NamedTuple):
    """Up to here the chain of a context was found whole."""

    source_context: str
    reached: Head
    step: Step | None
    """The row that was looked at last; None before the first."""


def token_of(stage: Stage, asked: str, moderator: UUID) -> str:
    """The token of the call that goes on from here."""
    number, at = stage.step or (0, EPOCH)
    place = (CONTEXTS.index(stage.source_context), stage.reached.length, number, (at - EPOCH) // MICROSECOND)
    packed = PLACE.pack(*place, stage.reached.hash)
    return urlsafe_b64encode(_seal(packed, asked, moderator) + packed).rstrip(b"=").decode()


def read_token(token: str, asked: str, moderator: UUID) -> Stage | None:
    """Where a call begins; None is the beginning. Raises InvalidArgument for a token that was not given here."""
    if not token:
        return None
    try:
        raw = b64decode(token.encode() + b"=" * (-len(token) % 4), altchars=b"-_", validate=True)
        context, length, number, at, digest = PLACE.unpack(raw[SEAL:])
        if raw[:SEAL] != _seal(raw[SEAL:], asked, moderator):
            raise ValueError("the seal is another's")
    except (ValueError, struct.error) as error:
        raise InvalidArgument({"page_token": "is not one that this verification gave"}) from error
    step = Step(number, EPOCH + at * MICROSECOND) if number else None
    return Stage(CONTEXTS[context], Head(length, digest if length else b""), step)


def _seal(packed: bytes, asked: str, moderator: UUID) -> bytes:
    key = moderator.bytes + asked.encode()
    return blake2b(packed, digest_size=SEAL, key=key, person=b"audit walk").digest()
