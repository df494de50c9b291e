"""What the demo leaves behind when it goes wrong, and what it says when it cannot be played."""

from __future__ import annotations

import json
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

import pytest
from unora.identity.v1.account_service_pb2 import GetAccountRequest
from unora_demo import journey, run
from unora_demo.recording import Recording
from unora_demo.stage import Stage
from unora_demo.timeline import Timeline
from unora_demo.venue import FILE, on_this_machine
from unora_local.client import Unexpected
from unora_local.clock import ClockInUseError, NotIdleError
from unora_local.mistakes import Mistake, NotReadyError
from unora_local.run_folder import RunFolder
from unora_testing.rest.binding import binding_of

EARLIER = '{"of an earlier run": {}}\n'


class StandIn:
    """A clock on which nothing happens, and a gateway that nobody calls."""

    called: tuple[str, ...] = ()

    async def __aenter__(self) -> StandIn:
        return self

    async def __aexit__(self, *_: object) -> None:
        pass

    async def count_events(self) -> int:
        return 0


async def played(folder: Path, file: Path, monkeypatch: pytest.MonkeyPatch, *, well: bool) -> run.Report:
    """The report of a story of one call, which is then seen to be as expected, or not."""
    recordings: list[Recording] = []

    def gateway_of(env: object, via: object, recording: Recording) -> StandIn:
        recordings.append(recording)
        return StandIn()

    async def story(stage: Stage, timeline: Timeline) -> None:
        with timeline.step("the account"):
            path = binding_of("/unora.identity.v1.AccountService/GetAccount")
            recordings[0].keep("GetAccount", path, GetAccountRequest(), b'{"account": {"trust_level": 3}}')
            if not well:
                raise Unexpected("another level")

    async def count(*_: object) -> None:
        pass

    made = RunFolder(folder)
    made.write_env(
        dict.fromkeys(("UNORA_PAYMENT_SANDBOX_URL", "UNORA_PAYMENT_SANDBOX_KEY"), "")
        | {"UNORA_SMS_SANDBOX": str(made.env)}
    )
    replaced: dict[str, Any] = {"Clock": lambda *_: StandIn(), "gateway_of": gateway_of, "_count": count}
    for name, instead in replaced.items():
        monkeypatch.setattr(run, name, instead)
    monkeypatch.setattr(journey, "play", story)
    return await run.play(on_this_machine(made), run.Wishes(2, "rest", record=file))


async def test_examples_are_written_once_all_went_as_expected(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    file = tmp_path / "examples.json"
    file.write_text(EARLIER)
    assert (await played(tmp_path / "run", file, monkeypatch, well=True)).ok
    assert json.loads(file.read_text()) == {"GetAccount": {"parameters": {}, "answer": {"account": {"trust_level": 3}}}}


async def test_a_story_that_goes_wrong_leaves_the_examples_of_an_earlier_one(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    file = tmp_path / "examples.json"
    file.write_text(EARLIER)
    assert not (await played(tmp_path / "run", file, monkeypatch, well=False)).ok
    assert file.read_text() == EARLIER
    assert f"no examples were written to {file}" in capsys.readouterr().err
    report = json.loads((tmp_path / "run" / FILE).read_text())
    assert report["steps"][0]["detail"] == "another level"


def test_examples_that_cannot_be_written_leave_those_that_are_there(tmp_path: Path) -> None:
    file = tmp_path / "examples.json"
    file.write_text(EARLIER)
    with pytest.raises(UnicodeEncodeError):
        Recording(calls={"GetAccount": {"answer": "half a letter \ud83d"}}).write(file)
    assert file.read_text() == EARLIER


@pytest.mark.parametrize("kind", [Mistake, NotReadyError, ClockInUseError, NotIdleError])
def test_what_a_person_can_mend_is_told_without_a_traceback(
    kind: type[Mistake], tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    @asynccontextmanager
    async def running(*_: object) -> AsyncIterator[None]:
        yield
        raise kind("do something else")

    async def play(*_: object) -> run.Report:
        return run.Report()

    monkeypatch.setattr(run, "running", running)
    monkeypatch.setattr(run, "on_this_machine", lambda _: None)
    monkeypatch.setattr(run, "play", play)
    assert run.main(RunFolder(tmp_path)) == 1
    assert capsys.readouterr().err == "\nthe demo could not be played: do something else\n"
