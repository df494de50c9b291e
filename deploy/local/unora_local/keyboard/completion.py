"""Completion by Tab: the shell asks `unora_local complete`, which answers with one word a line."""

from __future__ import annotations

import shlex
import sys
from collections.abc import Callable, Collection, Iterable, Mapping, Sequence
from pathlib import Path
from typing import Final

from unora_common.config import CONTEXTS

from unora_local.keyboard import contract, moments
from unora_local.keyboard.names import shortest
from unora_local.keyboard.people import People
from unora_local.nats_config import CONFIG, consumers

Words = Callable[[], Iterable[str]]


def sources(folder: Path) -> dict[str, Words]:
    """What there is to complete, each read only when it is asked for."""
    return {
        "METHOD": lambda: shortest(contract.methods()),
        "EVENT": lambda: shortest(contract.events()),
        "NAME": lambda: People(folder).all(),
        "CONTEXT": lambda: CONTEXTS,
        "MOMENT": lambda: moments.EXAMPLES,
        "SHELL": lambda: ("bash", "zsh"),
        "CONSUMER": lambda: consumers(folder / "nats" / CONFIG),
    }


PLACES: Final[dict[str, tuple[tuple[str, ...], str]]] = {
    "as": (("NAME",), ""),
    "call": (("METHOD",), ""),
    "clock": (("MOMENT",), ""),
    "completion": (("SHELL",), ""),
    "inbox": (("NAME",), ""),
    "make-admin": (("NAME",), ""),
    "revoke-admin": (("NAME",), ""),
    "republish": (("CONTEXT",), ""),
    "subscriber": (("",), "EVENT"),
    "tail": ((), "EVENT"),
}
"""Of each command what its words are, and what all further ones are."""
OPTIONS: Final = {"--as": "NAME", "--caller": "CONTEXT", "--consumer": "CONSUMER", "--type": "EVENT"}
"""What the word after an option is, where it can be completed."""


def complete(
    words: Sequence[str],
    commands: Mapping[str, Sequence[str]],
    with_value: Collection[str],
    known: Mapping[str, Words],
) -> list[str]:
    """What the last of `words`, which follow the program, can become. `commands` has the options of each command;
    those in `with_value` are followed by a word of their own.
    """
    *before, begun = words or [""]
    if before and before[-1] in with_value:
        return _matching(begun, known[OPTIONS[before[-1]]]()) if before[-1] in OPTIONS else []
    plain = _without_options(before, with_value)
    if not plain:
        return _matching(begun, commands)
    command, *given = plain
    if begun.startswith("-"):
        return _matching(begun, commands.get(command, ()))
    first, further = PLACES.get(command, ((), ""))
    kind = first[len(given)] if len(given) < len(first) else further
    return _matching(begun, known[kind]()) if kind else []


def _without_options(words: Sequence[str], with_value: Collection[str]) -> list[str]:
    pairs = zip(words, ["", *words], strict=False)
    return [word for word, before in pairs if not word.startswith("-") and before not in with_value]


def _matching(begun: str, words: Iterable[str]) -> list[str]:
    """The words that begin so; in any case if none does."""
    words = sorted(words)
    same = [word for word in words if word.startswith(begun)]
    return same or [word for word in words if word.casefold().startswith(begun.casefold())]


BASH: Final = """\
unora() { %(program)s "$@"; }
_unora() {
    local IFS=$'\\n'
    COMPREPLY=($(%(program)s complete -- "${COMP_WORDS[@]:1:COMP_CWORD}" 2>/dev/null))
}
complete -o default -F _unora unora
"""
ZSH: Final = """\
unora() { %(program)s "$@"; }
_unora() {
    local -a found
    found=("${(@f)$(%(program)s complete -- "${(@)words[2,CURRENT]}" 2>/dev/null)}")
    compadd -U -a found
}
(( $+functions[compdef] )) || { autoload -Uz compinit && compinit; }
compdef _unora unora
"""


def script(shell: str, folder: Path) -> str:
    """What a shell evaluates: the function `unora`, for the stack in this folder, and its completion."""
    program = shlex.join([sys.executable, "-m", "unora_local", "--run", str(folder)])
    return {"bash": BASH, "zsh": ZSH}[shell] % {"program": f"command {program}"}
