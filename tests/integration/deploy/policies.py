"""What network policies allow, as Kubernetes documents them: a connection needs the leave of both its ends; a pod that
a policy selects for a direction has only what policies of that direction allow.
"""

from __future__ import annotations

from collections.abc import Iterator
from ipaddress import ip_address, ip_network
from typing import Any

from tests.integration.deploy.rendered import COMPONENT, PART_OF, Rendered

Labels = dict[str, str]
Object = dict[str, Any]


OUTSIDE: dict[str, Labels] = {
    "notifier": {"app.kubernetes.io/name": "notifier", "unora-subscriber": "true"},
    "chat": {"app.kubernetes.io/name": "chat"},
    "stranger": {"app.kubernetes.io/name": "stranger"},
}
"""Pods of others in the namespace, as docs/kubernetes.md wants them labelled."""


class Policies:
    """The policies of one overlay, and the labels of its pods: also of those that operators make."""

    def __init__(self, rendered: Rendered) -> None:
        self.pods: dict[str, Labels] = {name: pod["metadata"]["labels"] for name, pod in rendered.pods.items()}
        for name in rendered.all("Cluster"):
            self.pods[name] = {"cnpg.io/cluster": name, "cnpg.io/podRole": "instance", COMPONENT: "database"}
        for name in rendered.all("Pooler"):
            self.pods[name] = {"cnpg.io/poolerName": name, "cnpg.io/podRole": "pooler", COMPONENT: "pooler"}
        if not rendered.all("Cluster"):  # the platform's own, by the labels that it must have
            self.pods["postgres"] = {"cnpg.io/cluster": "postgres", PART_OF: "other", COMPONENT: "postgres"}
        self.pods |= OUTSIDE
        self._policies = [item["spec"] for item in rendered.all("NetworkPolicy").values()]

    def admit(self, source: str, target: str, port: int) -> bool:
        """Whether a pod may open a connection to another one's port."""
        leaves = self._allows(source, "Egress", "to", port, self.pods[target], "")
        enters = self._allows(target, "Ingress", "from", port, self.pods[source], "")
        return leaves and enters

    def admit_address(self, source: str, address: str, port: int) -> bool:
        """Whether a pod may open a connection to an address outside."""
        return self._allows(source, "Egress", "to", port, {}, address)

    def _allows(self, pod: str, direction: str, key: str, port: int, labels: Labels, address: str) -> bool:
        mine = [each for each in self._policies if direction in each["policyTypes"] and self._selects(each, pod)]
        rules = [rule for each in mine for rule in each.get(direction.lower(), [])]
        return not mine or any(_is_open(rule, port) and _is_named(rule.get(key), labels, address) for rule in rules)

    def _selects(self, policy: Object, pod: str) -> bool:
        return _matches(policy["podSelector"], self.pods[pod])


def _is_open(rule: Object, port: int) -> bool:
    return "ports" not in rule or port in {each["port"] for each in rule["ports"]}


def _is_named(ends: list[Object] | None, labels: Labels, address: str) -> bool:
    return ends is None or any(_ends(ends, labels, address))


def _ends(ends: list[Object], labels: Labels, address: str) -> Iterator[bool]:
    for end in ends:
        if "ipBlock" in end:
            yield bool(address) and _is_in(end["ipBlock"], address)
        elif "namespaceSelector" not in end:  # pods of the namespace itself
            yield not address and _matches(end["podSelector"], labels)


def _is_in(block: Object, address: str) -> bool:
    found = ip_address(address)
    inside = found in ip_network(block["cidr"])
    return inside and not any(found in ip_network(each) for each in block.get("except", []))


def _matches(selector: Object, labels: Labels) -> bool:
    exact = all(labels.get(key) == value for key, value in selector.get("matchLabels", {}).items())
    expressions = selector.get("matchExpressions", [])
    assert all(each["operator"] == "In" for each in expressions)
    return exact and all(labels.get(each["key"]) in each["values"] for each in expressions)
