"""VerificationService: what a member proves besides the phone (ID-04 to ID-07)."""

from __future__ import annotations

from uuid import UUID

from google.api.httpbody_pb2 import HttpBody
from unora.identity.v1.verification_service_pb2 import (
    LinkOAuthRequest,
    LinkOAuthResponse,
    ListSignalsRequest,
    ListSignalsResponse,
    ReceiveGovIdResultResponse,
    StartGovIdRequest,
    StartGovIdResponse,
)
from unora_common.call import Call
from unora_common.database import Session, Tx
from unora_common.handlers import custom_write, idempotent, reads
from unora_common.runtime import Runtime

from unora_identity.config import IdentityConfig
from unora_identity.messages.verification import to_signal
from unora_identity.providers.gov_id import SIGNATURE
from unora_identity.resources import Resources
from unora_identity.store import signals
from unora_identity.use_cases.verification import link_oauth, receive_gov_id_result, start_gov_id_check


class Verification:
    """Signals of trust; only the member sees them (ID-05)."""

    service = "unora.identity.v1.VerificationService"

    def __init__(self, runtime: Runtime[IdentityConfig, Resources]) -> None:
        self.runtime = runtime
        self.resources = runtime.resources

    async def _subject(self, request: LinkOAuthRequest, call: Call) -> tuple[str, UUID]:
        assert call.user is not None
        subject = await self.resources.oidc.subject(request.provider, request.id_token, call.user)
        return subject, call.require_session()

    @idempotent(prepare=_subject)
    async def LinkOAuth(self, request: LinkOAuthRequest, tx: Tx, asked: tuple[str, UUID]) -> LinkOAuthResponse:
        """ID-05: links an account of an OpenID provider, of which only a keyed hash is stored."""
        subject, session = asked
        signal = await link_oauth(tx, self.resources, request.provider, subject, session)
        return LinkOAuthResponse(signal=to_signal(signal))

    @custom_write
    async def StartGovId(self, request: StartGovIdRequest, call: Call) -> StartGovIdResponse:
        """ID-06: begins a check; returns its reference and the provider's page."""
        assert call.user is not None
        started = await start_gov_id_check(self.runtime, call.user, call.require_session(), UUID(request.request_id))
        return StartGovIdResponse(reference=str(started.reference), url=started.url)

    @custom_write
    async def ReceiveGovIdResult(self, request: HttpBody, call: Call) -> ReceiveGovIdResultResponse:
        """ID-06, ID-07: a result that the provider has signed."""
        signature = str(call.metadata.get(SIGNATURE, ""))
        result = self.resources.gov_id.read(request.data, signature, self.resources.machine_now())
        await receive_gov_id_result(self.runtime, result)
        return ReceiveGovIdResultResponse()

    @reads
    async def ListSignals(self, request: ListSignalsRequest, db: Session) -> ListSignalsResponse:
        """ID-05: the caller's own signals."""
        found = await signals.list_by_member(db, db.user)
        return ListSignalsResponse(signals=[to_signal(signal) for signal in found])
