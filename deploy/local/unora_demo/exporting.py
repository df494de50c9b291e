"""A member exports all that is kept about them (ID-10)."""

from __future__ import annotations

import asyncio
import io
import json
from typing import Any, Final
from zipfile import ZipFile

from unora.identity.v1.export_service_pb2 import (
    EXPORT_STATE_READY,
    ExportAccountRequest,
    GetExportRequest,
    GetExportResponse,
)
from unora_common.config import CONTEXTS
from unora_local import members, objects
from unora_local.client import Session, Unexpected, request_id
from unora_local.members import SHOTS
from unora_testing.deadlines import GENEROUS

from unora_demo.stage import Stage
from unora_demo.timeline import Note, expect

POLL: Final = 0.5
"""Seconds between two questions whether the archive is ready, as an app would ask."""


async def export(stage: Stage, note: Note) -> None:
    """ID-10: the first of the couple signs in anew, asks, waits, and finds their own data, and nothing of the other."""
    session = await members.sign_in(stage.gateway, stage.box, stage.one.session)
    exports = stage.gateway.exports
    await session.call(exports.ExportAccount, ExportAccountRequest(request_id=request_id()))
    note.now("the archive is made")
    await stage.clock.wait_until_idle()
    got = await _ready(stage, session)
    data = await objects.fetch(got.link)
    archive = ZipFile(io.BytesIO(data))
    sections = {context: _sections(archive, context) for context in CONTEXTS}
    expect("the number", [session.number], [each["phone_number"] for each in sections["identity"]["account"]])
    expect("the name", [stage.one.person.name], [each["name"] for each in sections["identity"]["profile"]])
    photos = [name for name in archive.namelist() if name.startswith("photos/")]
    expect("photos", SHOTS, len(photos))
    expect("pictures", [True] * SHOTS, [objects.is_jpeg(archive.read(name)) for name in photos])
    check_ins = await stage.clock.superuser.fetchval(
        "SELECT count(*) FROM streak.check_ins WHERE user_id::text = $1", stage.one.id
    )
    expect("check-ins", check_ins, len(sections["streak"]["check_ins"]))
    _nothing_of(stage, archive)
    note.detail = f"{check_ins} check-ins, {SHOTS} photos, {len(data) // 1024} kB, and nothing of the other"


async def _ready(stage: Stage, session: Session) -> GetExportResponse:
    for _ in range(round(GENEROUS / POLL)):
        got = await session.call(stage.gateway.exports.GetExport, GetExportRequest())
        if got.export.state == EXPORT_STATE_READY:
            return got
        await asyncio.sleep(POLL)
    raise Unexpected(f"the archive is not ready: {got.export}")


def _sections(archive: ZipFile, context: str) -> dict[str, list[dict[str, Any]]]:
    sections: dict[str, list[dict[str, Any]]] = json.loads(archive.read(f"{context}.json"))["sections"]
    return sections


def _nothing_of(stage: Stage, archive: ZipFile) -> None:
    """Nothing that only the other has is in any file, although the two know each other by now."""
    other = stage.other
    theirs = (other.id, other.session.number, f'"{other.person.name}"')
    for name in archive.namelist():
        if name.endswith(".json"):
            text = archive.read(name).decode()
            expect(f"of the other in {name}", [], [each for each in theirs if each in text])
