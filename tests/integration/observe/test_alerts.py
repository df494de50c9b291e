"""A real Prometheus scrapes a running stack, a fault is made, and its alert fires; the fault is over, and it ends."""

from __future__ import annotations

import os
import shutil
import signal
from collections.abc import AsyncIterator
from functools import partial
from typing import Any

import pytest
from prometheus_client import Histogram
from unora_common.config import CONTEXTS
from unora_local import members, prometheus
from unora_local.sms_box import SmsBox
from unora_testing.deadlines import eventually
from unora_tools.observe import rules

from tests.e2e.stack import Stack
from tests.integration.observe.observed import FACTOR, Observed, observed
from tests.unit.observe.names import ENVOY, declared

pytestmark = pytest.mark.skipif(
    shutil.which("prometheus") is None,
    reason="needs Prometheus: apt-get install --no-install-recommends prometheus",
)
FAULT = """
    CREATE FUNCTION public.refuse() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN RAISE EXCEPTION 'a fault'; END $$;
    CREATE TRIGGER refuse BEFORE INSERT ON safety.audit_logs FOR EACH ROW EXECUTE FUNCTION public.refuse()"""
NO_FAULT = "DROP TRIGGER refuse ON safety.audit_logs; DROP FUNCTION public.refuse()"


@pytest.fixture(scope="module")
async def seen(tmp_path_factory: pytest.TempPathFactory) -> AsyncIterator[Observed]:
    """One stack for all faults."""
    folder = tmp_path_factory.mktemp("observed")
    rules.scale(folder / "rules", FACTOR)
    variables = {prometheus.RULES_VARIABLE: str(folder / "rules"), prometheus.INTERVAL_VARIABLE: "1s"}
    stack = Stack(folder / "run")
    with stack.up("--observe", then="clean", **variables):
        async with observed(stack) as made:
            yield made


def texts(alert: dict[str, Any]) -> str:
    return " ".join(alert["annotations"].values())


async def test_all_processes_are_scraped_with_their_labels_and_nothing_pages(seen: Observed) -> None:
    expected = {(context, "all") for context in CONTEXTS} | {("gateway", "front")}

    async def up() -> bool:
        found = {(dict(key)["context"], dict(key)["role"]) for key in await seen.query("up == 1")}
        return found == expected

    await eventually(up, "all processes answer Prometheus")
    await eventually(lambda: seen.query("unora_slo:total:rate5m"), "members' calls are counted for the objectives")

    async def quiet() -> bool:  # while a busy machine starts all of it, calls may be slow
        return not [alert for alert in await seen.alerts() if alert["labels"]["severity"] == "page"]

    await eventually(quiet, "nothing pages")


async def test_each_metric_that_rules_and_dashboards_use_is_there(seen: Observed) -> None:
    """Also in processes that no member has called: what is known beforehand begins with 0."""
    for context in CONTEXTS:
        for dependency in ("postgres", "nats", "revocations"):
            series = f'unora_dependency_up{{context="{context}", dependency="{dependency}"}} == 1'
            await eventually(partial(seen.query, series), f"{context} reaches {dependency}")
    by_event = {"unora_framed_drafts_total", "unora_messages_refused_total"}
    names = {f"{m.name}_count" if m.kind is Histogram else m.name for m in declared() if m.labels == ()}
    wanted = (names | set(ENVOY)) - by_event

    async def missing() -> set[str]:
        return wanted - await seen.names()

    async def complete() -> bool:
        return not await missing()

    await eventually(complete, "every metric without labels, and Envoy's, is there")


async def test_a_consumer_that_fails_alarms(seen: Observed) -> None:
    async with seen.superuser() as connection:
        await connection.execute(FAULT)
        try:
            await members.sign_up(seen.gateway, SmsBox(seen.env.sms_sandbox))
            alert = await seen.fires("ConsumerFails", context="safety", severity="ticket")
        finally:
            await connection.execute(NO_FAULT)
    assert alert["labels"]["consumer"].startswith("safety__")
    assert alert["labels"]["consumer"] in texts(alert)
    assert "<no value>" not in texts(alert)
    await seen.ends("ConsumerFails")


async def test_a_sweep_that_is_stopped_alarms(seen: Observed) -> None:
    async with seen.held_streak():
        alert = await seen.fires("SweepLate", context="streak", severity="page")
    assert "been due for" in texts(alert)
    await seen.ends("SweepLate")


async def test_a_slow_postgres_alarms(seen: Observed) -> None:
    async with seen.locked("identity.users"), seen.calls():
        waiting = await seen.fires("ConnectionsExhausted", context="identity")
        slow = await seen.fires("CallsSlow", context="identity", method="GetAccount", severity="page")
    assert "identity" in texts(waiting)
    assert "GetAccount" in texts(slow)
    await seen.ends("ConnectionsExhausted")


async def test_nats_that_has_stopped_alarms(seen: Observed) -> None:
    nats = seen.stack.row("nats").pid
    os.kill(nats, signal.SIGSTOP)
    try:
        await members.sign_up(seen.gateway, SmsBox(seen.env.sms_sandbox))
        alert = await seen.fires("OutboxOld", context="identity", severity="page")
    finally:
        os.kill(nats, signal.SIGCONT)
    assert "has waited for" in texts(alert)
    await seen.ends("OutboxOld")
