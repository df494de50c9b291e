"""Members who really arrived: with a phone, a profile and photos, in a server, on each other's cards.

Nothing is told by hand here: what one context does, the others hear of through the streams.
"""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Sequence
from dataclasses import dataclass
from datetime import UTC, timedelta
from functools import partial
from typing import Any
from uuid import UUID

import httpx
from unora.billing.v1 import billing_service_pb2 as billing
from unora.billing.v1.billing_service_pb2_grpc import BillingServiceStub
from unora.discovery.v1.discovery_service_pb2 import Card, GetFiltersRequest, GetScreenRequest, ListServersRequest
from unora.identity.v1.account_service_pb2 import Account, GetAccountRequest, ListSessionsRequest, VerifyPhoneRequest
from unora.identity.v1.profile_service_pb2 import GetOnboardingRequest, GetProfileRequest, Profile
from unora.identity.v1.verification_service_pb2 import ListSignalsRequest
from unora.identity.v1.verification_service_pb2_grpc import VerificationServiceStub
from unora.matching.v1.matching_service_pb2 import (
    Connection,
    GetInventoryRequest,
    ListConnectionsRequest,
    ListSentInterestsRequest,
)
from unora.reveal.v1.personality_service_pb2 import ListMyAnswersRequest
from unora.reveal.v1.personality_service_pb2_grpc import PersonalityServiceStub
from unora.reveal.v1.reveal_service_pb2 import (
    ListRevealsRequest,
    OpenRevealRequest,
    OpenRevealResponse,
    Reveal,
)
from unora.reveal.v1.reveal_service_pb2_grpc import RevealServiceStub
from unora.safety.v1.safety_service_pb2 import ListBlocksRequest, Target
from unora.streak.v1.streak_service_pb2 import (
    EFFORT_SIGNAL_MEDIUM,
    CheckInRequest,
    GetDashboardRequest,
    GetStreakRequest,
    Streak,
)
from unora.streak.v1.streak_service_pb2_grpc import StreakServiceStub
from unora_testing.world import Caller, World

from tests.integration.discovery.pool import PARTNER, Pool, Server
from tests.integration.identity.people import ADA, Signed
from tests.integration.identity.people import People as Arrivals
from tests.integration.matching.people import People as Matches
from tests.integration.reveal.reveal_pair import insert_photo
from tests.integration.safety.meetings import Meetings
from tests.integration.safety.office import Office
from tests.support import request_id

CROWD = 4
"""With these and two more a server has six, so that each sees all the others."""
MINUTE = timedelta(minutes=1)


@dataclass
class Resident(Caller):
    """A member with a phone to sign in with; the newest session is the one that calls."""

    phone: str
    user: UUID
    token: str
    refresh_token: str

    @property
    def id(self) -> str:  # type: ignore[override]
        return str(self.user)

    @property
    def metadata(self) -> tuple[tuple[str, str], ...]:  # type: ignore[override]
        return (("authorization", f"Bearer {self.token}"),)

    @property
    def signed(self) -> Signed:
        """As the helpers of identity take it."""
        return Signed(self, None, False)  # type: ignore[arg-type]


