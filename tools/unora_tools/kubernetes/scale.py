"""How many pods of each process there are at most: at the maximum of its autoscaler, while a release is rolled out."""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import NamedTuple

from unora_tools.kubernetes.render import Object, of_kind


class Most(NamedTuple):
    """The most pods of a workload: running, and beside them those of the next release."""

    replicas: int
    surge: int

    @property
    def pods(self) -> int:
        """All of them at once."""
        return self.replicas + self.surge


def most_of(workload: Object, objects: Sequence[Object]) -> Most:
    """The most pods of a Deployment, a StatefulSet or a Job."""
    if workload["kind"] == "Job":
        return Most(int(workload["spec"].get("parallelism", 1)), 0)
    replicas = int(workload["spec"].get("replicas", 1))
    name = workload["metadata"]["name"]
    for scaler in of_kind(objects, "HorizontalPodAutoscaler"):
        if scaler["spec"]["scaleTargetRef"]["name"] == name:
            replicas = int(scaler["spec"]["maxReplicas"])
    for scaled in of_kind(objects, "ScaledObject"):
        if scaled["spec"]["scaleTargetRef"]["name"] == name:
            replicas = int(scaled["spec"]["maxReplicaCount"])
    return Most(replicas, _surge(workload, replicas))


def _surge(workload: Object, replicas: int) -> int:
    """Pods beyond the number of replicas. A StatefulSet has none: it ends a pod before it starts the next."""
    if workload["kind"] != "Deployment":
        return 0
    given = workload["spec"].get("strategy", {}).get("rollingUpdate", {}).get("maxSurge", "25%")
    return int(given) if isinstance(given, int) else math.ceil(replicas * int(given.rstrip("%")) / 100)
