"""The capacity plan follows the figures, and docs/scale.md shows the plan of today."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Final

import pytest
from unora_simulate.assumptions import ASSUMPTIONS
from unora_tools.capacity import SIZES, Prices, Storage, calls, measured_costs, plan, tables

DOCUMENT = Path(__file__).resolve().parents[3] / "docs" / "scale.md"


COSTS: Final = measured_costs()


def test_ten_times_the_members_need_ten_times_the_disk_and_never_fewer_replicas() -> None:
    small, large = (plan(members, calls(ASSUMPTIONS, COSTS), Storage(), Prices()) for members in SIZES[1:])
    assert round(large.disk / small.disk, 6) == 10
    assert all(large.replicas[context] >= small.replicas[context] >= 2 for context in small.replicas)
    assert sum(large.money.values()) > sum(small.money.values())


def test_costs_are_the_processor_times_of_the_bench(tmp_path: Path) -> None:
    file = tmp_path / "bench-baseline.json"
    figures = [
        {"name": "CheckIn processor time of streak", "value": 50_000.0, "unit": "µs"},
        {"name": "CheckIn", "value": 600, "unit": "/s"},
        {"name": "audit log", "value": 10_000, "unit": "events/s"},
    ]
    file.write_text(json.dumps({"figures": figures}))
    found = measured_costs(file)
    assert found == {("CheckIn", "streak"): 50, ("audit log", "safety"): 0.1, ("audit log", "postgres"): 0.1}
    dear, usual = (plan(SIZES[2], calls(ASSUMPTIONS, COSTS | more), Storage(), Prices()) for more in (found, {}))
    assert dear.replicas["streak"] > usual.replicas["streak"]
    assert measured_costs(tmp_path / "absent.json") == {}


def test_a_call_that_nobody_measured_or_assumed_is_not_taken_for_free() -> None:
    with pytest.raises(KeyError, match="GetAccount"):
        calls(ASSUMPTIONS, {key: value for key, value in COSTS.items() if key[0] != "GetAccount"})


def test_the_document_shows_the_plan_of_today() -> None:
    day = calls(ASSUMPTIONS, COSTS)
    shown = tables([plan(members, day, Storage(), Prices()) for members in SIZES])
    assert shown in DOCUMENT.read_text(), "put the output of `python -m unora_tools.capacity` into docs/scale.md"
