"""SA-11: exports of the heads of the audit chains, and checkpoints from exports."""

from __future__ import annotations

import asyncio
from collections.abc import Iterable, Mapping
from datetime import UTC, date, timedelta
from pathlib import Path
from typing import Final

from unora_common.config import CONTEXTS
from unora_common.database import Database, Session, Tx
from unora_common.ids import uuid7
from unora_common.whole_files import write_whole

from unora_safety.domain.events import AuditHeadsExported
from unora_safety.domain.head_exports import HeadExport, from_document, make_export, to_document
from unora_safety.messages.events import to_message
from unora_safety.providers.head_signer import HeadSigner
from unora_safety.store import audit, head_exports

FILES_FOR: Final = timedelta(days=31)
"""How far back exports are written that the folder lacks."""


class ExportsContradict(ValueError):
    """Two exports name different hashes for one row: one of them was signed by someone else."""


async def export_today(tx: Tx, signer: HeadSigner) -> bool:
    """Stores and emits the export of the day (UTC, rule clock) if it has none yet. Returns whether it did."""
    now = await tx.read_clock()
    if await head_exports.is_done(tx, now.astimezone(UTC).date()):
        return False
    export = make_export(await audit.list_chains(tx, CONTEXTS), now)
    export_id, document = uuid7(), signer.sign(to_document(export))
    if not await head_exports.add(tx, export.day, export_id, now, document):
        return False
    tx.emit(to_message(AuditHeadsExported(export_id=export_id, version=1, document=document, occurred_at=now)))
    return True


async def sign_heads(db: Session, signer: HeadSigner) -> str:
    """The heads at this moment, signed; it is stored nowhere."""
    now = await db.value("SELECT clock.now()")
    return signer.sign(to_document(make_export(await audit.list_chains(db, CONTEXTS), now)))


async def write_exports(database: Database, folder: Path) -> int:
    """Writes the stored exports of the last days that the folder does not have. Returns how many it wrote."""
    async with database.session() as db:
        today: date = (await db.value("SELECT clock.now()")).astimezone(UTC).date()
        stored = await head_exports.list_since(db, today - FILES_FOR)
    return await asyncio.to_thread(_write_missing, folder, stored)


def read_checkpoints(signer: HeadSigner, documents: Iterable[str]) -> dict[str, dict[int, bytes]]:
    """The exported heads of signed documents: for each context the hashes by row number.

    Raises SignatureInvalid, ExportUnreadable or ExportsContradict.
    """
    checkpoints = dict[str, dict[int, bytes]]()
    for document in documents:
        _add(checkpoints, from_document(signer.verify(document)))
    return checkpoints


def _add(checkpoints: dict[str, dict[int, bytes]], export: HeadExport) -> None:
    for context, head in export.heads.items():
        known: Mapping[int, bytes] = checkpoints.setdefault(context, {})
        if known.get(head.length, head.hash) != head.hash:
            raise ExportsContradict(f"two exports name different hashes for row {head.length} of {context}")
        checkpoints[context][head.length] = head.hash


def _write_missing(folder: Path, exports: Iterable[tuple[date, str]]) -> int:
    written = 0
    for day, document in exports:
        file = folder / f"audit-heads-{day}.jws"
        if not file.exists():
            write_document(file, document)
            written += 1
    return written


def write_document(file: Path, document: str) -> None:
    """Writes an export as a file that appears whole or not at all. Raises OSError, and then leaves nothing behind."""
    write_whole(file, f"{document}\n".encode())
