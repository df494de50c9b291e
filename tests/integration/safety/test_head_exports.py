"""SA-11: the daily export, and the commands, against chains that a superuser rewrites."""

from __future__ import annotations

import argparse
import asyncio
import os
from collections.abc import AsyncIterator
from datetime import timedelta
from pathlib import Path
from typing import Any

import asyncpg
import pytest
from unora.safety.v1.events_pb2 import AuditHeadsExported
from unora_common.app import App
from unora_safety.domain.chain import START, SourceEvent, link
from unora_safety.jobs import AuditExportJobs
from unora_safety.providers.head_signer import HeadSigner
from unora_safety.servicers.commands import export_audit_heads, verify
from unora_safety.store import audit
from unora_testing.world import World

from tests.integration.safety.chains import SOURCE, append, envelopes, erase, tampering
from tests.replicas import replica
from tests.roles import refused

pytestmark = pytest.mark.rule("SA-11")


@pytest.fixture
async def chain(world: World) -> AsyncIterator[None]:
    await erase(world)
    await append(world.apps["safety"], envelopes(7))
    yield
    await erase(world)


async def run(app: App[Any, Any], command: Any, *words: str) -> int:
    parser = argparse.ArgumentParser()
    command.arguments(parser)
    status: int = await command.run(app.runtime, parser.parse_args(words))
    return status


@pytest.fixture
async def export(world: World, chain: None, tmp_path: Path) -> Path:
    """An export of the seven rows, made by the command."""
    file = tmp_path / "heads.jws"
    assert await run(world.apps["safety"], export_audit_heads, "--output", str(file)) == 0
    return file


async def rewrite(world: World, count: int) -> None:
    """Replaces the chain by another one of `count` rows, with right hashes and a right head."""
    events = [
        SourceEvent(e.event_id, "unora.billing.v1.thing_paid", e.aggregate_id, e.occurred_at, b"another")
        for e in await entries(world)
    ]
    new = link(SOURCE, START, events[:count], await world.now())
    async with tampering(world) as sql:
        await sql.execute("DELETE FROM safety.audit_logs WHERE source_context = $1", SOURCE)
        for entry in new:
            marks = ", ".join(f"${place}" for place in range(1, 11))
            await sql.execute(f"INSERT INTO safety.audit_logs ({audit.COLUMNS.names()}) VALUES ({marks})", *entry)
        head = "UPDATE safety.audit_chain_heads SET length = $2, head_hash = $3 WHERE source_context = $1"
        await sql.execute(head, SOURCE, count, new[-1].hash)


async def entries(world: World) -> list[Any]:
    async with world.apps["safety"].database.session() as db:
        return await audit.list_entries(db, SOURCE, 100, None, 100)


async def test_an_untouched_log_passes(world: World, export: Path, capsys: pytest.CaptureFixture[str]) -> None:
    await append(world.apps["safety"], envelopes(2))
    assert await run(world.apps["safety"], verify, "--heads", str(export)) == 0
    printed = capsys.readouterr().out
    assert f"{SOURCE}: 9 rows, unbroken, leads through the exported row 7" in printed
    assert "all chains are unbroken and lead through all exported heads" in printed


@pytest.mark.parametrize("count", [7, 5])
async def test_a_chain_that_was_rewritten_with_its_head_is_found_by_an_export_alone(
    world: World, export: Path, count: int, capsys: pytest.CaptureFixture[str]
) -> None:
    await rewrite(world, count)
    assert await run(world.apps["safety"], verify) == 0, "without an export a rewritten chain looks whole"
    assert await run(world.apps["safety"], verify, "--heads", str(export)) == 1
    word = "REWRITTEN: row 7" if count == 7 else "CUT: it has 5 rows, and an export had 7"
    assert f"{SOURCE}: {word}" in capsys.readouterr().out


