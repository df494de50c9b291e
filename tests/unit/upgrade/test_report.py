"""What is printed at the end, and which logs count."""

from __future__ import annotations

import re
from pathlib import Path

from unora_upgrade import checks
from unora_upgrade.checks import Check
from unora_upgrade.run import FAULTS, _report

FINE = Check("calls", [], "10 answered, 0 failed")


def test_the_report_says_that_nothing_was_lost_only_if_every_check_holds() -> None:
    assert "no call was lost, and nothing is broken: 12 s" in _report([FINE], 12.3)
    shown = _report([FINE, Check("dead letters", ["2 dead letters"], "2")], 12.3)
    assert "no call was lost" not in shown
    assert "✓ calls: 10 answered" in shown
    assert re.search(r"✗ dead letters: 2\n +2 dead letters", shown)


def test_of_many_faults_a_few_are_shown() -> None:
    shown = _report([Check("calls", [f"fault {number}" for number in range(100)], "many")], 1.0)
    assert shown.count("fault ") == FAULTS


def test_errors_of_services_count_and_those_of_servers_do_not(tmp_path: Path) -> None:
    (tmp_path / "streak-worker-2.log").write_text('{"event":"call","level":"info"}\n')
    (tmp_path / "postgres.log").write_text("Traceback of a server\n")
    assert checks.logs(tmp_path).ok
    (tmp_path / "identity.log").write_text(
        '{"event":"job failed","level":"error"}\nTraceback (most recent call last):\n'
    )
    found = checks.logs(tmp_path)
    assert [fault.partition(":")[0] for fault in found.faults] == ["identity.log", "identity.log"]


def test_a_process_that_died_is_a_fault_though_it_was_started_again() -> None:
    assert checks.deaths([]).ok
    shown = _report([FINE, checks.deaths(["streak-2 died (signal 9), see streak-2.log"])], 12.3)
    assert "NOT all is as it must be" in shown
    assert re.search(r"✗ processes: 1 died\n +streak-2 died \(signal 9\)", shown)
