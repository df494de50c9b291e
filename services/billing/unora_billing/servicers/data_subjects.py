"""DataSubjectService: what billing keeps about one member, for the member (ID-10)."""

from __future__ import annotations

from uuid import UUID

from unora.billing.v1.data_subject_service_pb2 import ExportMemberRequest, ExportMemberResponse
from unora_common.database import Session
from unora_common.handlers import reads
from unora_common.member_export import export_page
from unora_common.runtime import Runtime

from unora_billing.config import BillingConfig
from unora_billing.resources import Resources
from unora_billing.store.own_data import SECTIONS


class DataSubjects:
    """For identity, which makes a member's export."""

    service = "unora.billing.v1.DataSubjectService"

    def __init__(self, runtime: Runtime[BillingConfig, Resources]) -> None:
        self.runtime = runtime

    @reads
    async def ExportMember(self, request: ExportMemberRequest, db: Session) -> ExportMemberResponse:
        """ID-10: a page of the member's own rows."""
        page = await export_page(db, SECTIONS, UUID(request.user_id), request.page_token)
        return ExportMemberResponse(sections=page.sections, next_page_token=page.next_token)
