"""The calls that `calls` measures: who makes each, with which request, and the SQL beside it."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Final

from unora.billing.v1.billing_service_pb2 import (
    PAYMENT_METHOD_CREDITS,
    PAYMENT_PURPOSE_REVEAL,
    CreatePaymentRequest,
)
from unora.common.v1.types_pb2 import SERVER_TYPE_PARTNER
from unora.discovery.v1.discovery_service_pb2 import GetScreenRequest, RefreshBatchRequest
from unora.identity.v1.account_service_pb2 import GetAccountRequest
from unora.matching.v1.matching_service_pb2 import SendInterestRequest
from unora.reveal.v1.reveal_service_pb2 import OpenRevealRequest
from unora.streak.v1.streak_service_pb2 import EFFORT_SIGNAL_HIGH, CheckInRequest, GetDashboardRequest
from unora_common.ids import uuid7

from unora_bench import call_rows, call_sql, sql
from unora_bench.call_rows import BUYER, CARD, HOLDER, PAIR_STREAK, REFRESHER
from unora_bench.driver import Call
from unora_bench.population import MEMBER, MEMBERS, READER, STREAK, Kind

CHECK_IN: Final = "/unora.streak.v1.StreakService/CheckIn"
DASHBOARD: Final = "/unora.streak.v1.StreakService/GetDashboard"
REFRESH: Final = "/unora.discovery.v1.DiscoveryService/RefreshBatch"
SCREEN: Final = "/unora.discovery.v1.DiscoveryService/GetScreen"
INTEREST: Final = "/unora.matching.v1.MatchingService/SendInterest"
ACCOUNT: Final = "/unora.identity.v1.AccountService/GetAccount"
REVEAL: Final = "/unora.reveal.v1.RevealService/OpenReveal"
PAYMENT: Final = "/unora.billing.v1.BillingService/CreatePayment"

AIM_SHARE: Final = 0.55
REFRESHES: Final = 10
"""One refresh for so many other calls: it does far more."""


@dataclass(frozen=True, slots=True)
class Subject:
    """One call to measure. Each call has a number: the first `count` are measured, the next `count` are there for the
    warm-up, the third for pgbench, the fourth for the profile.
    """

    method: str
    kind: Kind
    """The members who call."""
    members: Callable[[int], int]
    """How many of them there are, for so many calls."""
    request: Callable[[int], bytes]
    script: Callable[[int], str] | None
    """For pgbench, with the number of members; None if the call is made of calls to other contexts."""
    aim_share: float | None = None
    weight: int = 1
    """One call of this kind for so many of the others."""

    @property
    def name(self) -> str:
        """The method without its service."""
        return self.method.rpartition("/")[2]

    @property
    def context(self) -> str:
        """The context that serves it."""
        return self.method.split(".")[1]

    def calls(self, tokens: list[str], numbers: range) -> list[Call]:
        """The calls with these numbers, with the tokens of the members."""
        return [(tokens[n % len(tokens)], self.request(n)) for n in numbers]


def check_ins(tokens: list[str], first: int, count: int) -> list[Call]:
    """One check-in of each streak from the number `first` on."""
    return [(tokens[n % MEMBERS], check_in(n)) for n in range(first, first + count)]


def check_in(number: int) -> bytes:
    """A check-in of the streak with this number."""
    request = CheckInRequest(
        request_id=str(uuid7()), streak_id=str(STREAK.id(number)), effort_signal=EFFORT_SIGNAL_HIGH
    )
    return request.SerializeToString()


def _interest(number: int) -> bytes:
    return SendInterestRequest(request_id=str(uuid7()), card_id=str(CARD.id(number))).SerializeToString()


def _refresh(_: int) -> bytes:
    return RefreshBatchRequest(request_id=str(uuid7()), server_type=SERVER_TYPE_PARTNER).SerializeToString()


def _reveal(number: int) -> bytes:
    request = OpenRevealRequest(request_id=str(uuid7()), streak_id=str(PAIR_STREAK.id(number)), reveal_number=1)
    return request.SerializeToString()


def _payment(number: int) -> bytes:
    return CreatePaymentRequest(
        request_id=str(uuid7()),
        purpose=PAYMENT_PURPOSE_REVEAL,
        streak_id=str(PAIR_STREAK.id(number)),
        reveal_number=3,
        method=PAYMENT_METHOD_CREDITS,
    ).SerializeToString()


def _of_thousand(_: int) -> int:
    return MEMBERS


SUBJECTS: Final = (
    Subject(
        DASHBOARD,
        READER,
        _of_thousand,
        lambda _: GetDashboardRequest().SerializeToString(),
        lambda _: sql.dashboard(),
        AIM_SHARE,
    ),
    Subject(
        SCREEN,
        HOLDER,
        _of_thousand,
        lambda _: GetScreenRequest(server_type=SERVER_TYPE_PARTNER).SerializeToString(),
        lambda _: call_sql.get_screen(),
        AIM_SHARE,
    ),
    Subject(
        ACCOUNT,
        HOLDER,
        _of_thousand,
        lambda _: GetAccountRequest().SerializeToString(),
        lambda _: call_sql.get_account(),
    ),
    Subject(CHECK_IN, MEMBER, _of_thousand, check_in, lambda _: sql.check_in(), AIM_SHARE),
    Subject(
        INTEREST,
        HOLDER,
        lambda calls: call_rows.holders_for(calls * 3),
        _interest,
        call_sql.send_interest,
        AIM_SHARE,
    ),
    Subject(REVEAL, BUYER, _of_thousand, _reveal, lambda _: call_sql.open_reveal()),
    Subject(PAYMENT, BUYER, _of_thousand, _payment, None),
    Subject(
        REFRESH, REFRESHER, lambda calls: calls * 2, _refresh, lambda _: call_sql.refresh_batch(), AIM_SHARE, REFRESHES
    ),
)
