"""The budget of connections: how many all processes may open to Postgres at the worst moment, from rendered objects.

The worst moment is that in which every autoscaler is at its maximum and a release is rolled out, so that each
Deployment has its surge beside it, and Jobs run.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Final, NamedTuple

import msgspec
from unora_common.config import CONTEXTS, Config

from unora_tools.kubernetes.render import Object, of_kind
from unora_tools.kubernetes.scale import most_of

SIZE: Final = "UNORA_DATABASE_CONNECTIONS"
DIRECT: Final = "UNORA_DIRECT_DATABASE_URL_FILE"
RELAY: Final = 1
"""A worker's relay keeps one session beside its pool (docs/scale.md#transaction-pooling)."""
RESERVE: Final = 20
"""What is left for others: 3 for superusers (superuser_reserved_connections), the rest for the operator of Postgres,
its exporter, a backup, and people who look at something.
"""
AUTH: Final = 1
"""A pooler asks Postgres for the passwords of roles over a session of its own."""
DEFAULT_MAX: Final = 100
"""What Postgres allows if it is not told (max_connections)."""


class Budget(NamedTuple):
    """Connections to Postgres, by what opens them."""

    lines: dict[str, int]
    by_role: dict[str, int]
    """Of each context's role: a role has a limit of its own."""
    clients: int
    """Connections to a pooler; 0 without one."""
    allowed: int | None
    """max_connections of the cluster that the objects describe; None if they describe none."""

    @property
    def total(self) -> int:
        """All connections to Postgres."""
        return sum(self.lines.values())

    @property
    def faults(self) -> list[str]:
        """What does not fit, in words."""
        if self.allowed is None or self.total <= self.allowed:
            return []
        return [
            f"processes may open {self.total} connections, and Postgres has {self.allowed}: raise max_connections of "
            f"the Cluster, lower the maximum of replicas or {SIZE}, or add the component pooler"
        ]


def budget(objects: Sequence[Object]) -> Budget:
    """The budget of one rendered overlay."""
    poolers = of_kind(objects, "Pooler")
    pools, relays = _of_processes(objects)
    jobs = sum(1 for job in of_kind(objects, "Job") if _is_database_job(job))
    others = {"relays": sum(relays.values()), "jobs": jobs, "reserve": RESERVE}
    if not poolers:
        by_role = {context: pools[context] + relays[context] for context in CONTEXTS}
        return Budget({"pools": sum(pools.values()), **others}, by_role, 0, _allowed(objects))
    sessions = sum(_instances(pooler) * _sessions_of_role(pooler) for pooler in poolers)
    auth = sum(_instances(pooler) * AUTH for pooler in poolers)
    by_role = {context: sessions + relays[context] for context in CONTEXTS}
    lines = {"poolers": sessions * len(CONTEXTS) + auth, **others}
    return Budget(lines, by_role, sum(pools.values()), _allowed(objects))


def _of_processes(objects: Sequence[Object]) -> tuple[dict[str, int], dict[str, int]]:
    """Of each context, the most connections of all pools, and of all relays."""
    pools, relays = dict.fromkeys(CONTEXTS, 0), dict.fromkeys(CONTEXTS, 0)
    for item in of_kind(objects, "Deployment"):
        context, _, role = item["metadata"]["name"].partition("-")
        if context in pools:
            pods = most_of(item, objects).pods
            pools[context] += pods * int(_variables(item, objects).get(SIZE, _default()))
            relays[context] += pods * RELAY * (role == "worker")
    return pools, relays


def _default() -> str:
    """What a process has that is not told."""
    (field,) = (each for each in msgspec.structs.fields(Config) if f"UNORA_{each.name.upper()}" == SIZE)
    return str(field.default)


def _variables(item: Object, objects: Sequence[Object]) -> dict[str, str]:
    """The variables of a Deployment's first container, later ConfigMaps over earlier ones."""
    maps = {each["metadata"]["name"]: each.get("data", {}) for each in of_kind(objects, "ConfigMap")}
    (container, *_) = item["spec"]["template"]["spec"]["containers"]
    found: dict[str, str] = {}
    for source in container.get("envFrom", []):
        found |= maps.get(source["configMapRef"]["name"], {})
    return found


def _is_database_job(job: Object) -> bool:
    return job["metadata"]["labels"].get("app.kubernetes.io/component") in {"cluster", "migrate"}


def _instances(pooler: Object) -> int:
    surge = pooler["spec"].get("deploymentStrategy", {}).get("rollingUpdate", {}).get("maxSurge", 1)
    return int(pooler["spec"].get("instances", 1)) + int(surge)


def _sessions_of_role(pooler: Object) -> int:
    parameters = pooler["spec"]["pgbouncer"].get("parameters", {})
    return int(parameters.get("default_pool_size", 20)) + int(parameters.get("reserve_pool_size", 0))


def _allowed(objects: Sequence[Object]) -> int | None:
    for cluster in of_kind(objects, "Cluster"):
        return int(cluster["spec"].get("postgresql", {}).get("parameters", {}).get("max_connections", DEFAULT_MAX))
    return None