async def test_a_chain_that_was_erased_with_its_head_is_found(
    world: World, export: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    await erase(world)
    assert await run(world.apps["safety"], verify, "--heads", str(export)) == 1
    assert f"{SOURCE}: CUT: it has 0 rows, and an export had 7" in capsys.readouterr().out


async def test_a_changed_row_is_found_without_an_export(
    world: World, chain: None, capsys: pytest.CaptureFixture[str]
) -> None:
    async with tampering(world) as sql:
        await sql.execute("UPDATE safety.audit_logs SET payload = 'x' WHERE source_context = $1 AND number = 4", SOURCE)
    assert await run(world.apps["safety"], verify) == 1
    assert f"{SOURCE}: BROKEN: row 4 is changed, missing or moved" in capsys.readouterr().out


def forge(export: Path) -> Path:
    header, payload, signature = export.read_text().strip().split(".")
    forged = export.with_name("forged.jws")
    forged.write_text(f"{header}.{payload[:-4]}AAAA.{signature}")
    return forged


async def test_a_file_that_safety_did_not_sign_is_refused(
    world: World, export: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    forged = forge(export)
    assert await run(world.apps["safety"], verify, "--heads", str(forged)) == 2
    assert await run(world.apps["safety"], verify, "--heads", str(tmp_path / "missing")) == 2
    assert capsys.readouterr().err.count("verify: an export was refused") == 2


async def test_a_long_chain_is_verified_in_steps(
    world: World, export: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setattr("unora_safety.servicers.commands.PROGRESS_ROWS", 3)
    await rewrite(world, 7)
    assert await run(world.apps["safety"], verify, "--heads", str(export)) == 1
    assert "rows verified so far" in capsys.readouterr().err


async def test_a_day_has_one_export_whatever_the_number_of_replicas(world: World, chain: None, tmp_path: Path) -> None:
    await world.move_clock(timedelta(days=1))
    async with (
        replica(world, "safety", audit_export_dir=str(tmp_path)) as one,
        replica(world, "safety", audit_export_dir=str(tmp_path)) as two,
    ):
        jobs = [AuditExportJobs(app.runtime) for app in (one, two)]
        assert sum(await asyncio.gather(*(job.export_audit_heads() for job in jobs * 3))) <= 1
        today = (await world.now()).date()
        stored = await world.superuser.fetch("SELECT * FROM safety.audit_head_exports WHERE day = $1", today)
        assert len(stored) == 1
        await asyncio.gather(*(job.write_audit_exports() for job in jobs))
        file = tmp_path / f"audit-heads-{today}.jws"
        assert file.read_text().strip() == stored[0]["document"]
        (event,) = await world.events(AuditHeadsExported, str(stored[0]["id"]))
        assert event.document == stored[0]["document"]
        assert await run(one, verify, "--heads", str(file)) == 0
        assert await jobs[0].write_audit_exports() == 0, "a file that is there is not written again"


async def test_a_file_that_cannot_be_written_leaves_nothing_behind(world: World, tmp_path: Path) -> None:
    """The job tries again each minute: a draft for each try would fill the volume."""
    taken = tmp_path / "heads.jws"
    taken.mkdir()
    assert await run(world.apps["safety"], export_audit_heads, "--output", str(taken)) == 2
    assert os.listdir(tmp_path) == [taken.name]


async def test_a_missed_day_is_caught_up_with_the_next_one(world: World, chain: None) -> None:
    job = AuditExportJobs(world.apps["safety"].runtime)
    await world.move_clock(timedelta(days=3))
    await job.export_audit_heads()
    await world.move_clock(timedelta(days=1))
    await job.export_audit_heads()
    today = (await world.now()).date()
    count = "SELECT count(*) FROM safety.audit_head_exports WHERE day IN ($1, $2)"
    assert await world.superuser.fetchval(count, today, today - timedelta(days=1)) == 2


async def test_exports_are_only_added(world: World, chain: None) -> None:
    await AuditExportJobs(world.apps["safety"].runtime).export_audit_heads()
    for change in ("UPDATE safety.audit_head_exports SET document = ''", "DELETE FROM safety.audit_head_exports"):
        async with world.apps["safety"].database.transaction() as tx:
            with pytest.raises(asyncpg.InsufficientPrivilegeError):
                await tx.run(change)
        assert await refused(world.superuser, change) == "audit_append_only"


async def test_the_public_keys_verify_what_the_service_signs(
    world: World, export: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert await run(world.apps["safety"], export_audit_heads, "--public-keys") == 0
    printed = capsys.readouterr().out
    signer: HeadSigner = world.apps["safety"].runtime.resources.head_signer
    assert str(signer.public_keys()["keys"][0]["kid"]) in printed
    assert '"d"' not in printed
