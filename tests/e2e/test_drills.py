"""A small stack loses NATS, then goes back to an earlier moment: what docs/backup.md says brings it back each time."""

from __future__ import annotations

import asyncio
import io
import os
from pathlib import Path

import pytest
from unora_drill import nats_drill, postgres_drill, run
from unora_drill.record import Record
from unora_local.ports import SHIFT
from unora_local.progress import Progress
from unora_local.run_folder import RunFolder

MEMBERS = 6
"""The fewest of whom two meet: a batch needs five others."""


@pytest.mark.rule("XX-02")
def test_lost_streams_and_a_restored_database_are_brought_back(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv(SHIFT, str(int(os.environ[SHIFT]) + 4000))  # beside the stacks of this run and of others
    folder, records = RunFolder(tmp_path / "run"), list[Record]()
    assert folder.lock.acquire()
    with folder.lock:
        said = Progress(io.StringIO())
        asyncio.run(run.play(folder, said, (nats_drill.DRILL, postgres_drill.DRILL), MEMBERS, records))
    assert [record.title for record in records] == [nats_drill.DRILL.title, postgres_drill.DRILL.title]
    assert [str(record) for record in records if not record.ok] == []
