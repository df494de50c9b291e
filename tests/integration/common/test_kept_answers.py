"""One call, one transaction, one response (BI-08)."""

from __future__ import annotations

import asyncio

import pytest
from unora.streak.v1.events_pb2 import CheckedIn
from unora.streak.v1.streak_service_pb2 import EFFORT_SIGNAL_HIGH, CheckInRequest, CheckInResponse, Streak
from unora_common.database import Tx
from unora_common.errors import DomainError
from unora_common.ids import uuid7

from tests.integration.common.bare_world import BareWorld, Probe, check_in_request
from tests.support import refusal

pytestmark = pytest.mark.rule("BI-08")


async def test_a_repeat_gets_the_first_response_and_does_nothing(bare_world: BareWorld) -> None:
    streaks, member, request = await bare_world.probe(), bare_world.caller(), check_in_request()
    first = await streaks.CheckIn(request, metadata=member.metadata)
    again = await streaks.CheckIn(request, metadata=member.metadata)
    assert again == first
    assert await bare_world.keys() == [request.streak_id]
    assert len(await bare_world.events(CheckedIn, request.streak_id)) == 1


async def test_a_repeat_does_nothing_even_if_its_work_would_succeed_again(bare_world: BareWorld) -> None:
    """Only the key of the stored response stops the second call."""

    class Counter(Probe):
        async def check_in(self, request: CheckInRequest, tx: Tx) -> CheckInResponse:
            count = await tx.value("INSERT INTO streak.probe (key) VALUES ($1) RETURNING number", str(uuid7()))
            return CheckInResponse(streak=Streak(cycle=count))

    streaks, member, request = await bare_world.probe(Counter), bare_world.caller(), check_in_request()
    answers = [await streaks.CheckIn(request, metadata=member.metadata) for _ in range(3)]
    assert {answer.streak.cycle for answer in answers} == {1}
    assert len(await bare_world.keys()) == 1


async def test_fifty_repeats_at_once_have_one_effect_and_one_response(bare_world: BareWorld) -> None:
    streaks, member, request = await bare_world.probe(), bare_world.caller(), check_in_request()
    answers = await asyncio.gather(*(streaks.CheckIn(request, metadata=member.metadata) for _ in range(50)))
    assert len({answer.SerializeToString() for answer in answers}) == 1
    assert await bare_world.keys() == [request.streak_id]
    assert len(await bare_world.events(CheckedIn, request.streak_id)) == 1


async def test_repeats_through_two_processes_have_one_effect(bare_world: BareWorld) -> None:
    streaks, member, request = await bare_world.probe(), bare_world.caller(), check_in_request()
    other = await bare_world.open(servicers=[Probe])
    async with bare_world.stub_of(other) as elsewhere:
        answers = await asyncio.gather(
            *(stub.CheckIn(request, metadata=member.metadata) for stub in [streaks, elsewhere] * 10)
        )
    assert len({answer.SerializeToString() for answer in answers}) == 1
    assert await bare_world.keys() == [request.streak_id]


@pytest.mark.parametrize("taken", [True, False], ids=["the work is refused", "the work would succeed"])
async def test_the_same_request_id_with_another_body_is_refused_and_changes_nothing(
    bare_world: BareWorld, taken: bool
) -> None:
    streaks, member, request = await bare_world.probe(), bare_world.caller(), check_in_request()
    await streaks.CheckIn(request, metadata=member.metadata)
    other = check_in_request(request.streak_id if taken else "", request.request_id)
    other.effort_signal = EFFORT_SIGNAL_HIGH
    refused = await refusal(streaks.CheckIn(other, metadata=member.metadata))
    assert (refused.code, refused.reason, refused.domain) == ("INVALID_ARGUMENT", "REQUEST_ID_REUSED", "unora.streak")
    assert list(refused.violations) == ["request_id"]
    assert await bare_world.keys() == [request.streak_id]


async def test_a_refusal_may_leave_something_behind_and_has_no_response_to_keep(bare_world: BareWorld) -> None:
    class NotNow(DomainError):
        reason = "NOT_NOW"
        sentence = "Not now."

    class Refuses(Probe):
        async def check_in(self, request: CheckInRequest, tx: Tx) -> CheckInResponse:
            await tx.run("INSERT INTO streak.probe (key) VALUES ($1)", str(uuid7()))
            tx.emit(CheckedIn(streak_id=request.streak_id, version=await tx.value("SELECT count(*) FROM streak.probe")))
            tx.refuse(NotNow())
            return CheckInResponse()

    streaks, member, request = await bare_world.probe(Refuses), bare_world.caller(), check_in_request()
    refused = [await refusal(streaks.CheckIn(request, metadata=member.metadata)) for _ in range(3)]
    assert {each.reason for each in refused} == {"NOT_NOW"}
    assert len(await bare_world.keys()) == 3
    assert len(await bare_world.events(CheckedIn, request.streak_id)) == 3


