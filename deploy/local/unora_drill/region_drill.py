"""The region is lost: all is made anew elsewhere, from the backup, the secrets, and the copy of the S3."""

from __future__ import annotations

import asyncio
import shutil
import time
from collections.abc import Sequence
from pathlib import Path
from typing import Final

from unora.identity.v1.profile_service_pb2 import ListPhotosRequest
from unora_local import objects
from unora_local.keyboard.people import FILE
from unora_local.keyboard.sessions import session_of
from unora_local.run_folder import RunFolder

from unora_drill.backup import ARCHIVE_TIMEOUT
from unora_drill.record import Drill, Record
from unora_drill.scene import Scene
from unora_drill.stack import DrillStack

SECRETS: Final = ("keys", "passwords.json")
"""What is kept apart from the data. Certificates are made anew."""
OUTSIDE: Final = ("payments.json", "sms.jsonl", FILE)
"""What is not in the region: the provider's own data, the members' phones, and what members know."""


async def play(scene: Scene, record: Record) -> None:
    """Kills all at once, and starts a stack in another folder, on other ports."""
    lost = scene.stack
    with record.step("before: pg_basebackup, the secrets, a copy of the S3"):
        await lost.backup.take()
        kept = lost.folder.path.parent / "kept"
        await asyncio.to_thread(_copy, lost.folder.path, kept, (*SECRETS, "s3"))
    async with scene.diary() as diary:
        # So long that one segment of WAL at least is archived after the base backup.
        await diary.until_answered(5 * (ARCHIVE_TIMEOUT + 2))
    await lost.crash()
    begin = time.monotonic()
    record.broken = "all processes were killed at once, and their folder is gone; what was archived until then is left"
    record.noticed = ["ContextDown for all contexts; the public address does not answer"]
    stack = await _elsewhere(scene, record, kept)
    async with scene.clock() as clock:
        found = await diary.kept(clock.superuser)
        record.seconds = time.monotonic() - begin
    record.lost_seconds = diary.lost_seconds(found)
    record.lost = [f"what the archive did not have yet: {len(diary.answered) - found} of {len(diary.answered)} changes"]
    said = f"{stack.backup.sizes()}, archived at the latest {ARCHIVE_TIMEOUT} s later"
    record.expect("restored", holds=0 < found <= len(diary.answered), found=said)
    async with scene.gateway() as gateway:
        _, session = await session_of(gateway, stack.env, scene.people, next(iter(scene.people.all())))
        photos = (await session.call(gateway.profiles.ListPhotos, ListPhotosRequest())).photos
        whole = [objects.is_jpeg(await objects.fetch(photo.url)) for photo in photos]
    record.expect("photos", holds=bool(whole) and all(whole), found=f"{len(whole)} of a member come from the copy")


async def _elsewhere(scene: Scene, record: Record, kept: Path) -> DrillStack:
    lost = scene.stack
    folder = RunFolder(lost.folder.path.parent / "elsewhere")
    folder.lock.acquire()
    await asyncio.to_thread(_copy, kept, folder.path, SECRETS)
    await asyncio.to_thread(_copy, lost.folder.path, folder.path, OUTSIDE)
    stack = DrillStack(folder, scene.progress)
    stack.settings = lost.settings
    with record.step("the base backup and the archive into a new Postgres, without a moment"):
        await asyncio.to_thread(stack.backup.copy, lost.backup)
        await stack.backup.restore()
        await stack.start_postgres()
    with record.step("the S3 from its copy"):
        await asyncio.to_thread(_copy, kept, folder.path, ("s3",))
        await stack.start_s3()
    with record.step("the Jobs cluster, migrate and streams"):
        await stack.migrate()
        await stack.start_nats()
        await stack.make_streams()
    with record.step("start the services, with new certificates at new addresses"):
        await stack.start_payments()
        await stack.start_services()
        stack.all_started()
    scene.stack = stack
    with record.step("python -m unora_<context> republish, for each context"):
        await stack.republish()
    await lost.stop()
    return stack


def _copy(source: Path, target: Path, names: Sequence[str]) -> None:
    """Copy files and folders; what is not there is left out."""
    target.mkdir(exist_ok=True)
    for name in names:
        found = source / name
        if found.is_dir():
            shutil.copytree(found, target / name, ignore=shutil.ignore_patterns("*.sock"), dirs_exist_ok=True)
        elif found.exists():
            shutil.copy2(found, target / name)


DRILL: Final = Drill("region", "The region is lost", play)
