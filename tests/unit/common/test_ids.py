"""Ids: those that begin with their time, and those that tell nothing."""

from __future__ import annotations

import time
from uuid import RFC_4122

import pytest
from unora_common.ids import random_id, uuid7


def test_an_id_of_version_7_begins_with_its_milliseconds() -> None:
    before, made, after = time.time_ns() // 10**6, uuid7(), time.time_ns() // 10**6
    assert before <= made.int >> 80 <= after
    assert (made.version, made.variant) == (7, RFC_4122)


@pytest.mark.rule("XX-04")
def test_a_random_id_tells_nothing_of_its_time_or_order() -> None:
    made = [random_id() for _ in range(100)]
    assert {each.version for each in made} == {4}
    assert made != sorted(made)
    assert len({each.int >> 80 for each in made}) > 90