async def test_a_request_id_belongs_to_its_member(bare_world: BareWorld) -> None:
    """The same id of another member is another call, and neither member learns of the other's call."""
    streaks, request = await bare_world.probe(), check_in_request()
    await streaks.CheckIn(request, metadata=bare_world.caller().metadata)
    other = check_in_request(request_id=request.request_id)
    answer = await streaks.CheckIn(other, metadata=bare_world.caller().metadata)
    assert answer.streak.streak_id == other.streak_id
    refused = await refusal(streaks.CheckIn(request, metadata=bare_world.caller().metadata))
    assert refused.reason == "PROBE_TAKEN"


async def test_a_repeat_gets_the_first_response_even_if_it_would_be_refused_now(bare_world: BareWorld) -> None:
    streaks, member, request = await bare_world.probe(), bare_world.caller(), check_in_request()
    first = await streaks.CheckIn(request, metadata=member.metadata)
    refused = await refusal(streaks.CheckIn(check_in_request(request.streak_id), metadata=member.metadata))
    assert refused.reason == "PROBE_TAKEN"
    assert await streaks.CheckIn(request, metadata=member.metadata) == first


class Closed(DomainError):
    reason = "CLOSED"
    sentence = "It is closed."


async def test_a_refusal_is_not_stored(bare_world: BareWorld) -> None:
    class Door(Probe):
        closed = True

        async def check_in(self, request: CheckInRequest, tx: Tx) -> CheckInResponse:
            answer = await super().check_in(request, tx)
            if Door.closed:
                raise Closed
            return answer

    streaks, member, request = await bare_world.probe(Door), bare_world.caller(), check_in_request()
    assert (await refusal(streaks.CheckIn(request, metadata=member.metadata))).reason == "CLOSED"
    assert await bare_world.keys() == []
    Door.closed = False
    await streaks.CheckIn(request, metadata=member.metadata)
    assert await bare_world.keys() == [request.streak_id]


async def test_a_deadlock_is_tried_again(bare_world: BareWorld) -> None:
    """Two calls that lock the same rows in opposite order: Postgres ends one, and its caller does not notice.

    The second attempt begins when the other call has both rows: before that it could cause another deadlock.
    """
    meeting, won = asyncio.Barrier(2), asyncio.Event()
    tries: list[str] = []

    class Crossing(Probe):
        async def check_in(self, request: CheckInRequest, tx: Tx) -> CheckInResponse:
            first, second = ("a", "b") if request.streak_id == one.streak_id else ("b", "a")
            tries.append(first)
            again = len(tries) > 2
            if again:
                await won.wait()
            await tx.run("UPDATE streak.probe SET value = 'x' WHERE key = $1", first)
            if not again:
                await meeting.wait()
            await tx.run("UPDATE streak.probe SET value = 'x' WHERE key = $1", second)
            won.set()
            return CheckInResponse()

    one, two = check_in_request(), check_in_request()
    await bare_world.superuser.execute(
        f"ALTER ROLE unora_streak IN DATABASE {bare_world.database} SET deadlock_timeout = '10ms'"
    )
    await bare_world.superuser.execute("INSERT INTO streak.probe (key) VALUES ('a'), ('b')")
    streaks, member = await bare_world.probe(Crossing), bare_world.caller()
    await asyncio.gather(*(streaks.CheckIn(request, metadata=member.metadata) for request in (one, two)))
    assert sorted(tries[:2]) == ["a", "b"]
    assert len(tries) == 3, "the call that Postgres ended has to be tried again"


async def test_stored_responses_are_deleted_after_a_day_of_the_machines_clock(bare_world: BareWorld) -> None:
    """Moving the rule clock deletes nothing: the age of the row by the machine's clock counts."""
    streaks, member, request = await bare_world.probe(), bare_world.caller(), check_in_request()
    first = await streaks.CheckIn(request, metadata=member.metadata)
    housekeeping = bare_world.apps["streak"].jobs[-1]
    await bare_world.superuser.execute("UPDATE clock.shift SET ahead = ahead + interval '30 days'")
    await housekeeping.step()
    assert await streaks.CheckIn(request, metadata=member.metadata) == first
    await _age(bare_world, "23 hours 59 minutes")
    await housekeeping.step()
    assert await streaks.CheckIn(request, metadata=member.metadata) == first
    await _age(bare_world, "2 minutes")
    assert await housekeeping.step() == 1
    assert (await refusal(streaks.CheckIn(request, metadata=member.metadata))).reason == "PROBE_TAKEN"


async def _age(bare_world: BareWorld, interval: str) -> None:
    await bare_world.superuser.execute(f"UPDATE streak.kept_answers SET kept_at = kept_at - interval '{interval}'")
