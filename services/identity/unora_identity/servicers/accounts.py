"""AccountService: sign-up, sign-in, sessions and the keys that verify them."""

from __future__ import annotations

from uuid import UUID

from unora.identity.v1.account_service_pb2 import (
    ChangePhoneRequest,
    ChangePhoneResponse,
    CloseAccountRequest,
    CloseAccountResponse,
    GetAccountRequest,
    GetAccountResponse,
    GetJwksRequest,
    GetJwksResponse,
    ListSessionsRequest,
    ListSessionsResponse,
    PauseAccountRequest,
    PauseAccountResponse,
    RecoverAccountRequest,
    RecoverAccountResponse,
    RefreshSessionRequest,
    RefreshSessionResponse,
    ReopenAccountRequest,
    ReopenAccountResponse,
    ResumeAccountRequest,
    ResumeAccountResponse,
    RevokeOtherSessionsRequest,
    RevokeOtherSessionsResponse,
    RevokeSessionRequest,
    RevokeSessionResponse,
    SessionTokens,
    StartPhoneChangeRequest,
    StartPhoneChangeResponse,
    StartPhoneVerificationRequest,
    StartPhoneVerificationResponse,
    StartRecoveryCheckRequest,
    StartRecoveryCheckResponse,
    VerifyPhoneRequest,
    VerifyPhoneResponse,
)
from unora_common.call import Call
from unora_common.client_network import client_network
from unora_common.database import Session, Tx
from unora_common.errors import InvalidArgument, Unauthenticated
from unora_common.handlers import custom_read, custom_write, idempotent, reads
from unora_common.messages import to_timestamp
from unora_common.pages import DEFAULT_SIZE, Listing, Place
from unora_common.runtime import Runtime

from unora_identity.config import IdentityConfig
from unora_identity.domain.card import make_card
from unora_identity.messages.accounts import to_account, to_session, to_session_tokens
from unora_identity.messages.profiles import from_date
from unora_identity.providers.code_alarm import CodeAlarm
from unora_identity.providers.random_secrets import NewRefreshToken, new_refresh_token
from unora_identity.resources import Resources
from unora_identity.servicers.requests import current_session, read_code_entry
from unora_identity.store import members, sessions
from unora_identity.use_cases.closing import close_account
from unora_identity.use_cases.pauses import pause_account, resume_account
from unora_identity.use_cases.phone_change import change_phone, start_phone_change
from unora_identity.use_cases.phone_verification import start_phone_verification
from unora_identity.use_cases.recovery import by_gov_id, by_linked_account, recover_account, start_recovery_check
from unora_identity.use_cases.sessions import (
    SignedIn,
    refresh_session,
    revoke_other_sessions,
    revoke_own_session,
)
from unora_identity.use_cases.sign_in import reopen_account, verify_phone


