"""While the authority is replaced, every process that trusts it trusts the ConfigMap `authorities` instead."""

from __future__ import annotations

import os
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
import yaml
from unora_tools import kubernetes

Object = dict[str, Any]
FRONT = "front-tls"
"""What apps see: no process trusts its authority."""


@pytest.fixture
def objects(tmp_path: Path) -> list[Object]:
    """The overlay prod with the component."""
    folder = Path(os.path.relpath(kubernetes.FOLDER, tmp_path.resolve()))
    overlay = {
        "apiVersion": "kustomize.config.k8s.io/v1beta1",
        "kind": "Kustomization",
        "resources": [str(folder / "overlays" / "prod")],
        "components": [str(folder / "components" / "authorities")],
    }
    (tmp_path / "kustomization.yaml").write_text(yaml.safe_dump(overlay))
    return kubernetes.render(str(tmp_path.resolve()))


def sources(volume: Object) -> Iterator[tuple[str, str, dict[str, str]]]:
    """The kind, the name and the files, by key, of all that a volume holds; all files of a secret without items."""
    for source in volume.get("projected", {}).get("sources", [volume]):
        for kind in ("secret", "configMap"):
            if given := source.get(kind):
                items = {item["key"]: item["path"] for item in given.get("items", [{"key": "*", "path": "*"}])}
                yield kind, given.get("name") or given["secretName"], items


def test_no_process_trusts_only_the_authority_of_its_own_certificate(objects: list[Object]) -> None:
    found = 0
    for item in objects:
        if item["kind"] not in ("Deployment", "StatefulSet", "Job"):
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
    assert found >= 16, "seven contexts with two Deployments each, the gateway, the Job `streams`"


def test_it_is_valid(objects: list[Object]) -> None:
    for version in kubernetes.VERSIONS:
        assert kubernetes.faults(objects, version)[0] == []
