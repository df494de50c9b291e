"""What a person types, or another program writes for one of the tools: JSON, seconds, metadata."""

from __future__ import annotations

import json
import re
import sys
from argparse import ArgumentTypeError
from typing import Any, Final

from unora_local.mistakes import Mistake

MAX_SECONDS: Final = 3600.0
"""Seconds that a call may take at most."""
_KEY: Final = re.compile(r"[0-9a-z_.-]+")
_VALUE: Final = re.compile(r"[ -~]*")


def standard_input() -> str:
    """All of it. Raises Mistake if it is no text."""
    try:
        return sys.stdin.read()
    except UnicodeDecodeError:
        raise Mistake("what comes on standard input is no text in UTF-8") from None


def json_of(text: str) -> Any:
    """What a JSON text says. Raises Mistake if it is none, or is nested too deeply."""
    try:
        return json.loads(text)
    except ValueError as error:
        raise Mistake(f"that is no JSON: {text[:200]!r} ({error})") from None
    except RecursionError:
        raise Mistake("that JSON is nested too deeply to be read") from None


def seconds(text: str) -> float:
    """A time limit of a call, for argparse."""
    try:
        given = float(text)
    except ValueError:
        given = 0
    if not 0 < given <= MAX_SECONDS:
        raise ArgumentTypeError(f"{text} is no number of seconds above 0, at most {MAX_SECONDS:.0f}")
    return given


def metadata(text: str) -> tuple[str, str]:
    """A pair of gRPC metadata, written KEY=VALUE, for argparse. Those of bytes (`-bin`) cannot be written so."""
    key, equals, value = text.partition("=")
    if not equals or not _KEY.fullmatch(key) or key.endswith("-bin") or not is_plain(value):
        raise ArgumentTypeError(f"{text} is no KEY=VALUE: small letters, digits and _ . - before the =, ASCII after it")
    return key, value


def is_plain(value: str) -> bool:
    """Whether gRPC sends this text as a value of metadata: printable ASCII."""
    return _VALUE.fullmatch(value) is not None
