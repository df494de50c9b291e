"""While the authority is replaced, every process that trusts it trusts the ConfigMap `authorities` instead."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import pytest
from unora_tools.kubernetes.render import VARIANTS, of_kind, rendered

Object = dict[str, Any]
FRONT = "front-tls"
"""What apps see: no process trusts its authority."""


def sources(volume: Object) -> Iterator[tuple[str, str, dict[str, str]]]:
    """The kind, the name and the files, by key, of all that a volume holds; all files of a secret without items."""
    for source in volume.get("projected", {}).get("sources", [volume]):
        for kind in ("secret", "configMap"):
            if given := source.get(kind):
                items = {item["key"]: item["path"] for item in given.get("items", [{"key": "*", "path": "*"}])}
                yield kind, given.get("name") or given["secretName"], items


def test_no_process_trusts_only_the_authority_of_its_own_certificate() -> None:
    found = 0
    for item in rendered("prod+authorities"):
        if item["kind"] not in ("Deployment", "StatefulSet"):
            continue
        volumes = item["spec"]["template"]["spec"].get("volumes", [])
        given = [source for volume in volumes for source in sources(volume)]
        own = [items for kind, name, items in given if kind == "secret" and name.endswith("-tls") and name != FRONT]
        if not own:
            continue
        found += 1
        name = f"{item['kind']} {item['metadata']['name']}"
        assert all(set(items) == {"tls.crt", "tls.key"} for items in own), name
        assert [items.keys() for _, source, items in given if source == "authorities"] == [{"ca.crt"}], name
    assert found == 16, "seven contexts with two Deployments each, the gateway, NATS"


@pytest.mark.parametrize("variant", [each for each in VARIANTS if each.startswith("prod+")])
def test_a_component_can_be_added_to_a_release_that_runs(variant: str) -> None:
    """Its Jobs are there already, complete, and the template of a Job cannot be changed."""
    before = {item["metadata"]["name"]: item["spec"] for item in of_kind(rendered("prod"), "Job")}
    after = {item["metadata"]["name"]: item["spec"] for item in of_kind(rendered(variant), "Job")}
    assert [name for name in before.keys() & after.keys() if before[name] != after[name]] == []
