"""ID-02, ID-11: what a stranger uses up never bars the owner, and no answer tells what it was.

Each test plays a lockout: strangers spend a budget until they are refused, then the owner signs in with a device that
the account knows, and a new device of the owner is refused like the strangers.
"""

from __future__ import annotations

import asyncio
import hashlib
from collections import Counter
from datetime import datetime, timedelta
from uuid import UUID

import grpc
import pytest
from unora_identity.domain.code_budgets import Asker, Codes
from unora_identity.providers.sms import SandboxSms
from unora_identity.store import code_budgets
from unora_testing.world import World

from tests.integration.identity.conftest import Replica
from tests.integration.identity.people import People
from tests.support import Refusal, read_refusal, refusal, request_id

LATER = ("Too many codes were asked for. Try again later.", "There were too many wrong codes. Try again later.")
SPENT = Refusal("RESOURCE_EXHAUSTED", "TOO_MANY_CODES", "unora.identity", {"retry_after": "3600"}, {}, LATER[0])
TRIED_OUT = Refusal("RESOURCE_EXHAUSTED", "TOO_MANY_TRIES", "unora.identity", {"retry_after": "86400"}, {}, LATER[1])


MOMENT = timedelta(microseconds=1)


def device() -> str:
    return f"device-{request_id()}"


def wrong(code: str) -> str:
    return f"{(int(code) + 1) % 10**6:06d}"


async def owner_gets_in(people: People, number: str, own: str, address: str = "") -> None:
    """With a device that the account knows, and with no other."""
    assert await refusal(people.start(number, device=device(), address=address)) == SPENT
    assert await refusal(people.start(number, address=address)) == SPENT
    assert not (await people.sign_in(number, own, address)).created


@pytest.fixture
async def rested(world: World) -> None:
    """No code of an earlier test counts."""
    await world.move_clock(timedelta(hours=1))


@pytest.mark.rule("ID-02")
async def test_codes_that_strangers_ask_for_do_not_bar_a_device_that_the_account_knows(people: People) -> None:
    number, own = people.number(), device()
    await people.sign_in(number, own)
    for _ in range(4):
        await people.start(number, device=device())
    await owner_gets_in(people, number, own)
    for _ in range(4):
        await people.start(number, device=own)
    assert await refusal(people.start(number, device=own)) == SPENT, "the known device has a budget, too"


@pytest.mark.rule("ID-02", "XX-04")
async def test_codes_of_the_owner_are_not_noticed_by_strangers(people: People) -> None:
    number, own, stranger = people.number(), device(), device()
    await people.sign_in(number, own)
    for _ in range(5):
        await people.start(number, device=own)
    for _ in range(4):
        await people.start(number, device=stranger)
    assert await refusal(people.start(number, device=stranger)) == SPENT


@pytest.mark.rule("ID-02")
async def test_wrong_codes_of_strangers_do_not_bar_a_device_that_the_account_knows(
    world: World, people: People
) -> None:
    number, own = people.number(), device()
    await people.sign_in(number, own)
    await world.move_clock(timedelta(hours=1))
    await guess_wrong(people, number, 20)
    new_device = await people.start(number)
    right = people.codes(number)[-1]
    assert await refusal(people.verify(new_device.challenge_id, right)) == TRIED_OUT
    assert await refusal(people.verify(new_device.challenge_id, wrong(right), device=device())) == TRIED_OUT
    assert not (await people.sign_in(number, own)).created
    # An app that names its device only when it sends the code back.
    assert not (await people.verify(new_device.challenge_id, right, device=own)).created
    await world.move_clock(timedelta(hours=24))
    assert not (await people.sign_in(number)).created


