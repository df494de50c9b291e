"""The demo's output and report, and its invented people."""

from __future__ import annotations

import asyncio
import io
import json
from pathlib import Path

import phonenumbers
import pytest
from unora.identity.v1.profile_service_pb2 import HobbyOption
from unora_demo.cast import COUPLES, PRINCIPALS, TRIO, groups
from unora_demo.people import SHARED, choose_hobbies
from unora_demo.run import Report
from unora_demo.timeline import Mark, Step, StepFailed, Strip, Timeline, expect
from unora_local.cast import PEOPLE
from unora_local.client import Refused, Unexpected, refused
from unora_local.members import invented_number
from unora_local.sms_box import SmsBox


def test_a_step_prints_its_detail() -> None:
    out = io.StringIO()
    timeline = Timeline(out)
    with timeline.step("the first") as note:
        note.now("under way")
        note.detail = "as expected"
    assert timeline.steps == [Step("the first", ok=True, detail="as expected")]
    assert "✓ the first" in out.getvalue()
    assert "under way" not in out.getvalue()


@pytest.mark.parametrize(
    ("error", "detail"),
    [
        (Unexpected("the count: expected 2, saw 3"), "the count: expected 2, saw 3"),
        (Refused("CheckIn", "NOT_FOUND", "STREAK_NOT_FOUND", ""), "CheckIn was refused: NOT_FOUND STREAK_NOT_FOUND"),
        (KeyError("gone"), "KeyError: 'gone'"),
    ],
)
def test_a_failed_step_ends_the_journey_and_is_recorded(error: Exception, detail: str) -> None:
    out = io.StringIO()
    timeline = Timeline(out)
    with pytest.raises(StepFailed), timeline.step("the first"):
        raise error
    assert [step.ok for step in timeline.steps] == [False]
    assert timeline.steps[0].detail.endswith(detail)
    assert "✗ the first" in out.getvalue()


def test_a_stopped_step_is_recorded_as_failed() -> None:
    timeline = Timeline(io.StringIO())
    with pytest.raises(asyncio.CancelledError), timeline.step("the first"):
        raise asyncio.CancelledError
    assert timeline.steps == [Step("the first", ok=False, detail="stopped")]


def test_a_report_is_ok_only_if_every_step_is_and_no_invariant_is_broken() -> None:
    good, bad = Step("a", ok=True, detail=""), Step("b", ok=False, detail="")
    assert Report(steps=[good]).ok
    assert not Report(steps=[good, bad]).ok
    assert not Report(steps=[good], violations=1).ok
    assert not Report().ok


def test_the_strip_shows_each_cycle() -> None:
    strip = Strip()
    strip.add(Mark.KEPT)
    strip.add(Mark.MISSED)
    strip.begin_cycle()
    strip.add(Mark.COMPLETED)
    assert strip.lines()[:2] == ["cycle 1  ● ○", "cycle 2  ★"]
    assert strip.days == 3


def test_expect_names_both_values() -> None:
    expect("the day", 3, 3)
    with pytest.raises(Unexpected, match="the day: expected 3, saw 4"):
        expect("the day", 3, 4)


async def test_refused_awaits_a_refusal_with_its_reason() -> None:
    async def fails() -> None:
        raise Refused("Join", "FAILED_PRECONDITION", "NOT_READY", "", {"missing": "photos"})

    async def answers() -> None:
        return

    assert str(await refused(fails(), "NOT_READY")).endswith("NOT_READY (missing = photos)")
    with pytest.raises(Refused):
        await refused(fails(), "ANOTHER")
    with pytest.raises(Unexpected, match="NOT_READY was expected"):
        await refused(answers(), "NOT_READY")


def test_phone_numbers_are_reserved_for_fiction_and_valid() -> None:
    numbers = {invented_number() for _ in range(50)}
    assert len(numbers) > 10
    assert all(
        number[5:10] == "55501" and phonenumbers.is_valid_number(phonenumbers.parse(number)) for number in numbers
    )


def test_groups_that_are_to_meet_share_the_most_hobbies() -> None:
    options = [HobbyOption(hobby_option_id=f"hobby_{i}", name=f"Hobby {i}", category="Play") for i in range(43)]
    chosen = [{hobby.hobby_option_id for hobby in hobbies} for hobbies in choose_hobbies(options, len(PEOPLE))]
    assert len(chosen) == len(PEOPLE) == 60
    for group in (*COUPLES.values(), TRIO):
        first, *rest = group
        assert all(chosen[first] == chosen[other] for other in rest)
        assert all(len(chosen[first] & each) < SHARED for at, each in enumerate(chosen) if at not in group)


@pytest.mark.parametrize("size", [PRINCIPALS, PRINCIPALS + 10, len(PEOPLE)])
def test_every_person_is_in_one_group(size: int) -> None:
    assert sorted(number for group in groups(size) for number in group) == list(range(size))


def test_only_codes_sent_since_the_box_was_opened_are_read(tmp_path: Path) -> None:
    file = tmp_path / "sms.jsonl"
    file.write_text(json.dumps({"to": "+12025550100", "code": "000000"}) + "\n")
    box = SmsBox(file)
    with pytest.raises(Unexpected, match="no code was sent"):
        box.code("+12025550100")
    with file.open("a") as out:
        out.write(json.dumps({"to": "+12025550100", "code": "111111"}) + "\n")
        out.write(json.dumps({"to": "+12025550100", "code": "222222"}) + "\n{half")
    assert box.code("+12025550100") == "222222"
