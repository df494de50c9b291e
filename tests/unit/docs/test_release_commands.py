"""How a release comes in (kubernetes.md) and goes out again (rollouts.md), on a kubectl that takes notes."""

from __future__ import annotations

import os
import re
import subprocess
from pathlib import Path

import pytest

from tests.unit.docs.repository import DOCS

BLOCK = re.compile(r"^ *```sh\n(.*?)^ *```", re.MULTILINE | re.DOTALL)
PROCESSES = "'app.kubernetes.io/component in (api,worker,front)'"
FAKE = """#!/usr/bin/env bash
echo "$*" >> "$CALLS"
case "$*" in
    *component=migrate*"-o name"*) printf '%s\\n' serviceaccount/any job.batch/{streak,reveal}-migrate--0-2-0 ;;
    *component=cluster*"-o name"*) echo job.batch/cluster--1 ;;
    *component=streams*"-o name"*) echo job.batch/streams--0-2-0 ;;
    *condition=complete*" $FAILED") exit 1 ;;
    *condition=failed*) [[ "$*" == *" $FAILED" ]] ;;
    *"rollout resume"*) exit 1 ;;
esac
"""


def block(page: str, part: str) -> str:
    """The one block of commands of a page that has this part."""
    (found,) = (each for each in BLOCK.findall((DOCS / page).read_text()) if part in each)
    return "\n".join(line for line in found.splitlines() if "git worktree" not in line).replace("<yours>", "mine")


def run(folder: Path, commands: str, *, failed: str = "none") -> tuple[int, list[str]]:
    """The exit status of commands, and the calls of kubectl."""
    (folder / "kubectl").write_text(FAKE)
    (folder / "kubectl").chmod(0o755)
    environment = os.environ | {
        "CALLS": str(folder / "calls"),
        "FAILED": failed,
        "PATH": f"{folder}:{os.environ['PATH']}",
    }
    done = subprocess.run(["bash", "-c", commands], cwd=folder, env=environment, check=False, capture_output=True)
    return done.returncode, (folder / "calls").read_text().splitlines()


@pytest.fixture
def release() -> str:
    return block("kubernetes.md", "finish() {")


def test_a_release_waits_for_its_own_jobs_by_name(tmp_path: Path, release: str) -> None:
    status, calls = run(tmp_path, release)
    assert status == 0
    waited = [call.split()[-1] for call in calls if "condition=complete" in call]
    names = ["cluster--1", "streams--0-2-0", "streak-migrate--0-2-0", "reveal-migrate--0-2-0"]
    assert waited == [f"job.batch/{name}" for name in names]
    assert not [call for call in calls if "wait" in call and re.search(r" job -l", call)]


def test_a_job_that_failed_ends_the_release_at_once_with_its_log(tmp_path: Path, release: str) -> None:
    name = "job.batch/streak-migrate--0-2-0"
    status, calls = run(tmp_path, release, failed=name)
    assert status == 1
    assert calls[-1] == f"-n unora logs {name}"
    assert not [call for call in calls if "component=api" in call]


def test_the_way_back_resumes_what_was_paused_and_leaves_jobs_out(tmp_path: Path) -> None:
    status, calls = run(tmp_path, "set -e\n" + block("rollouts.md", "for step in front worker api"))
    assert status == 0, "that nothing was paused is no fault"
    done = [(re.findall(r"apply|resume|status", call)[0], call.rpartition("component=")[2]) for call in calls[2:]]
    steps = ("front", "worker", "api")
    assert done == [(what, step) for step in steps for what in ("apply", "resume", "status")]
    assert not [call for call in calls if re.search(r"component=(streams|migrate|cluster)", call)]


def test_what_a_restore_stops_it_starts_again() -> None:
    """API and gateway have no number of replicas in their manifests, and an autoscaler is off at 0."""
    _, restore = (DOCS / "kubernetes.md").read_text().split("## A restore")
    scaled = re.findall(r"scale (.*) --replicas=(\d)", restore)
    assert [what for what, number in scaled if number == "0"] == ["deployment -l " + PROCESSES, "statefulset/nats"]
    assert {what for what, number in scaled if number == "3"} == {what for what, number in scaled if number == "0"}
    assert restore.index("pg_switch_wal") < restore.index('"Retain"') < restore.index("delete cluster.postgresql")