class Accounts:
    """Accounts and their sessions (ID-01 to ID-03, ID-09, ID-12 to ID-16)."""

    service = "unora.identity.v1.AccountService"

    def __init__(self, runtime: Runtime[IdentityConfig, Resources]) -> None:
        self.runtime = runtime
        self.alarm = CodeAlarm(runtime.log, runtime.metrics)

    @custom_write
    async def StartPhoneVerification(
        self, request: StartPhoneVerificationRequest, call: Call
    ) -> StartPhoneVerificationResponse:
        """ID-02: sends a code; the response does not tell whether the number has an account."""
        challenge = await start_phone_verification(
            self.runtime,
            self.alarm,
            request.phone_number,
            UUID(request.request_id),
            request.device_id,
            client_network(call),
        )
        return StartPhoneVerificationResponse(
            challenge_id=str(challenge.id), expires_at=to_timestamp(challenge.expires_at)
        )

    @custom_write
    async def VerifyPhone(self, request: VerifyPhoneRequest, call: Call) -> VerifyPhoneResponse:
        """ID-02: takes the code and opens a session."""
        fresh = new_refresh_token()
        entry = read_code_entry(request, birth_date=request.birth_date, totp_code=request.totp_code)
        result = await verify_phone(self.runtime, self.alarm, entry, fresh)
        return VerifyPhoneResponse(
            user_id=str(result.user), created=result.created_account, tokens=self._tokens(result, fresh)
        )

    @custom_write
    async def ReopenAccount(self, request: ReopenAccountRequest, call: Call) -> ReopenAccountResponse:
        """ID-09: takes the code, and opens a closed account and a session."""
        fresh = new_refresh_token()
        entry = read_code_entry(request, birth_date=request.birth_date, totp_code=request.totp_code)
        result = await reopen_account(self.runtime, self.alarm, entry, fresh)
        return ReopenAccountResponse(user_id=str(result.user), tokens=self._tokens(result, fresh))

    @custom_write
    async def RecoverAccount(self, request: RecoverAccountRequest, call: Call) -> RecoverAccountResponse:
        """ID-13: takes the code and a proof, and opens an account that had lost its number, and a session."""
        fresh, resources = new_refresh_token(), self.runtime.resources
        if request.proof.HasField("linked_account"):
            linked, nonce = request.proof.linked_account, UUID(request.challenge_id)
            subject = await resources.oidc.subject(linked.provider, linked.id_token, nonce)
            proof = by_linked_account(resources, linked.provider, subject)
        else:
            proof = by_gov_id(resources, UUID(request.proof.gov_id_reference))
        result = await recover_account(
            self.runtime, self.alarm, read_code_entry(request), proof, fresh, replaces=request.replaces_account
        )
        return RecoverAccountResponse(user_id=str(result.user), tokens=self._tokens(result, fresh))

    @custom_write
    async def StartRecoveryCheck(self, request: StartRecoveryCheckRequest, call: Call) -> StartRecoveryCheckResponse:
        """ID-06, ID-13: takes the code, and begins a check of a Gov ID; returns its reference and its page."""
        born = from_date("date_of_birth", request.date_of_birth)
        if born is None:
            raise InvalidArgument({"date_of_birth": "is not a whole date of the calendar"})
        started = await start_recovery_check(self.runtime, self.alarm, read_code_entry(request), request.name, born)
        return StartRecoveryCheckResponse(reference=str(started.reference), url=started.url)

    @custom_write
    async def RefreshSession(self, request: RefreshSessionRequest, call: Call) -> RefreshSessionResponse:
        """ID-03: exchanges a refresh token for fresh tokens."""
        fresh = new_refresh_token()
        result = await refresh_session(self.runtime, request.refresh_token, UUID(request.request_id), fresh)
        return RefreshSessionResponse(tokens=self._tokens(result, fresh))

    @custom_read
    async def GetJwks(self, request: GetJwksRequest, call: Call) -> GetJwksResponse:
        """ID-03: the keys that verify access tokens."""
        keys = self.runtime.resources.access_tokens.jwks()["keys"]
        return GetJwksResponse(keys=[GetJwksResponse.Key(**key) for key in keys])

    @custom_read
    async def ListSessions(self, request: ListSessionsRequest, call: Call) -> ListSessionsResponse:
        """ID-03: the caller's active sessions."""
        assert call.user is not None
        listing, size = Listing("sessions", call.user), request.page_size or DEFAULT_SIZE
        after, now = listing.place(request.page_token), self.runtime.resources.machine_now()
        async with self.runtime.database.session(call.user) as db:
            found = await sessions.list_active(db, now, after, size + 1)
        page, token = listing.page(found, size, lambda session: Place(session.started_at, session.id))
        return ListSessionsResponse(
            sessions=[to_session(session, call.session) for session in page], next_page_token=token
        )

    @idempotent(prepare=current_session)
    async def RevokeSession(self, request: RevokeSessionRequest, tx: Tx, current: UUID) -> RevokeSessionResponse:
        """ID-03, SA-06: ends a session of the caller."""
        await revoke_own_session(tx, self.runtime.resources, UUID(request.session_id), current)
        return RevokeSessionResponse()

    @idempotent(prepare=current_session)
    async def RevokeOtherSessions(
        self, request: RevokeOtherSessionsRequest, tx: Tx, current: UUID
    ) -> RevokeOtherSessionsResponse:
        """ID-12, SA-06: ends all sessions of the caller but the one of this call."""
        await revoke_other_sessions(tx, self.runtime.resources, current)
        return RevokeOtherSessionsResponse()

    @custom_write
    async def StartPhoneChange(self, request: StartPhoneChangeRequest, call: Call) -> StartPhoneChangeResponse:
        """ID-14: sends a code to the new number; the response does not tell whether it has an account."""
        assert call.user is not None
        challenge = await start_phone_change(
            self.runtime,
            self.alarm,
            call.user,
            call.require_session(),
            request.phone_number,
            UUID(request.request_id),
            client_network(call),
        )
        return StartPhoneChangeResponse(challenge_id=str(challenge.id), expires_at=to_timestamp(challenge.expires_at))

    @custom_write
    async def ChangePhone(self, request: ChangePhoneRequest, call: Call) -> ChangePhoneResponse:
        """ID-14: takes the code and changes the number."""
        assert call.user is not None
        await change_phone(
            self.runtime,
            self.alarm,
            call.user,
            call.require_session(),
            UUID(request.challenge_id),
            request.code,
            UUID(request.request_id),
        )
        return ChangePhoneResponse()

    @reads
    async def GetAccount(self, request: GetAccountRequest, db: Session) -> GetAccountResponse:
        """The caller's own account, in the one read that a home screen needs."""
        account = await members.find(db, db.user)
        if account is None:
            raise Unauthenticated
        card = make_card(account.member, account.now, self.runtime.resources.policy)
        return GetAccountResponse(account=to_account(account, card))

    @idempotent
    async def PauseAccount(self, request: PauseAccountRequest, tx: Tx) -> PauseAccountResponse:
        """ID-16: the caller is shown to nobody, and connections go on."""
        return PauseAccountResponse(paused_at=to_timestamp(await pause_account(tx, self.runtime.resources)))

    @idempotent
    async def ResumeAccount(self, request: ResumeAccountRequest, tx: Tx) -> ResumeAccountResponse:
        """ID-16: the pause is over."""
        await resume_account(tx, self.runtime.resources)
        return ResumeAccountResponse()

    @idempotent(prepare=current_session)
    async def CloseAccount(self, request: CloseAccountRequest, tx: Tx, current: UUID) -> CloseAccountResponse:
        """ID-09: for all others the caller is gone."""
        erase_after = await close_account(tx, self.runtime.resources, current)
        return CloseAccountResponse(erase_after=to_timestamp(erase_after))

    def _tokens(self, result: SignedIn, fresh: NewRefreshToken) -> SessionTokens:
        access = self.runtime.resources.access_tokens.sign(
            user_id=result.user,
            session_id=result.session,
            roles=result.roles,
            suspended=result.suspended,
            until=result.admin_until,
        )
        return to_session_tokens(access, fresh.text, result.token)
