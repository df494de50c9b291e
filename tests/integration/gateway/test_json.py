"""The script's reader of JSON, beside that of Python: both must agree on what is JSON."""

from __future__ import annotations

import json
import os
import random
from typing import Any, Final

import pytest
from unora_testing.gateway import Door

EXAMPLES: Final = 20 * int(os.environ.get("UNORA_EXAMPLES", "1"))
LETTERS: Final = 'aé\U0001f600 \t\n\r"\\\\/{}[]:,0123456789.eE+-ntuf\x00\x1f\x7f'
DEPTH: Final = 50


class NotOurs(Exception):
    """Python takes it, and the gateway refuses it on purpose."""


def once(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    if len(dict(pairs)) != len(pairs):
        raise NotOurs
    return dict(pairs)


def not_a_number(_: str) -> None:
    raise NotOurs


def is_object(text: str) -> bool:
    """Whether the gateway should read it: an object, each name once, no lone half of a letter, no NaN."""
    try:
        value = json.loads(text, object_pairs_hook=once, parse_constant=not_a_number)
        json.dumps(value, ensure_ascii=False).encode()
    except (ValueError, NotOurs):
        return False
    return isinstance(value, dict)


def anything(dice: random.Random, depth: int = 0) -> Any:
    kind = dice.randrange(8 if depth < 4 else 5)
    if kind == 0:
        return dice.choice([None, True, False])
    if kind == 1:
        return dice.choice([0, -1, 1.5, 1e-7, 12345678901234567890, -0.0, 1e300])
    if kind in (2, 3, 4):
        return "".join(dice.choice(LETTERS) for _ in range(dice.randrange(6)))
    if kind in (5, 6):
        return {str(anything(dice, 4)): anything(dice, depth + 1) for _ in range(dice.randrange(4))}
    return [anything(dice, depth + 1) for _ in range(dice.randrange(4))]


def spoiled(dice: random.Random, text: str) -> str:
    """With some letters changed, taken out or put in."""
    letters = list(text)
    for _ in range(dice.randrange(3)):
        at = dice.randrange(len(letters) + 1)
        letters[at : at + dice.randrange(3)] = dice.choice(LETTERS) * dice.randrange(2)
    return "".join(letters)


@pytest.mark.parametrize("seed", range(EXAMPLES))
async def test_the_gateway_reads_what_is_json_and_refuses_what_is_not(door: Door, seed: int) -> None:
    dice = random.Random(seed)
    async with door.web(**{"content-type": "application/json"}) as web:
        for _ in range(20):
            value = {str(anything(dice, 4)): anything(dice) for _ in range(dice.randrange(3))}
            text = spoiled(dice, json.dumps(value, ensure_ascii=dice.random() < 0.5, indent=dice.choice([None, 1])))
            if not text:
                continue
            answer = await web.post("/v1/account:pause", content=text.encode())
            assert answer.status_code in (200, 400), text
            refused = answer.status_code == 400 and answer.json()["reason"] == "JSON_INVALID"
            assert refused == (not is_object(text)), text


async def test_depth_has_a_limit_that_no_request_meets(door: Door) -> None:
    async with door.web(**{"content-type": "application/json"}) as web:
        for levels, reason in ((DEPTH, "FIELD_UNKNOWN"), (20_000, "JSON_INVALID")):
            text = '{"a":' + "[" * levels + "]" * levels + "}"
            answer = await web.post("/v1/account:pause", content=text)
            assert answer.json()["reason"] == reason