class Town:
    """All seven services as members use them."""

    def __init__(self, world: World) -> None:
        self.world = world
        self.arrivals = Arrivals(world)
        self.pool = Pool(world)
        self.matches = Matches(world)
        self.meetings = Meetings(world)
        self.office = Office(world)
        self.streaks = world.stub(StreakServiceStub, "streak")
        self.reveals = world.stub(RevealServiceStub, "reveal")
        self.billing = world.stub(BillingServiceStub, "billing")
        self.crowd: list[Resident] = []

    # Arriving

    async def sign_in(self, phone: str = "", device: str = "") -> Resident:
        phone = phone or self.arrivals.number()
        challenge = await self.arrivals.start(phone)
        given = VerifyPhoneRequest(
            request_id=request_id(),
            challenge_id=challenge.challenge_id,
            code=self.arrivals.codes(phone)[-1],
            device_id=device,
        )
        done = await self.arrivals.accounts.VerifyPhone(given)
        return Resident(phone, UUID(done.user_id), done.tokens.access_token, done.tokens.refresh_token)

    async def arrive(self, *servers: Server, profile: Profile = ADA) -> Resident:
        """Someone with all that Discovery asks for, in these servers; of their photos only the records are there."""
        who = await self.sign_in()
        for position in (1, 2, 3):
            await insert_photo(self.world, who, position)
        await self.arrivals.choose(who.signed)
        await self.arrivals.tell(who.signed, profile)
        await self.world.drain()
        for server in servers or (PARTNER,):
            await self.pool.join(who, server)
        return who

    async def couple(self, *servers: Server) -> tuple[Resident, Resident]:
        """Two newcomers whom the whole crowd and each other can see, and nobody else."""
        await self.pool.empty()
        for each in self.crowd:
            for server in servers or (PARTNER,):
                await self.pool.join(each, server)
        return await self.arrive(*servers), await self.arrive(*servers)

    # Meeting

    async def cards(self, viewer: Caller, server: Server = PARTNER) -> dict[str, Card]:
        """The batch there is, or a new one, by who is behind the cards, which only matching and safety may ask."""
        screen = await self.pool.screen(viewer, server)
        batch = screen.batch if screen.HasField("batch") else (await self.pool.refresh(viewer, server)).batch
        return {(await self.pool.resolve(viewer, card.card_id)).user_id: card for card in batch.cards}

    async def wish(self, sender: Caller, receiver: Caller, server: Server = PARTNER) -> Any:
        """An interest on a card."""
        sent = await self.matches.send(sender, (await self.cards(sender, server))[receiver.id].card_id)
        await self.world.drain()
        return sent

    async def connect(self, one: Caller, other: Caller, server: Server = PARTNER) -> Connection:
        await self.wish(one, other, server)
        made = await self.wish(other, one, server)
        assert made.HasField("connection")
        connection: Connection = made.connection
        return connection

    # Days

    async def streak(self, who: Caller, connection_id: str) -> Streak:
        answer = await self.streaks.GetDashboard(GetDashboardRequest(), metadata=who.metadata)
        (found,) = (each for each in answer.streaks if each.connection_id == connection_id)
        return found

    async def check_in(self, streak_id: str, *members: Caller) -> None:
        for member in members:
            asked = CheckInRequest(request_id=request_id(), streak_id=streak_id, effort_signal=EFFORT_SIGNAL_MEDIUM)
            await self.streaks.CheckIn(asked, metadata=member.metadata)

    async def next_day(self, who: Caller, connection_id: str) -> None:
        ends = (await self.streak(who, connection_id)).day_ends_at.ToDatetime(UTC)
        await self.world.move_clock(ends + MINUTE)

    async def play(self, connection: Connection, one: Caller, other: Caller, days: int) -> str:
        """Both keep so many days; the clock stays on the last. Returns the streak."""
        streak_id = (await self.streak(one, connection.connection_id)).streak_id
        for day in range(days):
            await self.check_in(streak_id, one, other)
            if day < days - 1:
                await self.next_day(one, connection.connection_id)
        await self.world.drain()
        return streak_id

    # Reveals

    def open(self, who: Caller, streak_id: str, number: int) -> Awaitable[OpenRevealResponse]:
        asked = OpenRevealRequest(request_id=request_id(), streak_id=streak_id, reveal_number=number)
        return self.reveals.OpenReveal(asked, metadata=who.metadata)

    async def list_reveals(self, who: Caller, streak_id: str) -> Sequence[Reveal]:
        asked = ListRevealsRequest(streak_id=streak_id)
        return (await self.reveals.ListReveals(asked, metadata=who.metadata)).reveals

    # What members are told

    async def account(self, who: Caller) -> Account:
        return (await self.arrivals.accounts.GetAccount(GetAccountRequest(), metadata=who.metadata)).account

    def reads(self, who: Caller, streak_id: str = "") -> dict[str, Callable[[], Awaitable[Any]]]:
        """Every read that a member has, one of each context at least; but for links to photos, new at each look."""
        accounts, profiles = self.arrivals.accounts, self.arrivals.profiles
        discovery, matching, safety = self.pool.discovery, self.matches.matching, self.meetings.safety
        signals = self.world.stub(VerificationServiceStub, "identity")
        personality = self.world.stub(PersonalityServiceStub, "reveal")
        calls: dict[str, tuple[Any, Any]] = {
            "account": (accounts.GetAccount, GetAccountRequest()),
            "sessions": (accounts.ListSessions, ListSessionsRequest()),
            "profile": (profiles.GetProfile, GetProfileRequest()),
            "onboarding": (profiles.GetOnboarding, GetOnboardingRequest()),
            "signals": (signals.ListSignals, ListSignalsRequest()),
            "servers": (discovery.ListServers, ListServersRequest()),
            "screen": (discovery.GetScreen, GetScreenRequest(server_type=PARTNER)),
            "filters": (discovery.GetFilters, GetFiltersRequest(server_type=PARTNER)),
            "interests": (matching.ListSentInterests, ListSentInterestsRequest()),
            "inventory": (matching.GetInventory, GetInventoryRequest()),
            "connections": (matching.ListConnections, ListConnectionsRequest(show_ended=True)),
            "dashboard": (self.streaks.GetDashboard, GetDashboardRequest()),
            "answers": (personality.ListMyAnswers, ListMyAnswersRequest()),
            "subscription": (self.billing.GetSubscription, billing.GetSubscriptionRequest()),
            "credits": (self.billing.GetCredits, billing.GetCreditsRequest()),
            "entries": (self.billing.ListCreditEntries, billing.ListCreditEntriesRequest()),
            "payments": (self.billing.ListPayments, billing.ListPaymentsRequest()),
            "blocks": (safety.ListBlocks, ListBlocksRequest()),
        }
        if streak_id:
            calls["streak"] = (self.streaks.GetStreak, GetStreakRequest(streak_id=streak_id))
            calls["reveals"] = (self.reveals.ListReveals, ListRevealsRequest(streak_id=streak_id))
        return {name: partial(method, request, metadata=who.metadata) for name, (method, request) in calls.items()}

    async def told(self, who: Caller, streak_id: str = "") -> dict[str, bytes]:
        """All that a member is told, byte by byte."""
        return {
            name: (await read()).SerializeToString(deterministic=True)
            for name, read in self.reads(who, streak_id).items()
        }

    # Money

    async def subscribe(self, who: Caller, tier: str) -> None:
        """A tier that is really paid for, with the provider's stand-in."""
        asked = billing.SubscribeRequest(request_id=request_id(), tier=f"TIER_{tier}")  # type: ignore[arg-type]
        made = await self.billing.Subscribe(asked, metadata=who.metadata)
        await self.pay(made.confirmation)

    async def recover(self, who: Caller, streak_id: str) -> str:
        """A recovery paid by money; the payment."""
        asked = billing.CreatePaymentRequest(
            request_id=request_id(),
            purpose=billing.PAYMENT_PURPOSE_RECOVERY,
            method=billing.PAYMENT_METHOD_MONEY,
            streak_id=streak_id,
        )
        made = await self.billing.CreatePayment(asked, metadata=who.metadata)
        await self.pay(made.confirmation)
        return made.payment.payment_id

    async def pay(self, confirmation: billing.Confirmation) -> None:
        form = {"payment_method": "pm_card_visa", "client_secret": confirmation.client_secret}
        async with httpx.AsyncClient(base_url=self.world.payments_url) as client:
            path = f"/v1/payment_intents/{confirmation.provider_payment_id}/confirm"
            assert (await client.post(path, data=form)).status_code == 200
        await self.world.drain()

    # Safety

    async def decide(self, about: Caller, decision: Any) -> None:
        """A moderator takes and decides the newest case about a member, and all hear of it."""
        await self.office.settle_case(about, decision)
        await self.world.drain()

    @staticmethod
    def by_connection(connection: Connection) -> Target:
        return Target(connection_id=connection.connection_id)

    @staticmethod
    def by_card(card: Card) -> Target:
        return Target(card_id=card.card_id)

    async def much_later(self, *members: Caller, days: int = 15) -> None:
        """When who was shown may be shown again, and what pended has expired; in the server again, with no batch."""
        for member in members:
            await self.pool.leave(member)
        await self.world.move_clock(timedelta(days=days))
        for member in members:
            await self.pool.join(member)
