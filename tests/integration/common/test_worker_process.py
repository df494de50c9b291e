"""A worker on its own, as a process: it measures all that it does without a call, and its log changes while it runs."""

from __future__ import annotations

from collections.abc import AsyncIterator
from pathlib import Path

import httpx
import pytest
from prometheus_client.parser import text_string_to_metric_families
from unora_common.common_metrics import COMMON_METRICS
from unora_common.event_names import event_names
from unora_common.metrics import Counted
from unora_local import ports
from unora_streak.metrics import METRICS
from unora_testing.deadlines import GENEROUS, eventually
from unora_testing.world import World

from tests.integration.common.processes import ServiceProcess, addresses

WORKER = ("--role", "worker")
Series = dict[str, dict[str, float]]


class Worker:
    """The process, its port for metrics, and the file of its log's level."""

    def __init__(self, world: World, folder: Path) -> None:
        (port,) = ports.free(1)
        self.metrics, self.level = f"127.0.0.1:{port}", folder / "level"
        self.level.write_text("info")
        self.service = ServiceProcess(world, "streak", folder, *WORKER, METRICS_LISTEN=self.metrics, **addresses(world))
        env = {name: text for name, text in self.service.env.items() if name != "UNORA_LOG_LEVEL"}
        self.service.env = env | {"UNORA_LOG_LEVEL_FILE": str(self.level)}

    async def scrape(self) -> Series:
        """The values of each metric, by the values of its labels."""
        async with httpx.AsyncClient(trust_env=False) as client:
            answer = await client.get(f"http://{self.metrics}/metrics", timeout=GENEROUS)
        found: Series = {}
        for family in text_string_to_metric_families(answer.text):
            for sample in family.samples:
                labels = " ".join(text for name, text in sorted(sample.labels.items()) if name != "le")
                found.setdefault(sample.name, {})[labels] = sample.value
        return found


@pytest.fixture
async def worker(world: World, tmp_path: Path) -> AsyncIterator[Worker]:
    worker = Worker(world, tmp_path)
    await worker.service.start()
    yield worker
    await worker.service.end()


async def test_a_worker_shows_everything_without_a_call(world: World, worker: Worker) -> None:
    await worker.service.until("SERVING")
    counted = [each.name for each in (*COMMON_METRICS, *METRICS) if each.kind is Counted]

    async def has_counted() -> bool:
        return set(counted) <= (await worker.scrape()).keys()

    await eventually(has_counted, "all is counted")
    jobs = {each.name for each in world.apps["streak"].jobs}

    async def have_run() -> bool:
        return jobs == set((await worker.scrape()).get("unora_job_last_success_timestamp_seconds", {}))

    await eventually(have_run, "each job has succeeded once")
    shown = await worker.scrape()
    consumers = {each.name for each in world.apps["streak"].consumers}
    assert set(shown["unora_rpc_in_progress"]) == {"members", "public", "contexts"}
    assert set(shown["unora_database_connections"]) == {"in_use", "idle"}
    assert set(shown["unora_events_published_total"]) == set(event_names("streak"))
    of_consumers = ("events_applied_total", "events_failed_total", "dead_letters_total", "event_lag_seconds_count")
    for name in (*of_consumers, "consumer_pending", "dead_letters_waiting"):
        assert set(shown[f"unora_{name}"]) == consumers, name
    of_jobs = ("job_last_success_timestamp_seconds", "job_failures_total", "jobs_done_total", "job_interval_seconds")
    for name in (*of_jobs, "job_rows_failed_total", "job_duration_seconds_count"):
        assert set(shown[f"unora_{name}"]) == jobs, name
    assert {"close_days", "erase_members"} == set(shown["unora_job_due"])
    assert shown["unora_build_info"] != {}
    assert "unora_rpc_duration_seconds_count" not in shown, "it serves no calls"


async def test_the_level_of_the_log_changes_while_the_process_runs(worker: Worker) -> None:
    await worker.service.until_logged("ready")
    worker.level.write_text("error")
    await worker.service.until_logged("log setting changed")
    assert await worker.service.stop() == 0
    assert "log setting changed" in worker.service.process.log.read_text().splitlines()[-1], "the end is not logged"
