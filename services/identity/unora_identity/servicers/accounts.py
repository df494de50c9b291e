"""AccountService: sign-up, sign-in, sessions and the keys that verify them."""

from __future__ import annotations

from uuid import UUID

from unora.identity.v1.account_service_pb2 import (
    GetAccountRequest,
    GetAccountResponse,
    GetJwksRequest,
    GetJwksResponse,
    ListSessionsRequest,
    ListSessionsResponse,
    RefreshSessionRequest,
    RefreshSessionResponse,
    RevokeSessionRequest,
    RevokeSessionResponse,
    SessionTokens,
    StartPhoneVerificationRequest,
    StartPhoneVerificationResponse,
    VerifyPhoneRequest,
    VerifyPhoneResponse,
)
from unora_common.call import Call
from unora_common.database import Session, Tx
from unora_common.errors import Unauthenticated
from unora_common.handlers import custom_read, custom_write, idempotent, reads
from unora_common.messages import to_timestamp
from unora_common.pages import DEFAULT_SIZE, Listing, Place
from unora_common.runtime import Runtime

from unora_identity.config import IdentityConfig
from unora_identity.domain.card import card
from unora_identity.domain.sessions import Revocation, SessionNotFound
from unora_identity.messages import to_account, to_session, to_tokens
from unora_identity.providers.access_tokens import NewRefreshToken, new_refresh_token
from unora_identity.resources import Resources
from unora_identity.store import members, sessions
from unora_identity.use_cases import phone_verification
from unora_identity.use_cases.phone_verification import SignedIn


class Accounts:
    """Accounts and their sessions (ID-01 to ID-03)."""

    service = "unora.identity.v1.AccountService"

    def __init__(self, runtime: Runtime[IdentityConfig, Resources]) -> None:
        self.runtime = runtime
        self.resources: Resources = runtime.resources

    @custom_write
    async def StartPhoneVerification(
        self, request: StartPhoneVerificationRequest, call: Call
    ) -> StartPhoneVerificationResponse:
        """ID-02: sends a code; says nothing of whether the number has an account."""
        challenge = await phone_verification.start_phone_verification(
            self.runtime.database, self.resources, request.phone_number, UUID(request.request_id)
        )
        return StartPhoneVerificationResponse(
            challenge_id=str(challenge.id), expires_at=to_timestamp(challenge.expires_at)
        )

    @custom_write
    async def VerifyPhone(self, request: VerifyPhoneRequest, call: Call) -> VerifyPhoneResponse:
        """ID-02: takes the code, opens a session."""
        fresh = new_refresh_token()
        done = await phone_verification.verify_phone(
            self.runtime.database,
            self.resources,
            UUID(request.challenge_id),
            request.code,
            UUID(request.request_id),
            fresh,
            request.device_id,
        )
        return VerifyPhoneResponse(user_id=str(done.user), created=done.created, tokens=self._tokens(done, fresh))

    @custom_write
    async def RefreshSession(self, request: RefreshSessionRequest, call: Call) -> RefreshSessionResponse:
        """ID-03: the session goes on."""
        fresh = new_refresh_token()
        done = await phone_verification.refresh(
            self.runtime.database, self.resources, request.refresh_token, UUID(request.request_id), fresh
        )
        return RefreshSessionResponse(tokens=self._tokens(done, fresh))

    @custom_read
    async def GetJwks(self, request: GetJwksRequest, call: Call) -> GetJwksResponse:
        """ID-03: the keys that verify access tokens."""
        keys = self.resources.tokens.jwks()["keys"]
        return GetJwksResponse(keys=[GetJwksResponse.Key(**key) for key in keys])

    @custom_read
    async def ListSessions(self, request: ListSessionsRequest, call: Call) -> ListSessionsResponse:
        """ID-03: the caller's sessions that go on."""
        assert call.user is not None
        listing, size = Listing("sessions", call.user), request.page_size or DEFAULT_SIZE
        after, now = listing.place(request.page_token), self.resources.machine_now()
        async with self.runtime.database.session(call.user) as db:
            found = await sessions.living(db, now, after, size + 1)
        page, token = listing.page(found, size, lambda living: Place(living.started_at, living.id))
        shown = [to_session(living, call.session) for living in page]
        return ListSessionsResponse(sessions=shown, next_page_token=token)

    @idempotent
    async def RevokeSession(self, request: RevokeSessionRequest, tx: Tx) -> RevokeSessionResponse:
        """ID-03, SA-06: ends a session of the caller's."""
        session = UUID(request.session_id)
        locked = (await members.lock(tx, tx.user)).get(tx.user)
        if locked is None or not await sessions.is_own(tx, session):
            raise SessionNotFound
        await phone_verification.revoke(tx, self.resources, locked, session, Revocation.MEMBER)
        return RevokeSessionResponse()

    @reads
    async def GetAccount(self, request: GetAccountRequest, db: Session) -> GetAccountResponse:
        """The caller's own account, in the one read that a home screen makes."""
        kept = (await members.read(db, db.user)).get(db.user)
        if kept is None:
            raise Unauthenticated
        shown = card(kept.member, kept.now, self.resources.policy)
        return GetAccountResponse(account=to_account(kept, shown))

    def _tokens(self, done: SignedIn, fresh: NewRefreshToken) -> SessionTokens:
        access = self.resources.tokens.sign(
            user_id=done.user, session_id=done.session, roles=done.roles, suspended=done.suspended
        )
        return to_tokens(access, fresh.text, done.token)
