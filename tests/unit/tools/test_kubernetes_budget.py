"""The budget of connections and the quantities of a quota, on objects small enough to count by hand."""

from __future__ import annotations

from typing import Any

import pytest
from unora_tools.kubernetes.connections import RESERVE, budget
from unora_tools.kubernetes.quota import amount, needs
from unora_tools.kubernetes.scale import Most, most_of

SMALL = {"requests": {"cpu": "100m", "memory": "128Mi"}, "limits": {"memory": "256Mi"}}


def deployment(name: str, replicas: int | None = None, surge: int | str = 1) -> dict[str, Any]:
    return {
        "kind": "Deployment",
        "metadata": {"name": name},
        "spec": {
            **({"replicas": replicas} if replicas else {}),
            "strategy": {"rollingUpdate": {"maxSurge": surge}},
            "template": {"spec": {"containers": [{"envFrom": [{"configMapRef": {"name": "u"}}], "resources": SMALL}]}},
        },
    }


def scaled(name: str, most: int) -> dict[str, Any]:
    return {
        "kind": "HorizontalPodAutoscaler",
        "metadata": {"name": name},
        "spec": {"scaleTargetRef": {"name": name}, "maxReplicas": most},
    }


def variables(**found: str) -> dict[str, Any]:
    return {"kind": "ConfigMap", "metadata": {"name": "u"}, "data": found}


def cluster(most: str = "100") -> dict[str, Any]:
    return {
        "kind": "Cluster",
        "metadata": {"name": "postgres"},
        "spec": {"instances": 3, "postgresql": {"parameters": {"max_connections": most}}},
    }


def test_the_budget_counts_the_most_replicas_their_surge_and_the_relays() -> None:
    api, worker = deployment("streak-api"), deployment("streak-worker", replicas=2)
    needed = budget([api, scaled("streak-api", 4), worker, variables(UNORA_DATABASE_CONNECTIONS="6"), cluster()])
    assert needed.lines == {"pools": (4 + 1) * 6 + (2 + 1) * 6, "relays": 3, "jobs": 0, "reserve": RESERVE}
    assert needed.by_role["streak"] == 48 + 3
    assert needed.total == 48 + 3 + RESERVE
    assert needed.faults == []


def test_without_a_variable_a_pool_has_the_size_of_the_code() -> None:
    assert budget([deployment("streak-api", replicas=1)]).lines["pools"] == 2 * 10


def test_a_budget_that_does_not_fit_says_what_to_change() -> None:
    (fault,) = budget([deployment("streak-api", replicas=20), cluster("100")]).faults
    assert "may open 230 connections, and Postgres has 100" in fault
    assert "max_connections" in fault
    assert "pooler" in fault


def test_a_pooler_has_sessions_for_each_role_and_what_goes_past_it_is_counted_too() -> None:
    pooler = {
        "kind": "Pooler",
        "metadata": {"name": "p"},
        "spec": {
            "instances": 2,
            "deploymentStrategy": {"rollingUpdate": {"maxSurge": 1}},
            "pgbouncer": {"parameters": {"default_pool_size": "5", "reserve_pool_size": "1"}},
        },
    }
    needed = budget([deployment("streak-worker", replicas=2), pooler, cluster()])
    assert needed.lines == {"poolers": 3 * 6 * 7 + 3, "relays": 3, "jobs": 0, "reserve": RESERVE}
    assert needed.clients == 3 * 10


@pytest.mark.parametrize(("surge", "most"), [(1, Most(5, 1)), ("25%", Most(5, 2)), (0, Most(5, 0))])
def test_a_surge_is_a_number_or_a_share_that_is_rounded_up(surge: int | str, most: Most) -> None:
    assert most_of(deployment("streak-api", replicas=5, surge=surge), []) == most


@pytest.mark.parametrize(
    ("text", "number"),
    [("300m", 0.3), ("2", 2), ("1.5", 1.5), ("128Mi", 128 * 2**20), ("40Gi", 40 * 2**30), ("36G", 36e9)],
)
def test_quantities_are_read_as_kubernetes_does(text: str, number: float) -> None:
    assert amount(text) == pytest.approx(number)


def test_what_pods_ask_for_is_counted_at_their_most() -> None:
    found = needs([deployment("streak-api"), scaled("streak-api", 4)])
    assert found["pods"] == 5
    assert found["requests.cpu"] == pytest.approx(0.5)
    assert found["limits.memory"] == 5 * 256 * 2**20
