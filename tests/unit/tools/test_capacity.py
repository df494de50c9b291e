"""The capacity plan follows the figures, and docs/scale.md shows the plan of today."""

from __future__ import annotations

import json
from pathlib import Path

from unora_simulate.assumptions import ASSUMPTIONS
from unora_tools.capacity import SIZES, Prices, Storage, calls, measured_costs, plan, tables

DOCUMENT = Path(__file__).resolve().parents[3] / "docs" / "scale.md"


def test_ten_times_the_members_need_ten_times_the_disk_and_never_fewer_replicas() -> None:
    small, large = (plan(members, calls(ASSUMPTIONS, {}), Storage(), Prices()) for members in SIZES[1:])
    assert round(large.disk / small.disk, 6) == 10
    assert all(large.replicas[context] >= small.replicas[context] >= 2 for context in small.replicas)
    assert sum(large.money.values()) > sum(small.money.values())


def test_a_measured_cost_replaces_the_assumed_one(tmp_path: Path) -> None:
    file = tmp_path / "bench-baseline.json"
    figures = [{"name": "CheckIn CPU", "value": 50.0, "unit": "ms"}, {"name": "CheckIn", "value": 600, "unit": "1/s"}]
    file.write_text(json.dumps({"figures": figures}))
    costs = measured_costs(file)
    assert costs == {"CheckIn CPU": 50.0}
    dear, usual = (plan(SIZES[2], calls(ASSUMPTIONS, found), Storage(), Prices()) for found in (costs, {}))
    assert dear.replicas["streak"] > usual.replicas["streak"]
    assert measured_costs(tmp_path / "absent.json") == {}


def test_the_document_shows_the_plan_of_today() -> None:
    day = calls(ASSUMPTIONS, measured_costs())
    shown = tables([plan(members, day, Storage(), Prices()) for members in SIZES])
    assert shown in DOCUMENT.read_text(), "put the output of `python -m unora_tools.capacity` into docs/scale.md"
