"""Page tokens: a place in a list, opaque to clients, and valid only for the list and the member that it was made for.

A token grants no access: each list holds only what the member may see. Its seal makes sure that a token of another list
is refused, and not taken for a place in this one.
"""

from __future__ import annotations

import struct
from base64 import b64decode, urlsafe_b64encode
from collections.abc import Callable, Sequence
from datetime import UTC, datetime, timedelta
from hashlib import blake2b
from typing import NamedTuple, TypeVar
from uuid import UUID

from unora_common.errors import InvalidArgument

V = TypeVar("V")
EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
MICROSECOND = timedelta(microseconds=1)
PLACE = struct.Struct(">q16s")
SEAL_BYTES = 8
DEFAULT_SIZE = 50
BEFORE_FIRST = UUID(int=0)
"""Comes before every id."""


def id_after(token: str) -> UUID:
    """For lists of all members, which only contexts read: their token is the last id of the page before. The first page
    begins after BEFORE_FIRST. Raises InvalidArgument.
    """
    if not token:
        return BEFORE_FIRST
    try:
        return UUID(token)
    except ValueError:
        raise InvalidArgument({"page_token": "is not one that this list returned"}) from None


class Place(NamedTuple):
    """The last item of a page: its time, and its id, which orders items of the same time."""

    at: datetime
    id: UUID


class Listing(NamedTuple):
    """One list of one member."""

    name: str
    member: UUID

    def token(self, place: Place) -> str:
        """The token of the page after this place."""
        packed = PLACE.pack((place.at - EPOCH) // MICROSECOND, place.id.bytes)
        return urlsafe_b64encode(self._seal(packed) + packed).rstrip(b"=").decode()

    def place(self, token: str) -> Place | None:
        """The place before a page; None is the list's start. Raises InvalidArgument for a token of another list."""
        if not token:
            return None
        try:
            raw = b64decode(token.encode() + b"=" * (-len(token) % 4), altchars=b"-_", validate=True)
            seal, packed = raw[:SEAL_BYTES], raw[SEAL_BYTES:]
            microseconds, identifier = PLACE.unpack(packed)
            if seal != self._seal(packed):
                raise ValueError("the seal is another's")
            return Place(EPOCH + microseconds * MICROSECOND, UUID(bytes=identifier))
        except (ValueError, OverflowError, struct.error) as error:
            raise InvalidArgument({"page_token": "is not one that this list gave"}) from error

    def page(self, found: Sequence[V], size: int, place: Callable[[V], Place]) -> tuple[Sequence[V], str]:
        """Splits up to `size + 1` items into the page, and the token of the next page, which is empty at the end."""
        if len(found) <= size:
            return found, ""
        return found[:size], self.token(place(found[size - 1]))

    def _seal(self, packed: bytes) -> bytes:
        return blake2b(packed, digest_size=SEAL_BYTES, key=self.member.bytes, person=self.name.encode()).digest()
