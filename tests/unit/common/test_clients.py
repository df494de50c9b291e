"""Calls to other contexts: how long they may take, and which are retried."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
import unora.identity.v1.directory_service_pb2
import unora.streak.v1.streak_service_pb2  # noqa: F401 - puts the service into the pool
from unora.streak.v1.streak_service_pb2 import GetDashboardRequest, GetDashboardResponse
from unora.streak.v1.streak_service_pb2_grpc import StreakServiceStub
from unora_common import call, trace
from unora_common.certificates import of_config
from unora_common.clients import DEADLINE_MARGIN, Clients, retries
from unora_common.config import Config
from unora_common.timeouts import PRODUCTION, Timeouts
from unora_local import tls
from unora_sdk.environment import ConfigError


@pytest.fixture(scope="module")
def config(tmp_path_factory: pytest.TempPathFactory) -> Config:
    certificate = tls.ensure(Path(tmp_path_factory.mktemp("tls")), ["streak"])["streak"]
    return Config(
        database_url="", nats_url="", tls_ca=certificate.ca, tls_cert=certificate.cert, tls_key=certificate.key
    )


async def timeout_within(config: Config, seconds: float | None, timeouts: Timeouts = PRODUCTION) -> float:
    """The time that a call gets if the current work has this many seconds left."""
    found: dict[str, Any] = {}

    async def method(request: object, *, timeout: float, metadata: Any) -> GetDashboardResponse:
        found.update(metadata, timeout=timeout)
        return GetDashboardResponse()

    called: Any = method

    if seconds is not None:
        call.set_deadline(seconds)
    parent = trace.begin()
    await Clients(config, timeouts, of_config(config)).call(called, GetDashboardRequest())
    assert found[trace.HEADER] == parent
    return float(found["timeout"])


async def test_the_deadline_shrinks_at_each_hop(config: Config) -> None:
    given = await timeout_within(config, 600.0, Timeouts(peer=1000.0))
    assert 0 < given <= 600.0 - DEADLINE_MARGIN


@pytest.mark.parametrize("seconds", [None, 60.0])
async def test_no_call_gets_more_than_the_longest_time(config: Config, seconds: float | None) -> None:
    assert await timeout_within(config, seconds) <= PRODUCTION.peer


@pytest.mark.parametrize("seconds", [-1.0, 0.0, DEADLINE_MARGIN / 2])
async def test_after_the_deadline_no_call_is_made(config: Config, seconds: float) -> None:
    with pytest.raises(TimeoutError):
        await timeout_within(config, seconds)


async def test_a_context_without_an_address_is_named(config: Config) -> None:
    with pytest.raises(ConfigError, match="UNORA_STREAK_ADDRESS is not set"):
        Clients(config, PRODUCTION, of_config(config)).stub(StreakServiceStub, "unora.streak.v1.StreakService")


def test_only_methods_without_side_effects_are_retried() -> None:
    tried = {name["method"] for policy in retries("unora.streak.v1.StreakService") for name in policy["name"]}
    assert {"GetDashboard", "GetStreak"} <= tried
    assert not {"CheckIn", "SendNudge"} & tried
    for policy in retries("unora.identity.v1.DirectoryService"):
        assert policy["retryPolicy"]["retryableStatusCodes"] == ["UNAVAILABLE"]
