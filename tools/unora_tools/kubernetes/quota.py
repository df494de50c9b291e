"""What the pods and Services of an overlay ask of the cluster at most, beside the quota of its namespace."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import Final, NamedTuple

from unora_tools.kubernetes.render import Object, named, of_kind
from unora_tools.kubernetes.scale import most_of

_UNITS: Final = {"m": 1e-3, "k": 1e3, "M": 1e6, "G": 1e9, "T": 1e12, "Ki": 2**10, "Mi": 2**20, "Gi": 2**30, "Ti": 2**40}
WORKLOADS: Final = ("Deployment", "StatefulSet", "Job")


class Pods(NamedTuple):
    """Pods of one kind: how many, and what each of their containers asks for."""

    number: int
    resources: list[Object]
    storage: float = 0.0
    """Bytes of volumes of each."""


def amount(text: str | float) -> float:
    """A quantity of Kubernetes: cores, or bytes."""
    words = str(text)
    for unit in sorted(_UNITS, key=len, reverse=True):
        if words.endswith(unit):
            return float(words.removesuffix(unit)) * _UNITS[unit]
    return float(words)


def needs(objects: Sequence[Object]) -> dict[str, float]:
    """What all pods and Services ask for when each workload has the most that it may have, by the names of a
    ResourceQuota.
    """
    found = dict.fromkeys(("requests.cpu", "requests.memory", "limits.memory", "requests.storage", "pods"), 0.0)
    for pods in _pods(objects):
        found["pods"] += pods.number
        found["requests.storage"] += pods.number * pods.storage
        for each in pods.resources:
            for name in ("requests.cpu", "requests.memory", "limits.memory"):
                what, _, kind = name.partition(".")
                found[name] += pods.number * amount(each.get(what, {}).get(kind, 0))
    return found | _services(objects)


def _services(objects: Sequence[Object]) -> dict[str, float]:
    """A Service of type LoadBalancer has a port on the nodes for each of its own, unless it says that it needs none."""
    balancers = [each["spec"] for each in of_kind(objects, "Service") if each["spec"].get("type") == "LoadBalancer"]
    on_nodes = [each["spec"] for each in of_kind(objects, "Service") if each["spec"].get("type") == "NodePort"]
    on_nodes += [spec for spec in balancers if spec.get("allocateLoadBalancerNodePorts", True)]
    ports = sum(len(spec["ports"]) for spec in on_nodes)
    return {"services.loadbalancers": len(balancers), "services.nodeports": ports}


def faults(objects: Sequence[Object]) -> list[str]:
    """What the quota would refuse at that moment, in words."""
    found = []
    asked = needs(objects)
    for quota in of_kind(objects, "ResourceQuota"):
        hard = quota["spec"]["hard"]
        too_small = [name for name in sorted(hard.keys() & asked.keys()) if asked[name] > amount(hard[name])]
        found += [f"{named(quota)}: {name} is {hard[name]}, and {asked[name]:g} may be asked for" for name in too_small]
        if "limits.cpu" in hard:
            found.append(f"{named(quota)}: limits.cpu refuses every pod, since none has a limit of CPU")
    return found


def _pods(objects: Sequence[Object]) -> Iterator[Pods]:
    for kind in WORKLOADS:
        for item in of_kind(objects, kind):
            spec = item["spec"]["template"]["spec"]
            claims = item["spec"].get("volumeClaimTemplates", [])
            storage = sum(amount(each["spec"]["resources"]["requests"]["storage"]) for each in claims)
            yield Pods(most_of(item, objects).pods, [each.get("resources", {}) for each in spec["containers"]], storage)
    for cluster in of_kind(objects, "Cluster"):
        spec = cluster["spec"]
        storage = sum(amount(spec[name]["size"]) for name in ("storage", "walStorage") if name in spec)
        # While one instance is made anew, there are as many and one Job.
        yield Pods(int(spec["instances"]) + 1, [spec.get("resources", {})], storage)
    for pooler in of_kind(objects, "Pooler"):
        containers = pooler["spec"].get("template", {}).get("spec", {}).get("containers", [])
        yield Pods(int(pooler["spec"].get("instances", 1)) + 1, [each.get("resources", {}) for each in containers])
