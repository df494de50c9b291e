"""What a refresh costs, from a small pool to the largest, beside a plain search of the same pool (DI-17)."""

from __future__ import annotations

import asyncio
import re
import statistics
import time
from collections import Counter
from datetime import timedelta
from random import Random
from typing import Final
from uuid import UUID, uuid4

import asyncpg
import httpx
import psutil
from unora.common.v1.types_pb2 import SERVER_TYPE_PARTNER
from unora.discovery.v1.discovery_service_pb2 import RefreshBatchRequest
from unora_common.common_metrics import COMMON_METRICS
from unora_common.database import Database
from unora_common.ids import uuid7
from unora_common.metrics import Metrics
from unora_common.timeouts import Timeouts
from unora_discovery.domain.cards import deal
from unora_discovery.domain.policy import Odds
from unora_discovery.domain.randomness import tie_seed
from unora_discovery.domain.refresh import Viewer
from unora_discovery.domain.search import SearchCriteria, SearchResult
from unora_discovery.domain.servers import ServerType
from unora_discovery.resources import Pool
from unora_discovery.store.seekers import get_seeker
from unora_discovery.use_cases.candidates import find_candidates
from unora_discovery.use_cases.following import follow
from unora_identity.providers.access_tokens import AccessTokens
from unora_local.env import Env
from unora_local.run_folder import RunFolder

from unora_bench import pool, processor
from unora_bench.driver import Call, Plan
from unora_bench.driving import drive
from unora_bench.figures import Figure, Group
from unora_bench.pool import ADMIRERS, EQUALS, HISTORY, MEMBER, Connection
from unora_bench.run import Run
from unora_bench.stack import new_folder, own_stack, say

REFRESH: Final = "/unora.discovery.v1.DiscoveryService/RefreshBatch"
MAX_SECONDS: Final = 15.0
"""Milliseconds of a refresh at most (p99)."""
PAUSE: Final = 0.03
"""Seconds between two refreshes: their events have reached the other contexts by then."""
LARGEST_MEMORY: Final = 200.0
"""Megabytes of the service at most."""
CARDS: Final = 20_000
LARGEST_CHI2: Final = 602.5
"""Of the chi-square distribution with EQUALS - 1 degrees of freedom, 0.001 is above it."""
FOLLOWED: Final = re.compile(r'unora_jobs_done_total\{job_name="follow_pool"\} ([0-9.e+]+)')
KINDS: Final = {
    "no filter": "f.user_id IS NULL",
    "usual": "cardinality(f.genders) = 1 AND cardinality(f.age_bands) > 0 AND NOT f.same_city_only",
    "same place": "f.same_city_only",
    "rare gender": "c.gender = 'non_binary'",
    "rare hobbies": "cardinality(c.hobby_option_ids) = 3",
}
OF_A_KIND: Final = """
    SELECT user_id FROM (SELECT * FROM discovery.candidates ORDER BY user_id OFFSET {skip} LIMIT 5000) AS c
    LEFT JOIN discovery.filters f USING (user_id) WHERE {kind} LIMIT $1"""


