"""Members who signed up through the services: with a phone, a profile and photos, in a server, on each other's cards.

No event is published by hand: the contexts get each other's events through the streams.
"""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Sequence
from dataclasses import dataclass
from datetime import UTC, timedelta
from functools import partial
from typing import Any
from uuid import UUID

from unora.billing.v1 import billing_service_pb2 as billing
from unora.billing.v1.billing_service_pb2_grpc import BillingServiceStub
from unora.discovery.v1.discovery_service_pb2 import (
    Card,
    GetFiltersRequest,
    GetScreenRequest,
    ListPartnerCardsRequest,
    ListServersRequest,
)
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
    GetHistoryRequest,
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
from tests.integration.safety.moderators import Moderators
from tests.integration.safety.safety_calls import SafetyCalls
from tests.support import confirm, request_id

CROWD = 4
"""With two more members a server has six, so that each sees all the others."""
MINUTE = timedelta(minutes=1)


@dataclass
class Member(Caller):
    """A member with a phone; calls use the session of the last sign-in."""

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
        """The member, for the helpers of identity."""
        return Signed(self, None, False)  # type: ignore[arg-type]


class Scenario:
    """All seven services as members use them."""

    def __init__(self, world: World) -> None:
        self.world = world
        self.arrivals = Arrivals(world)
        self.pool = Pool(world)
        self.matches = Matches(world)
        self.safety = SafetyCalls(world)
        self.moderators = Moderators(world)
        self.streaks = world.stub(StreakServiceStub, "streak")
        self.reveals = world.stub(RevealServiceStub, "reveal")
        self.billing = world.stub(BillingServiceStub, "billing")
        self.crowd: list[Member] = []

    # Signing up

    async def sign_in(self, phone: str = "", device: str = "") -> Member:
        phone = phone or self.arrivals.number()
        challenge = await self.arrivals.start(phone)
        given = VerifyPhoneRequest(
            request_id=request_id(),
            challenge_id=challenge.challenge_id,
            code=self.arrivals.codes(phone)[-1],
            device_id=device,
        )
        done = await self.arrivals.accounts.VerifyPhone(given)
        return Member(phone, UUID(done.user_id), done.tokens.access_token, done.tokens.refresh_token)

    async def add_member(self, *servers: Server, profile: Profile = ADA) -> Member:
        """A member with all that discovery requires, in these servers; of the photos only the rows exist."""
        member = await self.sign_in()
        for position in (1, 2, 3):
            await insert_photo(self.world, member, position)
        await self.arrivals.set_hobbies(member.signed)
        await self.arrivals.update_profile(member.signed, profile)
        await self.world.drain()
        for server in servers or (PARTNER,):
            await self.pool.join(member, server)
        return member

    async def add_pair(self, *servers: Server) -> tuple[Member, Member]:
        """Two new members who can see each other and the crowd, and no other member."""
        await self.pool.empty()
        for each in self.crowd:
            for server in servers or (PARTNER,):
                await self.pool.join(each, server)
        return await self.add_member(*servers), await self.add_member(*servers)

    # Meeting

    async def cards(self, viewer: Caller, server: Server = PARTNER) -> dict[str, Card]:
        """The current batch, or a new one, by the member on each card, which only matching and safety may resolve."""
        screen = await self.pool.screen(viewer, server)
        batch = screen.batch if screen.HasField("batch") else (await self.pool.refresh(viewer, server)).batch
        return {(await self.pool.resolve(viewer, card.card_id)).user_id: card for card in batch.cards}

    async def send_interest(self, sender: Caller, receiver: Caller, server: Server = PARTNER) -> Any:
        """An interest on a card."""
        sent = await self.matches.send(sender, (await self.cards(sender, server))[receiver.id].card_id)
        await self.world.drain()
        return sent

    async def connect(self, one: Caller, other: Caller, server: Server = PARTNER) -> Connection:
        await self.send_interest(one, other, server)
        made = await self.send_interest(other, one, server)
        assert made.HasField("connection")
        connection: Connection = made.connection
        return connection

    # Days

    async def streak(self, member: Caller, connection_id: str) -> Streak:
        answer = await self.streaks.GetDashboard(GetDashboardRequest(), metadata=member.metadata)
        (found,) = (each for each in answer.streaks if each.connection_id == connection_id)
        return found

    async def check_in(self, streak_id: str, *members: Caller) -> None:
        for member in members:
            asked = CheckInRequest(request_id=request_id(), streak_id=streak_id, effort_signal=EFFORT_SIGNAL_MEDIUM)
            await self.streaks.CheckIn(asked, metadata=member.metadata)

    async def next_day(self, member: Caller, connection_id: str) -> None:
        ends = (await self.streak(member, connection_id)).day_ends_at.ToDatetime(UTC)
        await self.world.move_clock(ends + MINUTE)

    async def play(self, connection: Connection, one: Caller, other: Caller, days: int) -> str:
        """Both check in on this many days; the clock stays on the last day. Returns the streak's id."""
        streak_id = (await self.streak(one, connection.connection_id)).streak_id
        for day in range(days):
            await self.check_in(streak_id, one, other)
            if day < days - 1:
                await self.next_day(one, connection.connection_id)
        await self.world.drain()
        return streak_id

    # Reveals

    def open(self, member: Caller, streak_id: str, number: int) -> Awaitable[OpenRevealResponse]:
        asked = OpenRevealRequest(request_id=request_id(), streak_id=streak_id, reveal_number=number)
        return self.reveals.OpenReveal(asked, metadata=member.metadata)

    async def list_reveals(self, member: Caller, streak_id: str) -> Sequence[Reveal]:
        asked = ListRevealsRequest(streak_id=streak_id)
        return (await self.reveals.ListReveals(asked, metadata=member.metadata)).reveals

    # Answers to members

    async def account(self, member: Caller) -> Account:
        return (await self.arrivals.accounts.GetAccount(GetAccountRequest(), metadata=member.metadata)).account

    def reads(self, member: Caller, streak_id: str = "") -> dict[str, Callable[[], Awaitable[Any]]]:
        """Every read of a member, at least one of each context; without links to photos, which are new at each read."""
        accounts, profiles = self.arrivals.accounts, self.arrivals.profiles
        discovery, matching, safety = self.pool.discovery, self.matches.matching, self.safety.stub
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
            "history": (self.streaks.GetHistory, GetHistoryRequest()),
            "answers": (personality.ListMyAnswers, ListMyAnswersRequest()),
            "subscription": (self.billing.GetSubscription, billing.GetSubscriptionRequest()),
            "credits": (self.billing.GetCredits, billing.GetCreditsRequest()),
            "entries": (self.billing.ListCreditEntries, billing.ListCreditEntriesRequest()),
            "payments": (self.billing.ListPayments, billing.ListPaymentsRequest()),
            "partners": (discovery.ListPartnerCards, ListPartnerCardsRequest()),
            "blocks": (safety.ListBlocks, ListBlocksRequest()),
        }
        if streak_id:
            calls["streak"] = (self.streaks.GetStreak, GetStreakRequest(streak_id=streak_id))
            calls["reveals"] = (self.reveals.ListReveals, ListRevealsRequest(streak_id=streak_id))
        return {name: partial(method, request, metadata=member.metadata) for name, (method, request) in calls.items()}

    async def read_all(self, member: Caller, streak_id: str = "") -> dict[str, bytes]:
        """All answers to a member, as bytes, without the time of the answer."""
        answers = {name: await read() for name, read in self.reads(member, streak_id).items()}
        for answer in answers.values():
            if "server_time" in answer.DESCRIPTOR.fields_by_name:
                answer.ClearField("server_time")
        return {name: answer.SerializeToString(deterministic=True) for name, answer in answers.items()}

    # Money

    async def subscribe(self, member: Caller, tier: str) -> None:
        """A tier that is paid for at the stand-in of the payment provider."""
        asked = billing.SubscribeRequest(request_id=request_id(), tier=f"TIER_{tier}")  # type: ignore[arg-type]
        made = await self.billing.Subscribe(asked, metadata=member.metadata)
        await self.pay(made.confirmation)

    async def recover(self, member: Caller, streak_id: str) -> str:
        """A recovery paid by money. Returns the payment's id."""
        asked = billing.CreatePaymentRequest(
            request_id=request_id(),
            purpose=billing.PAYMENT_PURPOSE_RECOVERY,
            method=billing.PAYMENT_METHOD_MONEY,
            streak_id=streak_id,
        )
        made = await self.billing.CreatePayment(asked, metadata=member.metadata)
        await self.pay(made.confirmation)
        return made.payment.payment_id

    async def pay(self, confirmation: billing.Confirmation) -> None:
        assert await confirm(self.world.payments_url, confirmation) == 200
        await self.world.drain()

    # Safety

    async def decide(self, about: Caller, decision: Any) -> None:
        """A moderator takes and decides the newest case about a member; all contexts get the events."""
        await self.moderators.decide_newest_case(about, decision)
        await self.world.drain()

    @staticmethod
    def by_connection(connection: Connection) -> Target:
        return Target(connection_id=connection.connection_id)

    @staticmethod
    def by_card(card: Card) -> Target:
        return Target(card_id=card.card_id)

    async def much_later(self, *members: Caller, days: int = 15) -> None:
        """Moves the clock until shown members may be shown again and pending interests have expired.

        The members are in the server again, without a batch.
        """
        for member in members:
            await self.pool.leave(member)
        await self.world.move_clock(timedelta(days=days))
        for member in members:
            await self.pool.join(member)
