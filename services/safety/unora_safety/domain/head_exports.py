"""Exports of the heads of the audit chains (SA-11), pure.

Whoever can rewrite the database can rewrite a chain from any row on and give it a new head. An export is a copy of the
heads outside the database, signed: a chain that does not lead through an exported head was rewritten or cut.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import UTC, date, datetime
from typing import Any, Final

from unora_safety.domain.chain import Chain, Head

FORMAT: Final = "unora audit heads 1"
"""Stands in each export, so that a document of another kind that the same key signed is no export."""


@dataclass(frozen=True, slots=True)
class HeadExport:
    """The heads of all chains that were not empty, of one moment (UTC)."""

    exported_at: datetime
    heads: Mapping[str, Head]
    """By source context."""

    @property
    def day(self) -> date:
        """The calendar day (UTC) to which the export belongs."""
        return self.exported_at.astimezone(UTC).date()


class ExportUnreadable(ValueError):
    """The document is no export of this format."""


def make_export(chains: Iterable[Chain], now: datetime) -> HeadExport:
    """The export of these chains at `now`."""
    return HeadExport(now, {chain.source_context: chain.head for chain in chains if chain.head.length})


def to_document(export: HeadExport) -> dict[str, object]:
    """The export as a JSON object: `format`, `exported_at` (RFC 3339, UTC) and `chains`, each with `source_context`,
    `length` and `head_hash` (hexadecimal SHA-256 of the last row).
    """
    return {
        "format": FORMAT,
        "exported_at": export.exported_at.astimezone(UTC).isoformat(),
        "chains": [
            {"source_context": context, "length": head.length, "head_hash": head.hash.hex()}
            for context, head in sorted(export.heads.items())
        ],
    }


def from_document(document: object) -> HeadExport:
    """The export that `to_document` wrote. Raises ExportUnreadable."""
    try:
        return _read(document)
    except (KeyError, TypeError, ValueError) as error:
        raise ExportUnreadable(f"it is no export of the format {FORMAT!r}") from error


def _read(document: object) -> HeadExport:
    if not isinstance(document, dict) or document["format"] != FORMAT:
        raise ValueError
    exported_at = datetime.fromisoformat(document["exported_at"])
    heads = {each["source_context"]: _head(each) for each in document["chains"]}
    if exported_at.tzinfo is None or not all(_is_head(head) for head in heads.values()):
        raise ValueError
    return HeadExport(exported_at, heads)


def _head(each: dict[str, Any]) -> Head:
    return Head(each["length"], bytes.fromhex(each["head_hash"]))


def _is_head(head: Head) -> bool:
    return type(head.length) is int and head.length > 0 and len(head.hash) == 32