class Pools:
    """The stack, and a pool in memory beside it, at one size after the other."""

    def __init__(self, run: Run, folder: RunFolder, env: Env, connection: Connection, database: Database) -> None:
        self.run = run
        self.folder = folder
        self.env = env
        self.connection = connection
        self.database = database
        self.tokens = AccessTokens([(folder.path / "keys" / "token.pem").read_text()])
        self.members = 0
        self.pool = Pool()

    def add(self, name: str, value: float, unit: str, noise: float, **more: float | str) -> None:
        """Keeps a figure at this size."""
        at = f"{name} at {self.members:,}"
        self.run.add(Figure(group=Group.DISCOVERY, name=at, value=value, unit=unit, noise=noise, **more))  # type: ignore[arg-type]

    async def measure(self, members: int) -> None:
        """All figures at this size."""
        say(f"a pool of {members:,}")
        await pool.grow(self.connection, self.members, members)
        self.members = members
        await self._load()
        await self._service_follows()
        await self._refresh()
        await self._chance()

    async def _load(self) -> None:
        self.pool = Pool()
        async with self.run.watched() as noise:
            started, spent = time.perf_counter(), time.process_time()
            await follow(self.database, self.pool)
            seconds, spent = time.perf_counter() - started, time.process_time() - spent
        self.add("load", seconds, "s", noise.value)
        self.add("load, processor of the service", spent, "s", noise.value)
        self.add("planes", self.pool.planes.nbytes / 1e6, "MB", 0.0)

    async def _service_follows(self) -> None:
        """Until the service has taken over the new members too, as its metrics say."""
        address = self._process().environ()["UNORA_METRICS_LISTEN"]
        for _ in range(600):
            async with httpx.AsyncClient() as client:
                text = (await client.get(f"http://{address}/metrics")).text
            found = FOLLOWED.search(text)
            if found and float(found[1]) >= self.members:
                return
            await asyncio.sleep(0.5)  # it takes minutes with a large pool, and the metrics take processor time
        raise TimeoutError("the service has not taken over the pool within five minutes")

    async def _refresh(self) -> None:
        viewers = range(EQUALS + 1, min(EQUALS + 1 + min(self.run.calls, 1_000), self.members))
        plain = await self._plain(list(viewers)[:3])
        p50, p99, noise = await self._drive(list(viewers))
        usual: dict[str, float | str] = {"limit": plain, "limit_name": "plain filter, sort, limit"}
        self.add("RefreshBatch p50", p50, "ms", noise, **usual)
        if self.members >= 100_000:
            usual["aim_share"] = 10.0
        self.add("RefreshBatch p99", p99, "ms", noise, aim=MAX_SECONDS, **usual)
        self.run.notes.setdefault("refresh_p99_ms", {})[self.members] = p99
        self.add("service", self._process().memory_info().rss / 1e6, "MB", 0.0, aim=LARGEST_MEMORY)
        some = [MEMBER.id(number) for number in range(EQUALS + 2, EQUALS + 22)]
        for name, statement, count in (
            ("5,000 who wait", pool.WAITS, ADMIRERS),
            ("a long history", pool.BLOCKS, HISTORY),
        ):
            await self.connection.execute(statement, some, min(count, self.members // 5))
            if statement is pool.BLOCKS:
                await self.connection.execute(
                    pool.APART, some[: 20 if self.members <= 100_000 else 3], min(HISTORY, self.members // 5)
                )
            await self.connection.execute("VACUUM ANALYZE discovery.exclusions, discovery.waiting_interests")
            numbers = list(range(EQUALS + 2, EQUALS + (22 if self.members <= 100_000 or count == ADMIRERS else 5)))
            p50, p99, noise = await self._drive(numbers * 5)
            self.add(f"RefreshBatch p50 with {name}", p50, "ms", noise, aim=MAX_SECONDS)
        for table in ("exclusions", "member_blocks", "waiting_interests"):
            await self.connection.execute(f"TRUNCATE discovery.{table}")

    async def _plain(self, numbers: list[int]) -> float:
        """Milliseconds of a plain search, the median of some."""
        found = []
        for number in numbers:
            started = time.perf_counter()
            await self.connection.fetch(pool.PLAIN, MEMBER.id(number))
            found.append((time.perf_counter() - started) * 1000)
        return statistics.median(found)

    async def _drive(self, numbers: list[int]) -> tuple[float, float, float]:
        """Refreshes for these members, one call at a time, on a stack at rest; p50 and p99 in milliseconds, and the
        noise. A member may come again: each round begins with timers that were never spent.
        """
        ca, cert, key = (self.env.values[f"UNORA_TLS_{name}"] for name in ("CA", "CERT", "KEY"))
        rounds = [numbers[first : first + len(set(numbers))] for first in range(0, len(numbers), len(set(numbers)))]
        p50, p99 = [], []
        async with self.run.watched() as noise:
            for each in rounds:
                await self.connection.execute(pool.RESET)
                calls = [self._call(number) for number in each]
                await processor.at_rest(self.folder.rows())
                plan = Plan(
                    self.env.address("discovery"), REFRESH, 1, calls, ca, cert, key, "discovery.unora", pause=PAUSE
                )
                result = await drive(plan, self.folder.path.parent)
                p50.append(result.p50_ms)
                p99.append(result.p99_ms)
        return statistics.median(p50), max(p99), noise.value

    def _call(self, number: int) -> Call:
        request = RefreshBatchRequest(request_id=str(uuid7()), server_type=SERVER_TYPE_PARTNER)
        token = self.tokens.sign(user_id=MEMBER.id(number), session_id=uuid7()).text
        return token, request.SerializeToString()

    async def _chance(self) -> None:
        """Recall against the plain search, and chance among equals, in the planes of this process."""
        right = total = 0
        each = 5 if self.members <= 10_000 else 2 if self.members <= 100_000 else 1
        for kind in KINDS.values():
            sql = OF_A_KIND.format(kind=kind, skip=min(2_000, self.members // 2))
            for row in await self.connection.fetch(sql, each):
                viewer, found = await self._search(row["user_id"], Random(1))  # noqa: S311 - no secret
                best = Counter(row["shared"] for row in await self.connection.fetch(pool.PLAIN, row["user_id"]))
                mine = Counter(each.shares(viewer.hobby_option_ids) for each in found.ranked)
                right, total = right + (best & mine).total(), total + best.total()
        self.add("best not found", 1 - right / max(total, 1), "share", 0.0, aim=0.01)
        random, shown = Random(29), Counter[UUID]()  # noqa: S311 - no secret
        for _ in range(CARDS // 5):
            viewer, found = await self._search(MEMBER.id(0), random)
            dealt = deal(found, viewer.hobby_option_ids, Odds(0.7, 0.1), random, uuid4)
            shown.update(card.shown_user_id for card in dealt)
        expected = CARDS / EQUALS
        chi2 = sum((shown[MEMBER.id(n)] - expected) ** 2 / expected for n in range(1, EQUALS + 1))
        self.add(f"chi-square of {EQUALS} equals", chi2, "", 0.0, aim=LARGEST_CHI2)

    async def _search(self, user_id: UUID, random: Random) -> tuple[Viewer, SearchResult]:
        async with self.database.session() as session:
            viewer, seeker, _ = await get_seeker(session, user_id, ServerType.PARTNER, self.pool.cursor, 1)
            now = await session.value("SELECT clock.now()")
            criteria = SearchCriteria(
                hobbies=viewer.hobby_option_ids,
                not_shown_since=now - timedelta(days=7),
                now=now,
                tie_seed=tie_seed(random),
                visibility_seed=1,
                visibility_below=1 << 32,
                ranked_limit=5,
            )
            return viewer, await find_candidates(
                session, self.pool.planes, user_id, seeker, ServerType.PARTNER, criteria
            )

    def _process(self) -> psutil.Process:
        return psutil.Process(next(row.pid for row in self.folder.rows() if row.name == "discovery"))


async def measure(run: Run) -> None:
    """One size after the other, in a stack of its own."""
    with new_folder("bench-discovery") as folder:
        async with own_stack(folder) as env:
            connection = await asyncpg.connect(env.postgres)
            database = await Database.open(
                env.postgres,
                "discovery",
                connections=2,
                kept=1,
                timeouts=Timeouts(statement=120.0, command=120.0),
                wake=lambda: None,
                metrics=Metrics(COMMON_METRICS),
            )
            try:
                pools = Pools(run, folder, env, connection, database)
                for members in run.members:
                    await pools.measure(members)
            finally:
                await database.close()
                await connection.close()
    slow = run.notes["refresh_p99_ms"]
    if len(slow) > 1:
        small, large = slow[run.members[0]], slow[run.largest]
        grown = f"RefreshBatch p99, {run.largest:,} against {run.members[0]:,}"
        run.add(Figure(group=Group.DISCOVERY, name=grown, value=large / small, unit="times", aim=1.5))
