"""What one can ask of `republish`, and what is refused with a sentence."""

from __future__ import annotations

import argparse
from datetime import UTC, datetime

import pytest
from unora_common.event_names import UnknownEventError, event_subject
from unora_common.republish_options import (
    NotRepublishableError,
    Wanted,
    add_arguments,
    moment,
    rfc3339,
    wanted,
)
from unora_sdk.again import Again, again_subject, first_subject

CHECKED_IN = "unora.streak.v1.checked_in"
AGAIN = "unora.streak.again.push__checked_in.checked_in"


def chosen(*words: str) -> argparse.Namespace:
    parser = argparse.ArgumentParser()
    add_arguments(parser)
    return parser.parse_args(words)


@pytest.mark.parametrize(
    ("text", "time"),
    [
        ("2026-03-01T12:00:00Z", "2026-03-01T12:00:00Z"),
        ("2026-03-01t12:00:00z", "2026-03-01T12:00:00Z"),
        ("2026-03-01 13:30:00.25+01:30", "2026-03-01T12:00:00.250000Z"),
        ("2026-02-28T23:00:00-05:00", "2026-03-01T04:00:00Z"),
    ],
)
def test_times_are_rfc_3339_with_their_zone(text: str, time: str) -> None:
    assert rfc3339(moment(text)) == time


@pytest.mark.parametrize(
    "text",
    [
        "",
        "yesterday",
        "2026-03-01",
        "2026-03-01T12:00:00",
        "2026-03-01T12:00Z",
        "2026-13-01T12:00:00Z",
        "2026-03-01T25:00:00Z",
        "20260301T120000Z",
        "0001-01-01T00:00:00+14:00",
        "٢٠٢٦-03-01T12:00:00Z",
        "2026-03-01T12:00:00Z\n",
    ],
)
def test_any_other_time_is_refused_with_what_to_write(text: str, capsys: pytest.CaptureFixture[str]) -> None:
    for option in ("--from", "--to"):
        with pytest.raises(SystemExit) as ended:
            chosen(option, text)
        assert ended.value.code == 2
        said = capsys.readouterr().err
        assert "no time as RFC 3339 has it, with its zone: write it as 2026-03-01T12:00:00Z" in said


@pytest.mark.parametrize(
    "name", ["CheckedIn", "checked_in", "streak.CheckedIn", CHECKED_IN, "unora.streak.v1.CheckedIn"]
)
def test_a_type_is_named_as_people_name_it(name: str) -> None:
    assert event_subject("streak", name) == CHECKED_IN


@pytest.mark.parametrize("name", ["", "CheckIn", "matching.CheckedIn", "ConnectionFormed", "*", ">"])
def test_an_unknown_type_is_refused_with_those_that_there_are(name: str) -> None:
    with pytest.raises(UnknownEventError, match=r"streak has no event .*; it has CheckedIn, "):
        wanted("streak", chosen("--type", name))


def test_a_range_ends_after_it_begins() -> None:
    at = ["--from", "2026-03-01T12:00:00Z", "--to"]
    with pytest.raises(NotRepublishableError, match="is not before"):
        wanted("streak", chosen(*at, "2026-03-01T13:00:00+01:00"))
    assert wanted("streak", chosen(*at, "2026-03-01T12:00:01Z")).until == datetime(2026, 3, 1, 12, 0, 1, tzinfo=UTC)
    assert wanted("streak", chosen()) == Wanted()


def test_only_the_consumer_of_the_subject_reads_it_as_the_first_one() -> None:
    assert again_subject(CHECKED_IN, "push__checked_in") == AGAIN
    assert first_subject(AGAIN, "push__checked_in") == CHECKED_IN
    for subject, consumer in (
        (AGAIN, "chart__checked_in"),
        (CHECKED_IN, "push__checked_in"),
        (f"{AGAIN}.x", "push__checked_in"),
        ("unora.streak.again.push__checked_in", "push__checked_in"),
        (AGAIN.replace("again", "v1"), "push__checked_in"),
    ):
        assert first_subject(subject, consumer) == subject


def test_a_repeat_of_a_run_has_the_message_ids_of_that_run() -> None:
    ids = {Again(began, to).message_id(1) for began in ("a", "b") for to in (None, "push__x", "chart__x")}
    assert len(ids) == 3
    assert "1" not in ids
