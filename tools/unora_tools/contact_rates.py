"""`python -m unora_tools.contact_rates`: how well the contact guard reads the measured lists, and its cost (PR-10).

It prints rates by language and kind, and never a text: who tunes the guard does not see the held-out part.
"""

import sys
import time
from collections import Counter
from collections.abc import Iterable
from typing import Literal, NamedTuple, get_args

from unora_text.contact import Author, find_contact

from tests.contact_corpus import Entry, Part, load

By = Literal["language", "kind"]


class Rate(NamedTuple):
    """How many texts of one group the guard judged wrongly."""

    wrong: int
    of: int

    @property
    def share(self) -> float:
        """The wrongly judged share, from 0 to 1."""
        return self.wrong / self.of

    @property
    def right(self) -> str:
        """The rightly judged share, for people."""
        return f"{100 * (1 - self.share):.1f} % of {self.of}"


def rates(entries: Iterable[Entry], by: By) -> dict[tuple[str, str], Rate]:
    """For each verdict and language (or kind), how many texts were judged wrongly."""
    all_of, wrong = Counter[tuple[str, str]](), Counter[tuple[str, str]]()
    for entry in entries:
        group = (entry.verdict, entry.language if by == "language" else entry.kind)
        all_of[group] += 1
        wrong[group] += is_refused(entry) != (entry.verdict == "evasion")
    return {group: Rate(wrong[group], count) for group, count in sorted(all_of.items())}


def is_refused(entry: Entry) -> bool:
    """Whether the guard finds anything in a text of this author."""
    return bool(find_contact(entry.text, Author(entry.name, entry.born)))


def costs(entries: Iterable[Entry]) -> list[float]:
    """The CPU milliseconds of each text, the smallest first."""
    return sorted(map(_cost, entries))


def _cost(entry: Entry) -> float:
    began = time.process_time()
    is_refused(entry)
    return 1000 * (time.process_time() - began)


def describe(part: Part) -> str:
    """The rates of a part, as tables."""
    entries = load(part)
    lines = [f"{part}: {len(entries)} texts", ""]
    for by in get_args(By):
        lines += [f"| {by} | evasions refused | harmless passed |", "|---|---|---|"]
        found = rates(entries, by)
        for group in dict.fromkeys(name for _, name in found):
            cells = (found.get((verdict, group)) for verdict in ("evasion", "harmless"))
            lines.append(f"| {group} | " + " | ".join(cell.right if cell else "" for cell in cells) + " |")
        lines.append("")
    spent = costs(entries)
    lines.append(f"CPU per text: median {spent[len(spent) // 2]:.2f} ms, p99 {spent[int(len(spent) * 0.99)]:.2f} ms")
    return "\n".join(lines)


def main() -> None:
    """Print the rates of both parts, or of those that are named."""
    named = [part for part in get_args(Part) if part in sys.argv[1:]]
    for part in named or get_args(Part):
        print(describe(part), end="\n\n")


if __name__ == "__main__":
    main()
