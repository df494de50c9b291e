"""What a context gives for a member's export, page by page (ID-10).

A context lists its sections (`store/own_data.py`). The SQL of each selects rows of one member, `$1`, by an index. Its
first two columns are the row's place in the section, `place_at` (a time) and `place_key` (a text, unique at that time);
the others are the fields of the export, whose names and meanings docs/export.md promises.
"""

from __future__ import annotations

from base64 import urlsafe_b64decode, urlsafe_b64encode
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any, Final, NamedTuple
from uuid import UUID

import msgspec
from unora.common.v1.export_pb2 import ExportedRows

from unora_common.database import Session
from unora_common.errors import InvalidArgument

Fields = dict[str, Any]

PAGE: Final = """
    SELECT own.* FROM ({sql}) own WHERE (own.place_at, own.place_key) > ($2, $3)
    ORDER BY own.place_at, own.place_key LIMIT $4"""
PAGE_ROWS: Final = 500
"""The most rows of a page."""
PAGE_BYTES: Final = 2**20
"""A page ends with the row that reaches this, so that an answer stays below gRPC's 4 MiB: the longest text that a
member can write is 128 kB.
"""
BEFORE_FIRST: Final = datetime(1, 1, 1, tzinfo=UTC)


@dataclass(frozen=True, slots=True)
class Section:
    """One section of a context's part of the export."""

    name: str
    sql: str
    finish: Callable[[Fields], Fields] = lambda fields: fields
    """What SQL cannot do with the fields of a row, such as opening what is sealed."""


class Place(NamedTuple):
    """The last row of a page."""

    section: int
    at: datetime
    key: str


class Page(NamedTuple):
    """A page, and the token of the next one, which is empty at the end."""

    sections: list[ExportedRows]
    next_token: str


async def export_page(session: Session, sections: Sequence[Section], user: UUID, token: str) -> Page:
    """The page of a member's rows that the token names; empty for an unknown member. Raises InvalidArgument."""
    first, at, key = _place(token, len(sections))
    found: list[ExportedRows] = []
    rows_left, bytes_left = PAGE_ROWS, PAGE_BYTES
    for number in range(first, len(sections)):
        section, encoded = sections[number], []
        rows = await session.rows(PAGE.format(sql=section.sql), user, at, key, rows_left)
        for row in rows:
            at, key, *values = row.values()
            fields = section.finish(dict(zip(list(row.keys())[2:], values, strict=True)))
            encoded.append(msgspec.json.encode(fields).decode())
            bytes_left -= len(encoded[-1].encode())
            if bytes_left <= 0:
                break
        rows_left -= len(encoded)
        if encoded:
            found.append(ExportedRows(section=section.name, rows=encoded))
        if bytes_left <= 0 or rows_left == 0:
            return Page(found, _token(Place(number, at, key)))
        at, key = BEFORE_FIRST, ""
    return Page(found, "")


def _token(place: Place) -> str:
    return urlsafe_b64encode(msgspec.json.encode(place)).decode()


def _place(token: str, sections: int) -> Place:
    if not token:
        return Place(0, BEFORE_FIRST, "")
    try:
        place = msgspec.json.decode(urlsafe_b64decode(token.encode()), type=Place)
    except ValueError:  # of base64, of UTF-8, of msgspec
        place = None
    if place is None or place.at.tzinfo is None or not 0 <= place.section < sections or "\0" in place.key:
        raise InvalidArgument({"page_token": "is not one that this list returned"})
    return place
