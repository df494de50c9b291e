"""ID-10: a member asks for the export of their own data, and gets a link to its archive."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from uuid import UUID

from unora_common.database import Session, Tx
from unora_common.ids import random_id

from unora_identity.domain.exports import Export, ExportNotFound, ExportState
from unora_identity.domain.sessions import require_recent_sign_in
from unora_identity.resources import Resources
from unora_identity.store import exports
from unora_identity.use_cases.sessions import get_current, lock_with_session


@dataclass(frozen=True, slots=True, kw_only=True)
class ExportLink:
    """An export, and the link to its archive if this session may have it."""

    export: Export
    link: str = ""
    expires_at: datetime | None = None
    sign_in_needed: bool = False


async def ask_for_export(tx: Tx, resources: Resources, session: UUID) -> Export:
    """ID-10: the export that a job will make; the caller's newest one, if it is in the making or of this day. Raises
    SignInTooOld, and SessionRevoked.
    """
    policy, now = resources.policy, resources.machine_now()
    _, current = await lock_with_session(tx, session)
    require_recent_sign_in(current, now, policy)
    newest = await exports.find_newest(tx)
    if newest is not None and newest.answers(now, policy):
        return newest
    return await exports.add(tx, random_id(), session, policy.export_kept)


async def get_export(session: Session, resources: Resources, current: UUID) -> ExportLink:
    """ID-10: the caller's newest export, with a fresh link. Raises ExportNotFound, and SessionRevoked."""
    policy, now = resources.policy, resources.machine_now()
    signed_in = await get_current(session, current)
    export = await exports.find_newest(session)
    if export is None:
        raise ExportNotFound
    if not export.may_be_fetched_by(signed_in, now, policy):
        return ExportLink(export=export, sign_in_needed=export.state is ExportState.READY)
    link = resources.photo_store.link(export.object_key, life=policy.link_life)
    return ExportLink(export=export, link=link, expires_at=now + policy.link_life)
