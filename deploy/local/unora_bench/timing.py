"""`python -m unora_bench.timing`: whether the time of an answer tells what it must not tell (XX-04).

The answers are equal byte by byte, which tests show; this compares how long they take, on a stack of its own. Calls are
made one at a time, in pairs of a usual and a hidden case, the first of each pair drawn at random, and the pairs of all
cases in turn: so whatever else the machine does touches both alike. A usual case compared with itself shows what chance
does.

SendInterest (ID-16): the member on the card is there, has paused, has closed the account, or is restricted.
StartPhoneVerification (ID-02, ID-13): the number has no account, has one, or has a closed one; the device is unknown.
"""

from __future__ import annotations

import argparse
import asyncio
import random
import sys
import time
from collections.abc import Awaitable, Callable, Sequence
from dataclasses import dataclass
from typing import Final

import asyncpg
import numpy as np
import uvloop
from unora.identity.v1.account_service_pb2 import StartPhoneVerificationRequest, VerifyPhoneRequest
from unora.matching.v1.matching_service_pb2 import SendInterestRequest
from unora_common.ids import uuid7
from unora_local.client import Gateway, request_id
from unora_local.run_folder import RunFolder
from unora_local.sms_box import SmsBox

from unora_bench import call_rows, processor
from unora_bench.call_rows import CARD, CARDS, HOLDER, POOL, SHOWN
from unora_bench.driving import tokens_of
from unora_bench.pairs import HEAD, Comparison
from unora_bench.stack import new_folder, own_stack, say

AT_ONCE: Final = 8
WARM_UP: Final = 50
STATES: Final = ("there", "paused", "closed", "restricted")
"""Of the members on cards: that of the member with this number modulo four."""
INVENTORIES: Final = f"""
    INSERT INTO matching.inventory (user_id, tier, active_connection_count, connection_limit, version, paused, closed,
        away_version, away_at, restricted, standing_version, standing_at)
    SELECT {SHOWN.sql("n")}, 'free', 0, 1, 1, n % 4 = 1, n % 4 = 2, 1, clock.now(), n % 4 = 3, 1, clock.now()
    FROM generate_series(0, {POOL} - 1) AS n"""
CLOSE: Final = """
    UPDATE identity.users SET closed_at = clock.now(), erase_after = clock.now() + interval '30 days'
    WHERE id = ANY ($1::text[]::uuid[])"""
FORGET: Final = ("phone_challenges", "code_spending", "code_totals")
"""What is left of the codes by which the accounts were made: numbers without an account must have no less."""
Act = Callable[[], Awaitable[object]]


@dataclass(frozen=True)
class Case:
    """Pairs of calls: the usual ones, and those whose difference must not be seen."""

    name: str
    usual: Sequence[Act]
    hidden: Sequence[Act]


async def measure(folder: RunFolder, pairs: int, pause: float) -> list[Comparison]:
    """All cases, with so many pairs each."""
    async with own_stack(folder) as env, Gateway.at(env) as gateway:
        connection = await asyncpg.connect(env.postgres)
        try:
            say("members with cards")
            holders = call_rows.holders_for(cards_needed(pairs))
            await call_rows.make(env.postgres, holders=holders, refreshers=0, pairs=0)
            await connection.execute("SET session_replication_role = replica")
            await connection.execute(INVENTORIES)
            say(f"{pairs * 2} accounts")
            numbers = await _numbers(gateway, SmsBox(env.sms_sandbox), connection, pairs)
            await connection.execute("ANALYZE")
        finally:
            await connection.close()
        await processor.at_rest(folder.rows())
        tokens = tokens_of(HOLDER, folder, holders)
        cases = [*_interests(gateway, tokens, pairs), *_codes(gateway, numbers, pairs)]
        say(f"{len(cases)} cases of {pairs} pairs")
        return await in_turn(cases, pairs, pause)


async def in_turn(cases: Sequence[Case], pairs: int, pause: float, seed: int = 0) -> list[Comparison]:
    """Makes the calls of all cases pair by pair, and tells now and then how far it is. The first `WARM_UP` pairs that
    a case has beyond `pairs` are made before. Each call comes after a pause of so many seconds: what follows from the
    events of one call would make the next one longer.
    """
    order, times = random.Random(seed), {case.name: np.zeros((2, pairs)) for case in cases}  # noqa: S311
    for case in cases:
        for act in [*case.usual[pairs:], *case.hidden[pairs:]]:
            await act()
    for at in range(pairs):
        for case in cases:
            both = [(0, case.usual[at]), (1, case.hidden[at])]
            order.shuffle(both)
            for kind, act in both:
                await asyncio.sleep(pause)
                begin = time.perf_counter()
                await act()
                times[case.name][kind, at] = (time.perf_counter() - begin) * 1000
        if at % 100 == 99:
            say(f"{at + 1} of {pairs} pairs")
    return [Comparison(case.name, *times[case.name]) for case in cases]


