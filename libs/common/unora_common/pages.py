"""Page tokens: a place in a list, opaque to clients, and good only in the list and for the member it was given to.

A token grants nothing: each list holds only what is the member's anyhow. Its seal is there so that one from elsewhere
is refused, rather than taken for a place in another list.
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
SEAL = 8
DEFAULT_SIZE = 50


class Place(NamedTuple):
    """The last item of a page: its time, and its id, which decides between items of one instant."""

    at: datetime
    id: UUID


class Listing(NamedTuple):
    """Which list, and whose."""

    name: str
    member: UUID

    def token(self, place: Place) -> str:
        """The token of the page after this place."""
        packed = PLACE.pack((place.at - EPOCH) // MICROSECOND, place.id.bytes)
        return urlsafe_b64encode(self._seal(packed) + packed).rstrip(b"=").decode()

    def place(self, token: str) -> Place | None:
        """Where a page begins; None is the beginning. Raises InvalidArgument for a token that was not given here."""
        if not token:
            return None
        try:
            raw = b64decode(token.encode() + b"=" * (-len(token) % 4), altchars=b"-_", validate=True)
            seal, packed = raw[:SEAL], raw[SEAL:]
            microseconds, identifier = PLACE.unpack(packed)
            if seal != self._seal(packed):
                raise ValueError("the seal is another's")
            return Place(EPOCH + microseconds * MICROSECOND, UUID(bytes=identifier))
        except (ValueError, OverflowError, struct.error) as error:
            raise InvalidArgument({"page_token": "is not one that this list gave"}) from error

    def page(self, found: Sequence[V], size: int, place: Callable[[V], Place]) -> tuple[Sequence[V], str]:
        """Of `size + 1` items asked for: the page, and the token of the next one, empty at the end."""
        if len(found) <= size:
            return found, ""
        return found[:size], self.token(place(found[size - 1]))

    def _seal(self, packed: bytes) -> bytes:
        return blake2b(packed, digest_size=SEAL, key=self.member.bytes, person=self.name.encode()).digest()
