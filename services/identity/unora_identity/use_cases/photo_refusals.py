"""PR-07: an uploaded file that is no picture is looked at only so often; then its upload is forgotten."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Final
from uuid import UUID

from unora_common.errors import InvalidArgument
from unora_common.runtime import Runtime

from unora_identity.config import IdentityConfig
from unora_identity.domain.photos import PhotoNotFound, Upload, UploadRefusal
from unora_identity.providers.pictures import PhotoTooLarge, PhotoTooSmall, PhotoUnreadable
from unora_identity.resources import Resources
from unora_identity.store import photo_uploads
from unora_identity.use_cases.photo_objects import delete_objects

BAD_FILES: Final = (PhotoUnreadable, PhotoTooLarge, PhotoTooSmall)
"""The refusals that the file itself deserves: looking at it again cannot help."""
_BY_REASON: Final[Mapping[str, Callable[..., InvalidArgument]]] = {kind.reason: kind for kind in BAD_FILES}


def require_open(upload: Upload, request_id: UUID, resources: Resources) -> None:
    """Refuses a call that was refused before, with the same refusal, and every call for an upload that is forgotten."""
    refusal = upload.refusal_of(request_id)
    if refusal:
        raise _BY_REASON[refusal.reason](**refusal.metadata)
    if upload.is_over(resources.policy) and not upload.completed:
        raise PhotoNotFound


async def note_refusal(
    runtime: Runtime[IdentityConfig, Resources],
    photo: UUID,
    uploaded_key: str,
    request_id: UUID,
    error: InvalidArgument,
) -> None:
    """Keeps the refusal of a call, and deletes the file if it was the last one. If the process dies before that, the
    clean-up deletes the file when the offer is over.
    """
    refusal = UploadRefusal(request_id=request_id, reason=error.reason, metadata=error.metadata)
    async with runtime.database.transaction() as tx:
        count = await photo_uploads.note_refusal(tx, photo, refusal)
    if count >= runtime.resources.policy.upload_refusals_most:
        await delete_objects(runtime.resources, [uploaded_key])
