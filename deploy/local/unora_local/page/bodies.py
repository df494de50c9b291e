"""Reads the JSON of a request, and checks its fields."""

from __future__ import annotations

import json
from typing import Any, Final

from aiohttp import web
from unora_common.errors import InvalidArgument
from unora_gateway.refusals import JsonInvalid, MediaTypeUnsupported

LONGEST_TEXT: Final = 4096


async def read(request: web.Request, **kinds: type) -> dict[str, Any]:
    """The body's fields, all of `kinds` and no others. Raises MediaTypeUnsupported, JsonInvalid or InvalidArgument."""
    if request.content_type != "application/json":
        raise MediaTypeUnsupported
    try:
        given = json.loads(await request.read())
    except (ValueError, RecursionError):
        raise JsonInvalid from None
    if not isinstance(given, dict):
        raise JsonInvalid
    wrong = {name: f"must be {_named(kind)}" for name, kind in kinds.items() if not _fits(given.get(name), kind)}
    wrong |= {name[:100]: "is not known" for name in given if name not in kinds}
    if wrong:
        raise InvalidArgument(wrong)
    return given


def _fits(value: object, kind: type) -> bool:
    if kind is dict:
        return isinstance(value, dict) and all(_fits(each, str) for pair in value.items() for each in pair)
    return type(value) is kind and (kind is not str or 0 < len(str(value)) <= LONGEST_TEXT)


def _named(kind: type) -> str:
    return {str: f"a text of at most {LONGEST_TEXT} letters", int: "a whole number", dict: "an object of texts"}[kind]
