"""At start the server compares the decorator of each RPC method with the contract."""

# ruff: noqa: N802 - methods have their contract's names
from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest
from unora.streak.v1.streak_service_pb2 import (
    CheckInRequest,
    CheckInResponse,
    GetDashboardRequest,
    GetDashboardResponse,
)
from unora_common import handlers, server
from unora_common.call import Call
from unora_common.config import CONTEXTS
from unora_common.declarations import load_service
from unora_common.handler_marks import Handling
from unora_common.policies import MethodPolicy, policies_of, service_descriptor

DECORATORS: dict[Handling, Callable[[Any], Any]] = {each: getattr(handlers, each.value) for each in Handling}
WRITES = {Handling.IDEMPOTENT, Handling.CUSTOM_IDEMPOTENT}
"""What fits CheckIn, whose response is stored for a repeat."""
READS = {Handling.READ, Handling.CUSTOM_READ}
"""What fits GetDashboard, which has no side effects."""


def policy(name: str) -> MethodPolicy:
    found = policies_of(service_descriptor("unora.streak.v1.StreakService"))
    return next(each for each in found if each.name == name)


def servicer(decorator: Callable[[Any], Any]) -> object:
    class Streaks:
        @decorator
        async def CheckIn(self, request: CheckInRequest, call: Call) -> CheckInResponse:
            return CheckInResponse()

        @decorator
        async def GetDashboard(self, request: GetDashboardRequest, call: Call) -> GetDashboardResponse:
            return GetDashboardResponse()

    return Streaks()


@pytest.mark.parametrize("handling", Handling)
@pytest.mark.parametrize(("method", "fitting"), [("CheckIn", WRITES), ("GetDashboard", READS)])
def test_a_decorator_fits_the_contract_or_the_process_does_not_start(
    method: str, fitting: set[Handling], handling: Handling
) -> None:
    made = servicer(DECORATORS[handling])
    if handling in fitting:
        assert server._method(made, policy(method)) == getattr(made, method)
        return
    with pytest.raises(server.ContractError, match=rf"Streaks\.{method} is declared @{handling}, but the contract"):
        server._method(made, policy(method))


def test_a_method_without_a_decorator_is_refused_and_the_choice_is_named() -> None:
    with pytest.raises(server.ContractError, match=r"Streaks\.CheckIn has no decorator; it needs one of @idempotent"):
        server._method(servicer(lambda method: method), policy("CheckIn"))


@pytest.mark.parametrize("context", CONTEXTS)
def test_all_servicers_match_their_contract(context: str) -> None:
    """What a process checks at start, here without a process."""
    for part in load_service(context).servicers:
        assert isinstance(part, type)
        servicer: Any = object.__new__(part)
        for each in policies_of(service_descriptor(servicer.service)):
            server._method(servicer, each)
