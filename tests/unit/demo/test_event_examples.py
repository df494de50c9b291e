"""Examples of events: what is left of them depends on the story alone."""

from __future__ import annotations

import json
from base64 import b64decode
from datetime import UTC, datetime
from pathlib import Path

import pytest
from google.protobuf.timestamp_pb2 import Timestamp
from unora.identity.v1.events_pb2 import SessionOpened
from unora_demo import run
from unora_demo.event_examples import EventRecording
from unora_local.run_folder import RunFolder
from unora_local.stopping import EXIT_INTERRUPTED

SUBJECT = "unora.identity.v1.session_opened"
NAME = "unora.identity.v1.SessionOpened"
DRAWN = "secret of member"


def opened(number: int, *, digest: bytes = DRAWN.encode()) -> tuple[dict[str, str], bytes]:
    """An event as it may be published in two runs: its headers and its payload."""
    member, event = (f"{kind}{number:07x}-0000-7000-8000-00000000000{number}" for kind in "ab")
    at = datetime(2026, 11, number, 10, 0, 0, 250_000, UTC)
    moment = Timestamp()
    moment.FromDatetime(at)
    message = SessionOpened(user_id=member, version=2, occurred_at=moment, device_digest=digest)
    headers = {
        "Nats-Msg-Id": event,
        "ce-id": event,
        "ce-type": SUBJECT,
        "ce-subject": member,
        "ce-time": at.isoformat().replace("+00:00", "Z"),
        "traceparent": f"00-{number:032x}-{number:016x}-01",
        "Nats-Request-Info": f'{{"acc":"identity","rtt":{number}}}',
    }
    return headers, message.SerializeToString()


def recorded(number: int) -> EventRecording:
    recording = EventRecording()
    recording.keep(SUBJECT, *opened(number))
    return recording


def test_two_runs_leave_the_same_example_and_nothing_of_their_own() -> None:
    assert recorded(1).events == recorded(2).events
    written = json.dumps(recorded(1).events)
    for left in ("2026-11", "0000-7000", "Nats-Request-Info", "0000000001-01"):
        assert left not in written


def test_ids_and_times_that_were_the_same_stay_the_same() -> None:
    example = recorded(1).events[NAME]
    headers, message = example["headers"], example["message"]
    assert headers["ce-id"] == headers["Nats-Msg-Id"] != headers["ce-subject"]
    assert headers["ce-subject"] == message["user_id"]
    assert headers["ce-time"] == message["occurred_at"]
    assert b64decode(message["device_digest"]) == bytes(len(DRAWN))


def test_the_event_is_kept_that_shows_most_with_every_field() -> None:
    recording = EventRecording()
    for digest in (b"", b"known", b""):
        recording.keep(SUBJECT, *opened(1, digest=digest))
    assert recording.events[NAME]["message"]["device_digest"]
    assert set(recording.events[NAME]["message"]) == {each.name for each in SessionOpened.DESCRIPTOR.fields}


def test_what_is_no_event_is_left_out() -> None:
    recording = EventRecording()
    recording.keep("unora.identity.v1.unheard_of", {}, b"\xff")
    assert recording.events == {}


@pytest.mark.parametrize(("code", "is_written"), [(0, True), (1, False), (EXIT_INTERRUPTED, False)])
def test_examples_are_written_only_after_a_journey_that_went_well(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, code: int, is_written: bool
) -> None:
    async def played(*given: object) -> int:
        (recording,) = (each for each in given if isinstance(each, EventRecording))
        recording.keep(SUBJECT, *opened(1))
        return code

    monkeypatch.setattr(run, "_until_told_to_stop", played)
    file = tmp_path / "examples.json"
    file.write_text("{}\n")
    assert run.main(RunFolder(tmp_path / "run"), run.Wishes(record_events=file)) == code
    assert list(json.loads(file.read_text())) == ([NAME] if is_written else [])
    assert [each.name for each in tmp_path.iterdir()] == ["examples.json"]
