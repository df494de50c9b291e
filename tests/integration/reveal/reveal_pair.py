"""A connected pair in identity, matching and reveal. Events of other contexts are applied to reveal in any order."""

from __future__ import annotations

from collections.abc import Awaitable, Sequence
from dataclasses import dataclass
from typing import Any, TypeVar
from uuid import UUID

from google.protobuf.message import Message
from google.protobuf.timestamp_pb2 import Timestamp
from unora.billing.v1.billing_service_pb2 import PAYMENT_METHOD_MONEY, PAYMENT_PURPOSE_REVEAL
from unora.billing.v1.events_pb2 import PaymentSucceeded, TierChanged
from unora.matching.v1.events_pb2 import ConnectionEnded
from unora.reveal.v1.personality_service_pb2 import Answer, SubmitAnswersRequest
from unora.reveal.v1.personality_service_pb2_grpc import PersonalityServiceStub
from unora.reveal.v1.reveal_service_pb2 import (
    ListRevealsRequest,
    OpenRevealRequest,
    OpenRevealResponse,
    Reveal,
    RevealStatus,
)
from unora.reveal.v1.reveal_service_pb2_grpc import RevealServiceStub
from unora.safety.v1.safety_service_pb2 import BlockUserRequest, Target, UnblockUserRequest
from unora.safety.v1.safety_service_pb2_grpc import SafetyServiceStub
from unora.streak.v1.events_pb2 import DayCompleted, StreakCompleted, StreakStarted
from unora_common.ids import uuid7
from unora_common.messages import TIERS
from unora_reveal.consumers.billing import PaymentEvents, TierEvents
from unora_reveal.consumers.matching import ConnectionEvents
from unora_reveal.consumers.streak import StreakEvents
from unora_testing.places import LISBON
from unora_testing.world import Caller, World

from tests.support import request_id

E = TypeVar("E", StreakStarted, DayCompleted, StreakCompleted)
NAME = "Wilhelmina Okonkwo-Reyes"
BIO = "Cartographer of small islands, and a collector of unfinished maps."
HOBBIES = (
    ("bread_baking", "A rye starter that survived three house moves"),
    ("hiking", "Ridge paths at dawn with a notebook in my pocket"),
    ("chess", "Slow games by letter with a friend in Turku"),
)
SECRETS = ("wilhelmina", "okonkwo", "reyes", "cartographer", "islands", "starter", "notebook", "turku")


@dataclass
class RevealPair:
    """Two members, their connection, its streak, and their reveals."""

    world: World
    a: Caller
    b: Caller
    connection_id: UUID
    streak_id: UUID

    # Events of other contexts

    def streak_started(self) -> StreakStarted:
        return self._event(StreakStarted, 0)

    def day_completed(self, days: int) -> DayCompleted:
        return self._event(DayCompleted, days)

    def streak_completed(self) -> StreakCompleted:
        return self._event(StreakCompleted, 15)

    def connection_ended(self) -> ConnectionEnded:
        return ConnectionEnded(
            connection_id=str(self.connection_id),
            version=2,
            user_a_id=self.a.id,
            user_b_id=self.b.id,
            ended_by_id=self.b.id,
            occurred_at=self._at(),
        )

    def payment_succeeded(self, payer: Caller, number: int, payment: str = "") -> PaymentSucceeded:
        return PaymentSucceeded(
            payment_id=payment or request_id(),
            version=2,
            payer_id=payer.id,
            purpose=PAYMENT_PURPOSE_REVEAL,
            method=PAYMENT_METHOD_MONEY,
            amount=199,
            streak_id=str(self.streak_id),
            reveal_number=number,
            occurred_at=self._at(),
        )

    async def apply(self, *events: Message) -> None:
        """Applies events in reveal, each in a transaction of its own, as the consumers do."""
        app = self.world.apps["reveal"]
        runtime = app.runtime
        streaks, connections = StreakEvents(runtime), ConnectionEvents(runtime)
        payments, tiers = PaymentEvents(runtime), TierEvents(runtime)
        for event in events:
            connected = isinstance(event, PaymentSucceeded) and await payments.is_connected(event)
            async with app.database.transaction() as tx:
                match event:
                    case StreakStarted():
                        await streaks.on_streak_started(event, tx)
                    case DayCompleted():
                        await streaks.on_day_completed(event, tx)
                    case StreakCompleted():
                        await streaks.on_streak_completed(event, tx)
                    case ConnectionEnded():
                        await connections.on_connections_ended([event], tx)
                    case PaymentSucceeded():
                        await payments.on_payment_succeeded(event, tx, connected)
                    case TierChanged():
                        await tiers.on_tier_changed(event, tx)
                    case _:
                        raise AssertionError(event)

    async def end_in_matching(self) -> None:
        """Ends the connection in matching, without an event."""
        await self.world.superuser.execute(
            """UPDATE matching.connections SET connection_status = 'ended', ended_at = clock.now(), ended_by_id = $2,
               end_reason = 'other', version = version + 1 WHERE id = $1""",
            self.connection_id,
            self.b.user,
        )

    async def block(self, blocker: Caller) -> str:
        """Blocks the other member in safety; no event is delivered. Returns the block's id."""
        request = BlockUserRequest(request_id=request_id(), target=Target(connection_id=str(self.connection_id)))
        stub = self.world.stub(SafetyServiceStub, "safety")
        return str((await stub.BlockUser(request, metadata=blocker.metadata)).block.block_id)

    async def unblock(self, blocker: Caller, block_id: str) -> None:
        request = UnblockUserRequest(request_id=request_id(), block_id=block_id)
        await self.world.stub(SafetyServiceStub, "safety").UnblockUser(request, metadata=blocker.metadata)

    # Calls of the members

    @property
    def reveals(self) -> RevealServiceStub:
        return self.world.stub(RevealServiceStub, "reveal")

    async def list_reveals(self, member: Caller) -> Sequence[Reveal]:
        request = ListRevealsRequest(streak_id=str(self.streak_id))
        return (await self.reveals.ListReveals(request, metadata=member.metadata)).reveals

    async def statuses(self, member: Caller) -> list[str]:
        """The statuses of the five reveals by number, such as EARNED."""
        return [
            RevealStatus.Name(each.status).removeprefix("REVEAL_STATUS_") for each in await self.list_reveals(member)
        ]

    def open(self, member: Caller, number: int, request: str = "") -> Awaitable[OpenRevealResponse]:
        asked = OpenRevealRequest(
            request_id=request or request_id(), streak_id=str(self.streak_id), reveal_number=number
        )
        answer: Awaitable[OpenRevealResponse] = self.reveals.OpenReveal(asked, metadata=member.metadata)
        return answer

    async def stored_reveal(self, member: Caller, number: int) -> dict[str, Any]:
        """The reveal as it is stored, with its content."""
        found = await self.world.superuser.fetchrow(
            """SELECT r.*, c.content_json, c.photo_ids FROM reveal.reveals r
               LEFT JOIN reveal.reveal_contents c ON c.reveal_id = r.id
               WHERE r.streak_id = $1 AND r.user_id = $2 AND r.reveal_number = $3""",
            *(self.streak_id, member.user, number),
        )
        assert found is not None
        return dict(found)

    async def submit_answers(self, member: Caller, answers: dict[int, int]) -> None:
        """Answers personality questions 1 to 35: question → 1 disagree to 5 agree."""
        request = SubmitAnswersRequest(
            request_id=request_id(),
            answers=[Answer(question_id=question, answer=answer) for question, answer in answers.items()],
        )
        stub = self.world.stub(PersonalityServiceStub, "reveal")
        await stub.SubmitAnswers(request, metadata=member.metadata)

    async def set_tier(self, member: Caller, tier: str) -> None:
        """Sets the tier without an event: what is due by it is earned with the next day."""
        await self.world.superuser.execute(
            "UPDATE reveal.progressions SET tier = $3 WHERE streak_id = $1 AND user_id = $2",
            *(self.streak_id, member.user, tier),
        )

    def _event(self, kind: type[E], days: int) -> E:
        return kind(
            streak_id=str(self.streak_id),
            version=1000 + days,
            connection_id=str(self.connection_id),
            user_a_id=self.a.id,
            user_b_id=self.b.id,
            completed_days=days,
            occurred_at=self._at(),
        )

    @staticmethod
    def _at() -> Timestamp:
        return Timestamp(seconds=1_767_268_800)


