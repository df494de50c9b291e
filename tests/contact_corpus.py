"""The texts that measure the contact guard: tests/data/contact_guard/README.md says what they are, how split."""

import csv
import hashlib
import re
import unicodedata
from dataclasses import dataclass
from datetime import date
from pathlib import Path
from typing import Literal

Part = Literal["tuning", "held_out"]

FOLDER = Path(__file__).parent / "data" / "contact_guard"
COLUMNS = ("verdict", "language", "kind", "name", "born", "text")
ESCAPE = re.compile(r"\\(?:\\|u([0-9A-F]{4})|U([0-9A-F]{8}))")


@dataclass(frozen=True)
class Entry:
    """One text. `name` and `born` are its author's, where the verdict depends on them."""

    verdict: str
    language: str
    kind: str
    name: str
    born: date | None
    text: str


def load(part: Part) -> list[Entry]:
    with (FOLDER / f"{part}.tsv").open(encoding="utf-8", newline="") as lines:
        rows = csv.DictReader(lines, delimiter="\t", quoting=csv.QUOTE_NONE, strict=True)
        if tuple(rows.fieldnames or ()) != COLUMNS:
            raise ValueError(f"{part}.tsv has the columns {rows.fieldnames}, not {COLUMNS}")
        return [_entry(row) for row in rows]


def part_of(text: str) -> Part:
    """The part that a text belongs to: its hash decides, nobody chooses."""
    digest = hashlib.sha256(unicodedata.normalize("NFC", text).encode()).digest()
    return "held_out" if digest[0] % 3 == 0 else "tuning"


def decode(text: str) -> str:
    r"""The text that a cell stands for: \uXXXX and \UXXXXXXXX are characters, \\ is one backslash."""
    return ESCAPE.sub(lambda found: chr(int(found[1] or found[2], 16)) if found[1] or found[2] else "\\", text)


def _entry(row: dict[str, str]) -> Entry:
    born = date.fromisoformat(row["born"]) if row["born"] else None
    return Entry(row["verdict"], row["language"], row["kind"], row["name"], born, decode(row["text"]))
