"""ExportService: a member asks for all that is kept about them (ID-10)."""

from __future__ import annotations

from uuid import UUID

from unora.identity.v1.export_service_pb2 import (
    ExportAccountRequest,
    ExportAccountResponse,
    GetExportRequest,
    GetExportResponse,
)
from unora_common.call import Call
from unora_common.database import Tx
from unora_common.handlers import custom_read, idempotent
from unora_common.messages import to_timestamp
from unora_common.runtime import Runtime

from unora_identity.config import IdentityConfig
from unora_identity.messages.exports import to_export
from unora_identity.resources import Resources
from unora_identity.servicers.requests import current_session
from unora_identity.use_cases.exports import ask_for_export, get_export


class Exports:
    """The export of one's own data."""

    service = "unora.identity.v1.ExportService"

    def __init__(self, runtime: Runtime[IdentityConfig, Resources]) -> None:
        self.runtime = runtime

    @idempotent(prepare=current_session)
    async def ExportAccount(self, request: ExportAccountRequest, tx: Tx, current: UUID) -> ExportAccountResponse:
        """ID-10: asks for an archive, which a job makes."""
        return ExportAccountResponse(export=to_export(await ask_for_export(tx, self.runtime.resources, current)))

    @custom_read
    async def GetExport(self, request: GetExportRequest, call: Call) -> GetExportResponse:
        """ID-10: how far the archive is, and a link to it."""
        async with self.runtime.database.session(call.user) as session:
            found = await get_export(session, self.runtime.resources, call.require_session())
        return GetExportResponse(
            export=to_export(found.export),
            link=found.link,
            link_expires_at=to_timestamp(found.expires_at),
            sign_in_needed=found.sign_in_needed,
        )
