"""The attacks' table, their names, and the pictures that they use."""

from __future__ import annotations

import ast
import inspect

import pytest
from unora_attack.attacks import ATTACKS
from unora_attack.figures import Kind
from unora_attack.gallery import CONTENT_TYPES, HEIC, content_type
from unora_attack.orders import Tally
from unora_attack.outages import only_unavailable
from unora_attack.picture_attacks import ACCEPTED, REFUSED
from unora_attack.report import HEAD, outcomes, percent, report
from unora_attack.row import Played, Row, Seen
from unora_testing.photos import hostile

SHARES: dict[Kind, float | None] = {Kind.MEMBER: 0.995, Kind.CONTEXT: 1.0, Kind.UPLOAD: None}


def row(*faults: str, until_normal: float | None = 0.5) -> Row:
    played = Played(Tally({"OK": 1, "RESOURCE_EXHAUSTED TOO_MANY_CALLS": 3}, refused_p50_ms=12.4), "and more")
    return Row(ATTACKS[1], played, SHARES, Seen([], until_normal, 99.6, 256.0, []), faults)


def test_a_row_says_what_was_measured_in_the_columns_of_its_head() -> None:
    lines = report([row()], 61.0).splitlines()
    head, _, cells = (line for line in lines if line.startswith("|"))
    assert head == f"| {' | '.join(HEAD)} |"
    assert [cell.strip() for cell in cells.strip("|").split("|")] == [
        ATTACKS[1].title,
        "99.5 %",
        "100 %",
        "",
        "0.5 s",
        f"{ATTACKS[1].process} 100 of 256 MiB",
        "4: TOO_MANY_CALLS 75 %, OK 25 %; refused in 12 ms (median); and more",
        "yes",
    ]
    assert lines[-1] == "All as aimed."


def test_faults_are_told_below_the_table() -> None:
    text = report([row("late", "slow", until_normal=None)], 61.0)
    assert "| never |" in text
    assert "| no |" in text
    assert text.splitlines()[-2:] == [f"- {ATTACKS[1].title}: late", f"- {ATTACKS[1].title}: slow"]


@pytest.mark.parametrize(
    ("share", "text"),
    [(1.0, "100 %"), (0.99999, "99.9 %"), (0.9951, "99.5 %"), (0.5, "50 %"), (0.0, "0 %")],
)
def test_a_share_is_whole_only_if_nothing_is_missing(share: float, text: str) -> None:
    assert percent(share) == text


def test_an_outcome_without_a_reason_keeps_its_status() -> None:
    assert outcomes(Tally({"UNAVAILABLE failed to connect": 1})) == "1: UNAVAILABLE failed to connect 100 %"
    assert outcomes(Tally()) == ""


def test_a_lost_postgres_may_be_answered_with_unavailable_only() -> None:
    assert only_unavailable({"OK": 5, "UNAVAILABLE UNAVAILABLE": 2}) == ()
    assert only_unavailable({"OK": 5, "INTERNAL INTERNAL": 1}) == ("1 INTERNAL INTERNAL",)


def test_every_attack_has_a_name_of_its_own() -> None:
    names = [attack.name for attack in ATTACKS]
    assert len(set(names)) == len(names)


def titles(function: object) -> set[str]:
    """The keys of the dictionary that a function returns, without making the pictures: that takes seconds."""
    tree = ast.parse(inspect.getsource(inspect.unwrap(function)))  # type: ignore[arg-type]
    found = [key for node in ast.walk(tree) if isinstance(node, ast.Dict) for key in node.keys]
    return {str(key.value) for key in found if isinstance(key, ast.Constant)}


def test_every_hostile_picture_is_played() -> None:
    assert set(REFUSED.values()) == titles(hostile.refused)
    assert set(ACCEPTED.values()) == titles(hostile.worst_accepted)


@pytest.mark.parametrize("title", [*REFUSED.values(), *ACCEPTED.values()])
def test_every_hostile_picture_has_the_content_type_of_its_format(title: str) -> None:
    assert content_type(title) in {*CONTENT_TYPES.values(), HEIC}
    assert (content_type(title) == HEIC) == ("HEIC" in title)