def tier_changed(member: Caller, tier: str, version: int) -> TierChanged:
    """The event of a new tier."""
    return TierChanged(
        user_id=member.id, version=version, tier=TIERS[tier], occurred_at=Timestamp(seconds=1_767_268_800)
    )


async def insert_member(world: World, name: str = NAME) -> Caller:
    """A member with a profile, hobbies and three photos, inserted into the tables of identity."""
    caller, sql = world.caller(), world.superuser
    await sql.execute(
        """INSERT INTO identity.users (id, phone_hash, phone_sealed, data_key, created_at, version)
           VALUES ($1, sha256($2), '', '', clock.now(), 1)""",
        caller.user,
        caller.user.bytes,
    )
    await sql.execute(
        """INSERT INTO identity.profiles (user_id, name, date_of_birth, gender, city, place_id, country, bio, time_zone)
           VALUES ($1, $2, '1990-12-10', 'woman', 'Lisbon', $4, 'PT', $3, 'Europe/Lisbon')""",
        *(caller.user, name, BIO, LISBON),
    )
    await sql.executemany(
        "INSERT INTO identity.hobbies (user_id, hobby_option_id, position, micro_description) VALUES ($1, $2, $3, $4)",
        [(caller.user, option, place + 1, words) for place, (option, words) in enumerate(HOBBIES)],
    )
    for position in (1, 2, 3):
        await insert_photo(world, caller, position)
    return caller


async def insert_photo(world: World, owner: Caller, position: int) -> UUID:
    """A photo's row, without the file."""
    photo = uuid7()
    await world.superuser.execute(
        """INSERT INTO identity.photos (id, user_id, position, object_key, has_face, quality_passed, sharpness,
               brightness, width, height, created_at)
           VALUES ($1, $2, $3, $4, true, true, 9, 0.5, 800, 800, clock.now())""",
        *(photo, owner.user, position, f"photos/{photo}"),
    )
    return photo


async def make_reveal_pair(world: World, *, started: bool = True) -> RevealPair:
    """Two new members with a connection in matching, and with their reveals if the streak has started."""
    a, b = sorted([await insert_member(world), await insert_member(world)], key=lambda each: each.user)
    pair = RevealPair(world, a, b, uuid7(), uuid7())
    await insert_connection(world, pair.connection_id, a, b)
    if started:
        await pair.apply(pair.streak_started())
    return pair


async def insert_connection(world: World, connection_id: UUID, a: Caller, b: Caller) -> None:
    """A connection, inserted into the table of matching; `a` has the lower id."""
    await world.superuser.execute(
        """INSERT INTO matching.connections
               (id, user_a_id, user_b_id, server_type, connection_status, formed_at, version)
           VALUES ($1, $2, $3, 'partner', 'active', clock.now(), 1)""",
        *(connection_id, a.user, b.user),
    )
