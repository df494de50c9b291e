"""The rendered overlays of deploy/k8s, as the tests look at them."""

from __future__ import annotations

from functools import cached_property
from typing import Any

from unora_common.config import CONTEXTS
from unora_tools.kubernetes import render

Object = dict[str, Any]
ROLES = ("api", "worker")
FRONT = "gateway-front"
NAME, COMPONENT, PART_OF = (f"app.kubernetes.io/{word}" for word in ("name", "component", "part-of"))
MOUNT = "/run/unora"
WORKLOADS = ("Deployment", "StatefulSet", "Job")


class Rendered:
    """The objects of one overlay, rendered once in a run."""

    def __init__(self, overlay: str) -> None:
        self.overlay = overlay
        self.objects = render.rendered(overlay)

    def all(self, kind: str) -> dict[str, Object]:
        """All of a kind, by name."""
        return {item["metadata"]["name"]: item for item in self.objects if item["kind"] == kind}

    def one(self, kind: str, name: str) -> Object:
        """The object of a kind by name; the name of a Job is without its release."""
        (found,) = (item for each, item in self.all(kind).items() if name in (each, each.partition("--")[0]))
        return found

    @cached_property
    def pods(self) -> dict[str, Object]:
        """The templates of pods of all workloads, by the workload's name without its release."""
        return {
            name.partition("--")[0]: item["spec"]["template"]
            for kind in WORKLOADS
            for name, item in self.all(kind).items()
        }

    @property
    def ours(self) -> dict[str, Object]:
        """The pods that run Unora's own image."""
        return {name: pod for name, pod in self.pods.items() if name not in (FRONT, "nats")}

    def environment(self, name: str) -> dict[str, str]:
        """The variables of a Deployment's container, its later ConfigMaps over its earlier ones."""
        found: dict[str, str] = {}
        maps = self.all("ConfigMap")
        for source in container(self.pods[name])["envFrom"]:
            reference = source["configMapRef"]
            if reference["name"] not in maps:
                assert reference["optional"] is True
            found |= maps.get(reference["name"], {"data": {}})["data"]
        return found


def container(pod: Object) -> Object:
    """The first container of a pod, which does its work."""
    found = pod["spec"]["containers"][0]
    assert isinstance(found, dict)
    return found


def deployments() -> list[tuple[str, str]]:
    """Every context with every role."""
    return [(context, role) for context in CONTEXTS for role in ROLES]


def values(selector: Object) -> list[str]:
    """The values of a selector's only expression."""
    (expression,) = selector["matchExpressions"]
    assert expression["operator"] == "In"
    return sorted(expression["values"])
