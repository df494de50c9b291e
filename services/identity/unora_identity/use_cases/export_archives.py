"""ID-10: the archive of a member's export is made, one part after the other, and deleted when its time is over.

A job takes a claim, which each step renews. If its process dies, the claim runs out, and another process begins the
archive anew, under the same key: the parts of the first are deleted, and at most one of the two completes it.
"""

from __future__ import annotations

from collections.abc import AsyncIterator
from dataclasses import replace
from datetime import datetime, timedelta
from typing import Final

import msgspec
from unora_common.call import set_deadline
from unora_common.failed_rows import row_failed
from unora_common.jobs import MAX_SECONDS
from unora_common.member_export import Fields, Page, export_page
from unora_common.runtime import Runtime
from unora_common.transient import is_transient, log_failure

from unora_identity.clients import export_member
from unora_identity.config import IdentityConfig
from unora_identity.domain.exports import CONTEXTS, archive_key
from unora_identity.providers.parts_upload import abort_uploads, begin_upload
from unora_identity.providers.photo_store import ObjectMissing
from unora_identity.providers.zip_parts import ZipParts
from unora_identity.resources import Resources
from unora_identity.store import exports, own_data
from unora_identity.store.exports import Claim

FORMAT: Final = 1
"""Of the archive; docs/export.md describes it. Fields and sections may be added without a higher one."""
RETRY_DELAY: Final = timedelta(seconds=30)
"""Until the next try, after a fault."""


class ClaimLost(Exception):
    """The claim ran out, and another process has it; or the time of the export is over."""


async def make_next_archive(runtime: Runtime[IdentityConfig, Resources]) -> int:
    """Makes one archive. Returns 0 if none is to be made."""
    database, policy = runtime.database, runtime.resources.policy
    async with database.transaction() as tx:
        claim = await exports.claim(tx)
        if claim is not None and claim.tries > policy.export_tries:
            await exports.fail(tx, claim)
            runtime.log.error("export cannot be made", aggregate_id=str(claim.id))
            return 1
    if claim is None:
        return 0
    making = _Making(runtime, claim)
    try:
        await making.run()
    except ClaimLost:
        runtime.log.warning("export was claimed by another", aggregate_id=str(claim.id))
    except Exception as error:
        async with database.transaction() as tx:
            await exports.release(tx, making.claim, RETRY_DELAY, count=not is_transient(error))
        raise
    return 1


async def delete_archives(runtime: Runtime[IdentityConfig, Resources], limit: int) -> int:
    """Deletes the archives whose time is over, and whatever else their exports left in the object store; then the
    exports. Two replicas do each other no harm.
    """
    store, now, gone = runtime.resources.photo_store, runtime.resources.machine_now(), []
    async with runtime.database.session() as session:
        over = await exports.list_over(session, now, limit)
    for export, user in over.items():
        try:
            await abort_uploads(store, archive_key(user, export))
            await store.delete(archive_key(user, export))
        except Exception as error:  # the others continue
            log_failure(runtime.log, "archive cannot be deleted", error, aggregate_id=str(export))
            row_failed()
        else:
            gone.append(export)
    if not gone:
        return 0
    async with runtime.database.transaction() as tx:
        return await exports.purge(tx, gone, now)


class _Making:
    """One try to make an archive."""

    def __init__(self, runtime: Runtime[IdentityConfig, Resources], claim: Claim) -> None:
        self._runtime = runtime
        self._store = runtime.resources.photo_store
        self.claim = claim
        self._key = archive_key(claim.user_id, claim.id)
        self._files: list[str] = []

    async def run(self) -> None:
        """Raises ClaimLost, and whatever goes wrong."""
        now = self._runtime.resources.machine_now()
        await abort_uploads(self._store, self._key)
        upload = await begin_upload(self._store, self._key, content_type="application/zip")
        try:
            await self._renew(0)  # whoever deletes the export from now on finds this upload
            archive = ZipParts(upload, now.timetuple()[:6])
            for number, context in enumerate(CONTEXTS):
                self._files.append(f"{context}.json")
                await archive.add_pieces(self._files[-1], self._json_of(context, number))
            await self._add_photos(archive)
            await archive.add("export.json", self._manifest(now))
            await self._renew(len(CONTEXTS) + 1)
            await archive.close()
        except Exception:
            await upload.abort()
            raise
        await self._finish(archive.size)

    async def _renew(self, steps_done: int) -> None:
        set_deadline(MAX_SECONDS)  # a large archive may take longer than a job has
        async with self._runtime.database.transaction() as tx:
            until = await exports.renew(tx, self.claim, steps_done)
        if until is None:
            raise ClaimLost
        self.claim = replace(self.claim, claimed_until=until)

    async def _json_of(self, context: str, number: int) -> AsyncIterator[bytes]:
        """The file of one context: {"context": …, "sections": {"<name>": [row, …], …}}, a page at a time."""
        yield b'{"context": "%s", "sections": {' % context.encode()
        section, token = "", None
        while token != "":
            page = await self._page(context, token or "")
            pieces = []
            for part in page.sections:
                if part.section == section:
                    pieces.append(",\n")
                else:
                    pieces.append(f'{"]," if section else ""}\n"{part.section}": [\n')
                    section = part.section
                pieces.append(",\n".join(part.rows))
            yield "".join(pieces).encode()
            token = page.next_token
            await self._renew(number)
        yield b"]}}\n" if section else b"}}\n"

    async def _page(self, context: str, token: str) -> Page:
        if context != self._runtime.context:
            return await export_member(self._runtime.clients, context, self.claim.user_id, token)
        sections = own_data.sections(self._open_phone)
        async with self._runtime.database.session() as session:
            return await export_page(session, sections, self.claim.user_id, token)

    def _open_phone(self, fields: Fields) -> Fields:
        user, sealed, key = fields["user_id"], fields.pop("phone_sealed"), fields.pop("data_key")
        data_key = self._runtime.resources.master_key.unwrap(user, key)
        return {"user_id": user, "phone_number": data_key.open("phone", sealed) if sealed else None, **fields}

    async def _add_photos(self, archive: ZipParts) -> None:
        async with self._runtime.database.session() as session:
            photos = await exports.list_photos(session, self.claim.user_id)
        for photo in photos:
            await self._renew(len(CONTEXTS))
            try:
                picture = await self._store.get(photo.object_key, most_bytes=self._runtime.resources.most_bytes)
            except ObjectMissing:  # deleted meanwhile
                continue
            self._files.append(f"photos/{photo.id}.jpg")
            await archive.add(self._files[-1], picture)

    def _manifest(self, made_at: datetime) -> bytes:
        described = {"format": FORMAT, "user_id": self.claim.user_id, "made_at": made_at, "files": self._files}
        return msgspec.json.format(msgspec.json.encode(described))

    async def _finish(self, size: int) -> None:
        async with self._runtime.database.transaction() as tx:
            done = await exports.finish(tx, self.claim, size, self._runtime.resources.policy.export_kept)
        if done:
            return
        async with self._runtime.database.session() as session:
            kept = await exports.is_kept(session, self.claim.id)
        if not kept:  # what deletes exports may have passed before the object was there
            await self._store.delete(self._key)
        raise ClaimLost
