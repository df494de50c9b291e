"""The helpers of the runbooks: each block defines all of them, and they ask Kubernetes for what they mean to."""

from __future__ import annotations

import json
import os
import re
import shutil
import subprocess
from pathlib import Path

import pytest

from tests.unit.docs.repository import DOCS

FOLDER = DOCS / "runbooks"
BLOCK = re.compile(r"^```sh\n(context=.*?)^```", re.MULTILINE | re.DOTALL)
KUBERNETES, COMPOSE = BLOCK.findall((FOLDER / "README.md").read_text())
DEFINED = re.compile(r"^(\w+)\(\)", re.MULTILINE)
CALLED = re.compile(
    r"(?:^|`|; |\| |\$\()(in_\w+|again|said|began|trouble|sql|log|query|nats_says|\w+_replicas)\b", re.MULTILINE
)
LATEST = "job.batch/streams--0-2-0"
JOB = {
    "apiVersion": "batch/v1",
    "kind": "Job",
    "metadata": {
        "name": "streams--0-2-0",
        "uid": "u",
        "resourceVersion": "7",
        "creationTimestamp": "2026-01-01T00:00:00Z",
        "labels": {"app.kubernetes.io/component": "streams", "controller-uid": "u"},
    },
    "spec": {
        "selector": {"matchLabels": {"batch.kubernetes.io/controller-uid": "u"}},
        "template": {
            "metadata": {
                "labels": {
                    "app.kubernetes.io/component": "streams",
                    "controller-uid": "u",
                    "job-name": "streams--0-2-0",
                    "batch.kubernetes.io/controller-uid": "u",
                    "batch.kubernetes.io/job-name": "streams--0-2-0",
                }
            }
        },
    },
    "status": {"succeeded": 1},
}
FAKE = f"""#!/usr/bin/env bash
echo "$*" >> "$CALLS"
case "$*" in
    *"get job -o name"*) printf '%s\\n' job.batch/streams--0-1-0 job.batch/streak-migrate--0-2-0 {LATEST} ;;
    *"get {LATEST} -o json"*) cat "$JOB" ;;
    *replace*) cat > "$REPLACED" ;;
    *instanceRole=primary*) echo pod/postgres-2 ;;
    *"get scaledobject"*) [ "$KEDA" ] ;;
esac
"""


@pytest.fixture
def told(tmp_path: Path) -> Path:
    """A folder with a `kubectl` that writes down how it was called."""
    (tmp_path / "kubectl").write_text(FAKE)
    (tmp_path / "kubectl").chmod(0o755)
    (tmp_path / "job.json").write_text(json.dumps(JOB))
    return tmp_path


def run(folder: Path, command: str, *, keda: str = "") -> list[str]:
    """The calls of kubectl by a helper."""
    named = {"CALLS": folder / "calls", "JOB": folder / "job.json", "REPLACED": folder / "replaced.json"}
    environment = os.environ | {key: str(path) for key, path in named.items()} | {"KEDA": keda}
    environment["PATH"] = f"{folder}:{environment['PATH']}"
    subprocess.run(["bash", "-c", f"{KUBERNETES}\n{command}"], env=environment, check=True, capture_output=True)
    return named["CALLS"].read_text().splitlines()


def test_both_blocks_define_each_helper_once_so_that_one_of_them_is_pasted() -> None:
    here, there = DEFINED.findall(KUBERNETES), DEFINED.findall(COMPOSE)
    assert sorted(here) == sorted(set(there))
    assert len(here) == len(set(here)) == len(there)
    assert "docker" not in KUBERNETES
    assert "kubectl" not in COMPOSE


@pytest.mark.parametrize("page", sorted({*FOLDER.glob("*.md"), DOCS / "operations.md"}), ids=lambda page: page.name)
def test_every_helper_that_is_called_is_defined(page: Path) -> None:
    assert set(CALLED.findall(page.read_text())) <= set(DEFINED.findall(KUBERNETES))


@pytest.mark.skipif(not shutil.which("jq"), reason="needs jq: apt-get install jq")
def test_a_job_that_is_complete_runs_once_more(told: Path) -> None:
    assert f"-n unora wait --for=condition=complete --timeout=5m {LATEST}" in run(told, "again streams")
    made = json.loads((told / "replaced.json").read_text())
    labels = {"app.kubernetes.io/component": "streams"}
    assert made["metadata"] == {"name": "streams--0-2-0", "labels": labels}
    assert made["spec"] == {"template": {"metadata": {"labels": labels}}}
    assert "status" not in made


def test_a_statement_is_sent_to_whoever_is_primary(told: Path) -> None:
    assert run(told, "sql 'SELECT 1'")[-1] == "-n unora exec -i pod/postgres-2 -c postgres -- psql unora -c SELECT 1"


def test_a_number_of_processes_is_given_to_what_would_take_it_back(told: Path) -> None:
    patch = '{"spec":{"minReplicas":6,"maxReplicas":10}}'
    assert run(told, "api_replicas 6 10")[-1] == f"-n unora patch hpa streak-api --type=merge -p {patch}"
    assert run(told, "worker_replicas 4")[-1] == "-n unora scale deploy/streak-worker --replicas=4"
    held = run(told, "worker_replicas 4", keda="1")[-1]
    assert held == "-n unora annotate --overwrite scaledobject streak-worker autoscaling.keda.sh/paused-replicas=4"
    assert run(told, "worker_replicas", keda="1")[-1].endswith("paused-replicas-")


# What a page must not ask for, since it does nothing, or not what it says.
MISTAKES = {
    r"kubectl -n unora scale deploy/\$context": "autoscalers take it back: api_replicas, worker_replicas",
    r"postgres-1 -c postgres": "the primary may be another: sql",
    r"(?:trouble|log(?: \d+[mh])?) \| grep [^\n]*(?:not ready|relay inter|consumer inter|event waits)": "said finds it",
    r"[Rr]un the Job `": "it is complete, and applying it does nothing: again",
}


@pytest.mark.parametrize("page", sorted(FOLDER.glob("*.md")), ids=lambda page: page.name)
def test_no_runbook_asks_for_what_does_nothing(page: Path) -> None:
    told = page.read_text()
    assert {why for mistake, why in MISTAKES.items() if re.search(mistake, told)} == set()