async def guess_wrong(people: People, number: str, times: int, by: str = "") -> None:
    """Enters wrong codes, five for each code that is sent."""
    for _ in range(times // 5):
        challenge = (await people.start(number, device=by)).challenge_id
        for _ in range(5):
            assert (await refusal(people.verify(challenge, wrong(people.codes(number)[-1])))).reason == "CODE_WRONG"


@pytest.mark.rule("ID-02")
async def test_a_device_that_the_account_knows_has_twenty_wrong_codes_of_its_own(world: World, people: People) -> None:
    number, own = people.number(), device()
    await people.sign_in(number, own)
    await guess_wrong(people, number, 20, own)
    challenge = await people.start(number, device=own)
    assert await refusal(people.verify(challenge.challenge_id, people.codes(number)[-1], device=own)) == TRIED_OUT
    await guess_wrong(people, number, 5)  # strangers do not notice


@pytest.mark.rule("ID-02")
async def test_of_many_wrong_codes_at_once_over_all_codes_of_a_number_twenty_are_judged(
    world: World, people: People
) -> None:
    number = people.number()
    started = [(await people.start(number)).challenge_id for _ in range(5)]
    guesses = [
        people.verify(challenge, wrong(code))
        for challenge, code in zip(started, people.codes(number), strict=True)
        for _ in range(8)
    ]
    reasons = Counter(each.reason for each in await asyncio.gather(*map(refusal, guesses)))
    assert reasons["CODE_WRONG"] == 20
    assert reasons.keys() <= {"CODE_WRONG", "TOO_MANY_TRIES", "CHALLENGE_CLOSED"}
    assert len(await people.rows("wrong_codes", phone_hash=people.resources.hasher.phone(number))) == 20


@pytest.mark.rule("ID-11")
async def test_a_device_that_spent_its_codes_is_barred_and_its_own_account_is_not(
    rested: None, replica: Replica
) -> None:
    people, spender = await replica(codes_per_device=3), device()
    number = people.number()
    await people.sign_in(number, spender)
    for _ in range(2):
        await people.start(people.number(), device=spender)
    assert await refusal(people.start(people.number(), device=spender)) == SPENT
    assert not (await people.sign_in(number, spender)).created
    assert (await people.sign_in(device=device())).created, "another device is not barred"


@pytest.mark.rule("ID-11")
async def test_an_address_that_spent_its_codes_bars_only_devices_that_the_account_does_not_know(
    rested: None, replica: Replica
) -> None:
    people, own, number = await replica(codes_per_address=3), device(), People.number()
    await people.sign_in(number, own)
    address, same = "2001:db8:1:2:3::1", "2001:db8:1:2::ffff"
    for _ in range(3):
        await people.start(people.number(), address=address)
    assert await refusal(people.start(people.number(), address=same)) == SPENT
    await owner_gets_in(people, number, own, same)
    for other in ("2001:db8:1:3::1", "192.0.2.1", ""):
        assert (await people.start(people.number(), address=other)).challenge_id


@pytest.mark.rule("ID-11")
async def test_a_country_that_spent_its_codes_bars_only_devices_that_the_account_does_not_know(
    rested: None, replica: Replica
) -> None:
    people, own, number = await replica(codes_per_country=4, codes_per_country_of=("41=2",)), device(), People.number()
    await people.sign_in(number, own)
    for _ in range(3):
        await people.start(people.number(), device=device())
    await owner_gets_in(people, number, own)
    for swiss in ("+41791234501", "+41791234502"):
        await people.start(swiss)
    assert await refusal(people.start("+41791234503")) == SPENT
    assert (await people.start("+34612345601")).challenge_id, "another country is not barred"


@pytest.mark.rule("ID-11")
async def test_the_overall_budget_that_is_spent_bars_only_devices_that_no_account_knows(
    rested: None, replica: Replica
) -> None:
    people, own, number = await replica(codes_in_all=5), device(), People.number()
    await people.sign_in(number, own)
    for _ in range(4):
        assert not (await people.sign_in(number, own)).created  # a known device spends nothing of it
    for spanish in range(4):
        await people.start(f"+3461234561{spanish}", device=device(), address=f"192.0.2.{spanish}")
    assert await refusal(people.start("+41791234510")) == SPENT
    await owner_gets_in(people, number, own)


@pytest.mark.rule("ID-11")
async def test_three_hundred_codes_to_three_hundred_numbers_at_once_are_not_all_sent(
    rested: None, replica: Replica
) -> None:
    people = await replica(codes_per_country=40)
    asked = await asyncio.gather(*(people.start(people.number()) for _ in range(300)), return_exceptions=True)
    refused = [read_refusal(error) for error in asked if isinstance(error, grpc.aio.AioRpcError)]
    limited = [each for each in refused if each.reason == "TOO_MANY_CODES"]
    assert limited
    assert all(each == SPENT for each in limited)
    # Calls at the same moment do not see each other, and there are as many as connections for gateways' calls.
    assert len(asked) - len(refused) <= 40 + 4


@pytest.mark.rule("ID-11")
async def test_a_code_that_could_not_be_sent_spends_nothing(
    rested: None, replica: Replica, monkeypatch: pytest.MonkeyPatch
) -> None:
    people = await replica(codes_per_device=2)

    async def fail(to: str, code: str) -> None:
        raise OSError

    asker = device()
    with monkeypatch.context() as broken:
        broken.setattr(SandboxSms, "send_code", lambda self, to, code: fail(to, code))
        for _ in range(3):
            assert (await refusal(people.start(people.number(), device=asker))).code == "UNAVAILABLE"
    for _ in range(2):
        await people.start(people.number(), device=asker)
    assert await refusal(people.start(people.number(), device=asker)) == SPENT


TOTALS_DIFFER = """
    SELECT count(*) FROM (
        SELECT c.calling_code, date_trunc('minute', issued_at) AS minute, count(*) AS codes
        FROM identity.code_spending s CROSS JOIN LATERAL (VALUES (0), (s.calling_code)) AS c (calling_code)
        GROUP BY 1, 2) AS rows
    FULL JOIN (
        SELECT calling_code, minute, sum(codes) AS codes FROM identity.code_totals
        GROUP BY 1, 2 HAVING sum(codes) > 0) AS totals USING (calling_code, minute)
    WHERE rows.codes IS DISTINCT FROM totals.codes"""


@pytest.mark.rule("ID-11")
async def test_the_totals_of_minutes_are_the_codes_that_were_sent_also_at_once(
    world: World, rested: None, replica: Replica, monkeypatch: pytest.MonkeyPatch
) -> None:
    people = await replica(codes_per_country=1000)
    asked = await asyncio.gather(*(people.start(people.number()) for _ in range(60)), return_exceptions=True)
    assert not [each for each in asked if isinstance(each, BaseException)]
    with monkeypatch.context() as broken:
        broken.setattr(SandboxSms, "send_code", _fail)
        assert (await refusal(people.start(people.number()))).code == "UNAVAILABLE"
    assert await world.superuser.fetchval(TOTALS_DIFFER) == 0
    sent = "SELECT sum(codes) FROM identity.code_totals WHERE calling_code = 0 AND minute > $1"
    assert await world.superuser.fetchval(sent, await world.now() - timedelta(minutes=9)) == 60


async def _fail(*_: object) -> None:
    raise OSError


@pytest.mark.rule("ID-11")
@pytest.mark.parametrize("second", [0.0, 29.5, 59.999])
async def test_a_code_counts_for_exactly_an_hour_wherever_in_a_minute_it_was_sent(
    world: World, rested: None, replica: Replica, second: float
) -> None:
    """The codes of the minute in which the window begins are counted one by one where that decides."""
    people = await replica(codes_per_country=3)
    now = await world.now()
    await world.move_clock(now.replace(second=0, microsecond=0) + timedelta(minutes=1, seconds=second))
    await people.start(people.number())
    first: datetime = await world.superuser.fetchval("SELECT max(issued_at) FROM identity.code_spending")
    await world.move_clock(first + timedelta(minutes=30))
    for _ in range(2):
        await people.start(people.number())
    async with world.apps["identity"].database.transaction() as tx:
        allowed = Codes(of_device=9, of_address=9, of_country=3, in_all=9)
        asker = Asker(device=None, address=None, calling_code=49)
        for moment, counted in ((first - MOMENT, 3), (first, 2)):
            assert (await code_budgets.count(tx, asker, moment, allowed)).of_country == counted
    await world.move_clock(first + timedelta(hours=1))
    await people.start(people.number())
    assert await refusal(people.start(people.number())) == SPENT


@pytest.mark.rule("ID-11", "XX-01")
async def test_device_and_address_are_kept_as_keyed_digests(people: People) -> None:
    asker, address = device(), "198.51.100.17"
    challenge = await people.start(people.number(), device=asker, address=address)
    (row,) = await people.rows("code_spending", challenge_id=UUID(challenge.challenge_id))
    assert len(row["device_digest"]) == len(row["address_digest"]) == 32
    kept = b"".join(str(value).encode() if not isinstance(value, bytes) else value for value in row.values())
    assert asker.encode() not in kept
    assert address.encode() not in kept
    assert hashlib.sha256(address.encode()).digest() not in kept
