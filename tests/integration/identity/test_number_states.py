"""ID-02, ID-13: with the right code nobody learns more of a number's earlier accounts than the rules say.

A number that never had an account is the measure: the answers to the others must be the same, to the last field.
"""

from __future__ import annotations

from collections.abc import Mapping
from uuid import UUID, uuid4

import pytest
from google.protobuf.message import Message
from google.type.date_pb2 import Date
from unora.identity.v1.account_service_pb2 import CloseAccountRequest, ReopenAccountRequest
from unora.safety.v1.events_pb2 import RestrictionChanged
from unora_identity.jobs.erasures import ErasureJobs
from unora_testing.world import World

from tests.integration.identity.people import People, Signed, apply
from tests.integration.identity.recovery_desk import WRONG, Desk
from tests.integration.identity.test_erasures import make_due, replica
from tests.support import Refusal, refusal, request_id

pytestmark = pytest.mark.rule("ID-13", "XX-04")


class Numbers:
    """Phone numbers, by what has become of the account that each had."""

    def __init__(self, world: World, people: People) -> None:
        self.world = world
        self.people = people
        self.desk = Desk(world, people)

    async def signed(self, *, born: bool = True) -> tuple[str, Signed]:
        number = self.people.number()
        signed = await self.people.sign_in(number, "own")
        if born:
            await self.people.update_profile(signed)
        return number, signed

    async def closed(self, *, born: bool = True) -> tuple[str, Signed]:
        number, signed = await self.signed(born=born)
        asked = CloseAccountRequest(request_id=request_id())
        await self.people.accounts.CloseAccount(asked, metadata=signed.metadata)
        return number, signed

    async def unused(self, *, born: bool = True) -> tuple[str, Signed]:
        number, signed = await self.signed(born=born)
        await self.people.leave_unused(signed)
        return number, signed

    async def without_an_account(self) -> dict[str, str]:
        """Numbers that nobody's account has, or whose account has lost its claim to them."""
        erased, being_erased, over = [await self.closed() for _ in range(3)]
        await make_due(self.world, erased[1])
        await self.world.drain()
        await make_due(self.world, being_erased[1])
        await ErasureJobs(replica(self.world)).begin_erasures()
        await make_due(self.world, over[1])
        hidden, signed = await self.unused()
        await self.world.superuser.execute(
            """UPDATE identity.users SET phone_hash = NULL, phone_sealed = NULL, hidden_at = clock.now(),
                   erase_after = clock.now() + interval '30 days' WHERE id = $1""",
            signed.member.user,
        )
        return {
            "none": self.people.number(),
            "erased": erased[0],
            "being erased": being_erased[0],
            "over": over[0],
            "hidden": hidden,
        }

    async def with_one(self) -> dict[str, str]:
        """Numbers of accounts that a code alone opens, or does not."""
        suspended, signed = await self.signed()
        await apply(self.world, RestrictionChanged(user_id=signed.member.id, version=1, suspended=True))
        return {
            "in use": (await self.signed())[0],
            "unused": (await self.unused())[0],
            "closed": (await self.closed())[0],
            "suspended": suspended,
        }

    async def reopen(self, number: str, device: str, born: Date | None, totp: str = "") -> Refusal:
        challenge, code = await self.desk.code(number)
        asked = ReopenAccountRequest(
            request_id=request_id(),
            challenge_id=challenge,
            code=code,
            device_id=device,
            birth_date=born,
            totp_code=totp,
        )
        return await refusal(self.people.accounts.ReopenAccount(asked))


@pytest.fixture
def numbers(world: World, people: People) -> Numbers:
    return Numbers(world, people)


def one(seen: Mapping[str, Refusal]) -> Refusal:
    """The one answer to all."""
    first, *others = seen.values()
    assert [each == first for each in others] == [True] * len(others), seen
    return first


def bare(answer: Message) -> bytes:
    """An answer without the ids and tokens that are of one account alone."""
    kept = type(answer)()
    kept.CopyFrom(answer)
    for name in ("user_id", "tokens", "reference", "url"):
        if name in kept.DESCRIPTOR.fields_by_name:
            kept.ClearField(name)
    return kept.SerializeToString(deterministic=True)


