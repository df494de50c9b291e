"""The dashboards: their files are current, fit the documented format, and no panel lies on another."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest
from jsonschema_rs import Draft202012Validator
from unora_tools.observe.__main__ import FOLDER, text
from unora_tools.observe.boards import ALL
from unora_tools.observe.panels import COLUMNS, Dashboard

SCHEMA = json.loads(Path(__file__).with_name("dashboard.schema.json").read_text())
each_board = pytest.mark.parametrize("board", ALL, ids=lambda board: board.uid)


@each_board
def test_the_file_is_what_the_code_makes(board: Dashboard) -> None:
    assert (FOLDER / f"{board.uid}.json").read_text() == text(board), "run `make dashboards`"


@each_board
def test_the_file_fits_the_format_of_grafana(board: Dashboard) -> None:
    validator = Draft202012Validator(SCHEMA)
    assert [str(error) for error in validator.iter_errors(json.loads(text(board)))] == []


@pytest.mark.parametrize(
    "wrong",
    [
        {"title": 7},
        {"panels": [{"id": 1, "type": "picture", "title": "x", "gridPos": {"h": 1, "w": 1, "x": 0, "y": 0}}]},
        {"panels": [{"id": 1, "type": "stat", "title": "x", "gridPos": {"h": 1, "w": 25, "x": 0, "y": 0}}]},
        {"colour": "red"},
    ],
)
def test_the_format_refuses_what_is_no_dashboard(wrong: dict[str, Any]) -> None:
    assert not Draft202012Validator(SCHEMA).is_valid(ALL[0].json() | wrong)


@each_board
def test_panels_lie_beside_each_other(board: Dashboard) -> None:
    taken: set[tuple[int, int]] = set()
    panels = board.json()["panels"]
    assert len({panel["id"] for panel in panels}) == len(panels)
    for panel in panels:
        at = panel["gridPos"]
        assert at["x"] + at["w"] <= COLUMNS, panel["title"]
        cells = {(at["x"] + x, at["y"] + y) for x in range(at["w"]) for y in range(at["h"])}
        assert not cells & taken, panel["title"]
        taken |= cells


@each_board
def test_each_panel_says_what_it_shows(board: Dashboard) -> None:
    titles = [panel.title for panel in board.panels()]
    assert len(set(titles)) == len(titles)
    assert all(panel.meaning.endswith(".") for panel in board.panels())
