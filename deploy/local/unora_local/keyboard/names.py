"""Finds what a person means by a name: in full or the end of it, in any case, and what is near if it is unknown."""

from __future__ import annotations

from collections.abc import Mapping
from difflib import get_close_matches
from typing import Final, TypeVar

from unora_local.mistakes import Mistake

T = TypeVar("T")
SHOWN: Final = 6
"""Names in a suggestion."""
ALIKE: Final = 0.6
"""From 0 to 1."""


def find(kind: str, asked: str, known: Mapping[str, T]) -> dict[str, T]:
    """What `asked` can mean, by full name: `Service/Method` is the end of `unora.context.v1.Service/Method`, and so is
    `method`; `context.Method` leaves out what is between. Case, underscores and `/` or `.` do not matter.

    Raises Mistake with the names that are near, if there is none.
    """
    wanted = _plain(asked)
    found = {name: value for name, value in known.items() if f".{_plain(name)}".endswith(f".{wanted}")}
    found = found or {name: value for name, value in known.items() if _plain(outer(name)) == wanted}
    if found:
        return found
    near = _near(wanted, known)
    suggestion = f"; near it: {', '.join(near)}" if near else ""
    raise Mistake(f"no {kind} is called {asked}{suggestion}")


def short(name: str) -> str:
    """The last word: `CheckIn` of `unora.streak.v1.StreakService/CheckIn`."""
    return name.replace("/", ".").rpartition(".")[2]


def outer(name: str) -> str:
    """The context and the last word: `streak.CheckIn`."""
    words = name.strip("/").replace("/", ".").split(".")
    return f"{words[1]}.{words[-1]}" if len(words) > 1 else name


def shortest(known: Mapping[str, object]) -> list[str]:
    """The shortest name of each that is clear: the last word, or with the context if others have the same."""
    words = [short(name) for name in known]
    return sorted(short(name) if words.count(short(name)) == 1 else outer(name) for name in known)


def _plain(name: str) -> str:
    return name.strip("/.").replace("/", ".").replace("_", "").casefold()


def _near(wanted: str, known: Mapping[str, object]) -> list[str]:
    by_word = {_plain(name): name for name in shortest(known)}
    last = wanted.rpartition(".")[2]
    near = get_close_matches(last, by_word, SHOWN, ALIKE)
    within = [word for word in by_word if last and last in word and word not in near]
    return [by_word[word] for word in (*near, *within)][:SHOWN]