def cards_needed(pairs: int) -> int:
    """How many cards there must be: a quarter of them shows who is there, and each case takes some of those."""
    return (pairs + WARM_UP) * (len(STATES) + 1) * len(STATES)


def cards_by_state(holders: int, seed: int = 0) -> dict[str, list[int]]:
    """The numbers of all cards, by the state of the member that they show. They are in no order: else cases would
    differ by who sends, and how often that member has sent before.
    """
    found: dict[str, list[int]] = {state: [] for state in STATES}
    for card in range(holders * CARDS):
        slot, holder = divmod(card, holders)
        found[STATES[(holder * 7 + slot) % POOL % len(STATES)]].append(card)
    for cards in found.values():
        random.Random(seed).shuffle(cards)  # noqa: S311
    return found


def _interests(gateway: Gateway, tokens: Sequence[str], pairs: int) -> list[Case]:
    cards = {state: iter(found) for state, found in cards_by_state(len(tokens)).items()}

    def send(card: int) -> Act:
        request = SendInterestRequest(request_id=request_id(), card_id=str(CARD.id(card)))
        return lambda: gateway.call(gateway.matching.SendInterest, request, tokens[card % len(tokens)])

    def some(state: str) -> list[Act]:
        return [send(next(cards[state])) for _ in range(pairs + WARM_UP)]

    return [Case(f"SendInterest: there, {state}", some("there"), some(state)) for state in STATES]


async def _numbers(
    gateway: Gateway, box: SmsBox, connection: asyncpg.Connection[asyncpg.Record], pairs: int
) -> dict[str, list[str]]:
    """Numbers with an account, and with a closed one. What their codes have left is removed."""
    turns, made = asyncio.Semaphore(AT_ONCE), {"an account": 0, "a closed account": 1}

    async def sign_up(number: str) -> str:
        async with turns:
            device = str(uuid7())
            asked = StartPhoneVerificationRequest(request_id=request_id(), phone_number=number, device_id=device)
            challenge = (await gateway.call(gateway.accounts.StartPhoneVerification, asked)).challenge_id
            given = VerifyPhoneRequest(
                request_id=request_id(), challenge_id=challenge, code=box.code(number), device_id=device
            )
            return (await gateway.call(gateway.accounts.VerifyPhone, given)).user_id

    found = {kind: [f"+49151{block}{n:07}" for n in range(pairs + WARM_UP)] for kind, block in made.items()}
    users = {kind: await asyncio.gather(*map(sign_up, numbers)) for kind, numbers in found.items()}
    await connection.execute(CLOSE, users["a closed account"])
    for table in FORGET:
        await connection.execute(f"DELETE FROM identity.{table}")
    return found


def _codes(gateway: Gateway, numbers: dict[str, list[str]], pairs: int) -> list[Case]:
    free = iter(range(10_000_000))

    def ask(number: str) -> Act:
        request = StartPhoneVerificationRequest(request_id=request_id(), phone_number=number, device_id=str(uuid7()))
        return lambda: gateway.call(gateway.accounts.StartPhoneVerification, request)

    def absent() -> list[Act]:
        return [ask(f"+491512{next(free):07}") for _ in range(pairs + WARM_UP)]

    asked = {"no account": absent(), **{kind: [ask(each) for each in found] for kind, found in numbers.items()}}
    return [Case(f"StartPhoneVerification: no account, {kind}", absent(), acts) for kind, acts in asked.items()]


def main() -> None:
    """Parses the command line, measures, and prints a table."""
    parser = argparse.ArgumentParser(
        prog="python -m unora_bench.timing", description=__doc__, formatter_class=argparse.RawTextHelpFormatter
    )
    parser.add_argument("--pairs", type=int, default=1000, help="pairs of calls of each case (1000)")
    parser.add_argument("--pause", type=float, default=0.2, help="seconds of rest before each call (0.2)")
    options = parser.parse_args()
    try:
        with new_folder("timing") as folder, asyncio.Runner(loop_factory=uvloop.new_event_loop) as runner:
            found = runner.run(measure(folder, options.pairs, options.pause))
    except KeyboardInterrupt:
        sys.exit(130)
    print("\n".join([*HEAD, *(each.row() for each in found)]))


if __name__ == "__main__":
    main()
