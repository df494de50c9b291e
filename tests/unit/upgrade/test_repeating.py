"""What counts as a failed call: one whose repeats are not answered either, or that may not be repeated."""

from __future__ import annotations

from typing import Any, cast

import grpc
import pytest
from unora.identity.v1.account_service_pb2 import GetAccountRequest, GetAccountResponse
from unora_common.config import CONTEXTS
from unora_local.client import Gateway, Refused
from unora_upgrade.repeating import RETRY_DELAYS, RepeatingGateway, Tally

NAME = "AccountService.GetAccount"


class Channel:
    """A channel whose methods are never called."""

    def unary_unary(self, path: str, **_: Any) -> str:
        return path


@pytest.fixture
def tries(monkeypatch: pytest.MonkeyPatch) -> list[Refused | None]:
    """What each try meets: a refusal, or None for an answer. No time passes between them."""
    met: list[Refused | None] = []

    async def call(*_: Any) -> GetAccountResponse:
        refusal = met.pop(0)
        if refusal is not None:
            raise refusal
        return GetAccountResponse()

    async def no_time(_: float) -> None:
        return

    monkeypatch.setattr(Gateway, "call", call)
    monkeypatch.setattr("unora_upgrade.repeating.asyncio.sleep", no_time)
    return met


async def ask() -> Tally:
    tally = Tally()
    channels = dict.fromkeys((*CONTEXTS, "notifier"), cast(grpc.aio.Channel, Channel()))
    gateway = RepeatingGateway(channels, tally)
    try:
        await gateway.call(gateway.accounts.GetAccount, GetAccountRequest())
    except Refused as error:
        tally.failed.append(error.code)
    return tally


def refusal(code: str, reason: str = "", **metadata: str) -> Refused:
    return Refused("GetAccount", code, reason, "", metadata)


async def test_a_call_is_repeated_until_it_is_answered(tries: list[Refused | None]) -> None:
    tries += [refusal("UNAVAILABLE"), refusal("DEADLINE_EXCEEDED"), None]
    tally = await ask()
    assert (dict(tally.answered), tally.failed) == ({NAME: 1}, [])
    assert dict(tally.repeated) == {"GetAccount UNAVAILABLE": 1, "GetAccount DEADLINE_EXCEEDED": 1}


async def test_a_refusal_for_load_is_repeated_after_the_time_it_names(tries: list[Refused | None]) -> None:
    tries += [refusal("RESOURCE_EXHAUSTED", "SERVICE_BUSY", retry_after="0.25"), None]
    assert (await ask()).failed == []


async def test_a_call_has_failed_when_its_last_repeat_has(tries: list[Refused | None]) -> None:
    tries += [refusal("UNAVAILABLE")] * (len(RETRY_DELAYS) + 1)
    tally = await ask()
    assert (tally.failed, tally.calls, tally.repeated.total(), tries) == (["UNAVAILABLE"], 0, len(RETRY_DELAYS), [])


@pytest.mark.parametrize("code", ["INTERNAL", "UNIMPLEMENTED", "NOT_FOUND", "RESOURCE_EXHAUSTED"])
async def test_no_other_refusal_is_repeated(code: str, tries: list[Refused | None]) -> None:
    tries += [refusal(code), None]
    tally = await ask()
    assert (tally.failed, tally.repeated.total(), len(tries)) == ([code], 0, 1)