@pytest.mark.rule("ID-09")
async def test_reopening_tells_no_number_without_an_account_from_one_that_lost_it(numbers: Numbers) -> None:
    there = await numbers.without_an_account()
    for device, born, totp in (("own", None, ""), ("new", None, ""), ("new", WRONG, ""), ("new", None, "123456")):
        seen = {name: await numbers.reopen(number, device, born, totp) for name, number in there.items()}
        seen["in use"] = await numbers.reopen((await numbers.signed())[0], device, born, totp)
        seen["unused, no birth date"] = await numbers.reopen((await numbers.unused(born=False))[0], "new", born, totp)
        seen["closed, no birth date"] = await numbers.reopen((await numbers.closed(born=False))[0], "new", born, totp)
        assert one(seen).reason == "ACCOUNT_NOT_CLOSED"


@pytest.mark.rule("ID-02", "ID-09")
@pytest.mark.parametrize("born", [None, WRONG])
async def test_a_sign_in_to_each_of_them_makes_an_account(people: People, numbers: Numbers, born: Date | None) -> None:
    seen = {}
    for name, number in (await numbers.without_an_account()).items():
        seen[name] = bare(await people.verify(*await numbers.desk.code(number), device="new", born=born))
    for name, (number, _) in {
        "unused, no birth date": await numbers.unused(born=False),
        "closed, no birth date": await numbers.closed(born=False),
    }.items():
        seen[name] = bare(await people.verify(*await numbers.desk.code(number), device="new", born=born))
    assert set(seen.values()) == {seen["none"]}


@pytest.mark.rule("ID-09")
async def test_without_the_birth_date_a_closed_account_is_like_an_unused_one_for_each_call(
    people: People, numbers: Numbers
) -> None:
    for born, reason in ((None, "BIRTH_DATE_NEEDED"), (WRONG, "BIRTH_DATE_WRONG")):
        seen = {}
        for name, (number, _) in {"closed": await numbers.closed(), "unused": await numbers.unused()}.items():
            seen[f"{name}, sign-in"] = await refusal(
                people.verify(*await numbers.desk.code(number), device="new", born=born)
            )
        for name, (number, _) in {"closed": await numbers.closed(), "unused": await numbers.unused()}.items():
            seen[f"{name}, reopening"] = await numbers.reopen(number, "new", born)
        assert one(seen).reason == reason


async def test_a_proof_of_nothing_tells_nothing_of_the_number(people: People, numbers: Numbers) -> None:
    desk = numbers.desk
    signed, _, _ = await desk.linked()
    there = await numbers.without_an_account() | await numbers.with_one()
    for replaces in (False, True):
        seen = {}
        for name, number in there.items():
            given = await desk.code(number)
            seen[name] = await refusal(desk.recover(signed, f"subject-{uuid4()}", given, replaces=replaces))
        assert one(seen).reason == "NOTHING_TO_RECOVER"
    begun = {bare(await desk.start_check(await desk.code(number))) for number in there.values()}
    assert begun == {b""}
    (row,) = await people.rows("users", phone_hash=people.resources.hasher.phone(there["over"]))
    assert row["hidden_at"] is None


@pytest.mark.rule("ID-09")
async def test_to_the_owner_of_a_hidden_account_all_numbers_that_are_taken_look_alike_and_all_others_are_free(
    numbers: Numbers,
) -> None:
    desk = numbers.desk
    signed, _, subject = await desk.hidden()
    seen = {}
    for name, number in (await numbers.with_one()).items():
        seen[name] = await refusal(desk.recover(signed, subject, await desk.code(number)))
        if name != "in use":  # which gives the number up
            given = await desk.code(number)
            seen[f"{name}, replaced"] = await refusal(desk.recover(signed, subject, given, replaces=True))
    assert one(seen).reason == "PHONE_TAKEN"
    back = set()
    for number in (await numbers.without_an_account()).values():
        signed, _, subject = await desk.hidden()
        answer = await desk.recover(signed, subject, await desk.code(number))
        assert UUID(answer.user_id) == signed.member.user
        back.add(bare(answer))
    assert back == {b""}
