"""Level and sample of the log change while a process runs."""

from __future__ import annotations

from io import StringIO
from pathlib import Path
from typing import Any
from uuid import uuid4

import msgspec
import pytest
from unora_common import trace
from unora_common.config import Config
from unora_common.log_settings import LogSettings
from unora_common.logs import Log, answered_calls, applied_events, control_of, logger
from unora_sdk.environment import ConfigError


class Case:
    """A log, and the two files that an operator changes."""

    def __init__(self, folder: Path) -> None:
        self.level, self.sample, self.out = folder / "level", folder / "sample", StringIO()
        self.level.write_text("info\n")
        self.sample.write_text("1\n")
        self.log: Log = logger("streak", "info", self.out)
        environ = {"UNORA_LOG_LEVEL_FILE": str(self.level), "UNORA_LOG_SAMPLE_FILE": str(self.sample)}
        self.environ = environ
        self.settings = LogSettings(self.log, environ, "info", 1.0)

    def lines(self) -> list[dict[str, Any]]:
        found = [msgspec.json.decode(line) for line in self.out.getvalue().splitlines()]
        self.out.truncate(0)
        self.out.seek(0)
        return found


@pytest.fixture
def case(tmp_path: Path) -> Case:
    return Case(tmp_path)


def test_a_level_counts_from_the_next_look_at_its_file_for_bound_loggers_too(case: Case) -> None:
    bound = case.log.bind(job="close_days")
    bound.debug("fine")
    assert case.lines() == []
    case.level.write_text("debug\n")
    case.settings.step()
    bound.debug("fine")
    assert [(line["event"], line.get("value")) for line in case.lines()] == [
        ("log setting changed", "debug"),
        ("fine", None),
    ]
    case.level.write_text("error")
    case.settings.step()
    case.log.warning("not written")
    case.log.error("written")
    assert [line["event"] for line in case.lines()] == ["log setting changed", "written"]
    case.level.write_text("info")
    case.settings.step()
    assert [line["event"] for line in case.lines()] == ["log setting changed"]


@pytest.mark.parametrize(("name", "text"), [("level", "loud"), ("sample", "2"), ("sample", "many"), ("sample", "-0.1")])
def test_a_value_that_cannot_be_used_changes_nothing_and_is_said_once(case: Case, name: str, text: str) -> None:
    getattr(case, name).write_text(text)
    for _ in range(3):
        case.settings.step()
    (line,) = case.lines()
    assert (line["event"], line["source"]) == ("log setting cannot be used", f"UNORA_LOG_{name.upper()}_FILE")
    case.log.info("as before")
    assert len(case.lines()) == 1


def test_a_file_that_is_gone_changes_nothing(case: Case) -> None:
    case.level.unlink()
    case.settings.step()
    assert [line["event"] for line in case.lines()] == ["log setting cannot be used"]


def test_a_setting_that_changed_while_the_process_started_counts_from_the_first_look(case: Case) -> None:
    case.level.write_text("debug")
    case.sample.write_text("0.5")
    LogSettings(case.log, case.environ, "info", 1.0).step()
    case.log.debug("fine")
    lines = [(line["event"], line.get("value")) for line in case.lines()]
    assert lines == [("log setting changed", "debug"), ("log setting changed", "0.5"), ("fine", None)]


@pytest.mark.parametrize("sample", ["1", "1.0\n", "1.00"])
def test_what_a_process_began_with_is_no_change(case: Case, sample: str) -> None:
    case.sample.write_text(sample)
    LogSettings(case.log, case.environ, "info", 1.0).step()
    assert case.lines() == []


def test_answered_calls_follow_the_level(case: Case) -> None:
    call = answered_calls(case.log, "streak", "/x")
    case.level.write_text("warning")
    case.settings.step()
    case.lines()
    call("gateway", None, 0.1, trace.shaped(""))
    assert case.lines() == []
    case.level.write_text("info")
    case.settings.step()
    call("gateway", None, 0.1, trace.shaped(""))
    assert [line["event"] for line in case.lines()] == ["log setting changed", "call"]


def test_the_trace_decides_about_all_lines_of_successes_in_every_process(case: Case) -> None:
    case.sample.write_text("0.25")
    case.settings.step()
    other = logger("discovery", "info", case.out)
    control_of(other).set_sample(0.25)
    call, event = answered_calls(case.log, "streak", "/x"), applied_events(other, "discovery", "discovery__checked_in")
    case.lines()
    traces = [trace.shaped("") for _ in range(2000)]
    for each in traces:
        call("gateway", uuid4(), 0.1, each)
        event(str(uuid4()), str(uuid4()), 0.2, each)
    lines = case.lines()
    called = {line["trace"] for line in lines if line["event"] == "call"}
    assert called == {line["trace"] for line in lines if line["event"] == "event applied"}
    assert 0.18 < len(called) / len(traces) < 0.32


def test_refusals_and_errors_are_written_whatever_the_sample(case: Case) -> None:
    case.sample.write_text("0")
    case.settings.step()
    answered_calls(case.log, "streak", "/x")("gateway", None, 0.1, trace.shaped(""))
    case.log.info("call refused", reason="NOT_YOURS")
    case.log.error("call failed")
    assert [line["event"] for line in case.lines()] == ["log setting changed", "call refused", "call failed"]


@pytest.mark.parametrize(
    ("changes", "said"), [({"log_level": "loud"}, "UNORA_LOG_LEVEL"), ({"log_sample": 1.5}, "UNORA_LOG_SAMPLE")]
)
def test_a_process_does_not_start_with_a_setting_that_cannot_be_used(changes: dict[str, Any], said: str) -> None:
    nowhere = Path("/nonexistent")
    with pytest.raises(ConfigError, match=said):
        Config(database_url="", nats_url="", tls_ca=nowhere, tls_cert=nowhere, tls_key=nowhere, **changes)
