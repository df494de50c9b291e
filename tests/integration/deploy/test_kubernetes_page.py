"""docs/kubernetes.md: its overlay and its patches are rendered, and its table of connections is today's."""

from __future__ import annotations

import os
import re
from datetime import datetime
from pathlib import Path
from typing import Any

import pytest
import yaml
from unora_tools.kubernetes import quota, render
from unora_tools.kubernetes.connections import budget
from unora_tools.kubernetes.digests import COMPONENT, component


def blocks(page: str) -> list[Any]:
    return [yaml.safe_load(block) for block in re.findall(r"^ *```yaml\n(.*?)^ *```", page, re.MULTILINE | re.DOTALL)]


DOCS = render.FOLDER.parents[1] / "docs"
PAGE = (DOCS / "kubernetes.md").read_text()
BLOCKS = blocks(PAGE)
GATEWAY_BLOCKS = blocks((DOCS / "gateway.md").read_text())
STEPS = {
    "platform": "app.kubernetes.io/component in (cluster,streams,migrate,api,worker,front)",
    "prepare": "app.kubernetes.io/component notin (cluster,streams,migrate)",
    "serve": "app.kubernetes.io/component notin (api,worker,front)",
}


def patches_of(kind: str) -> list[object]:
    """The patches that the page shows alone, for objects of a kind."""
    (found,) = (block for block in BLOCKS if isinstance(block, list) and block[0]["target"]["kind"] == kind)
    return list(found)


def overlay(folder: Path, described: dict[str, object]) -> list[render.Object]:
    """The objects of an overlay as it would lie beside the others."""
    beside = render.FOLDER / "overlays" / "any"

    def here(path: object) -> str:
        return os.path.relpath(beside / str(path), folder.resolve()) if str(path).startswith("..") else str(path)

    for key in ("resources", "components"):
        described[key] = [here(each) for each in described.get(key, [])]  # type: ignore[attr-defined]
    (folder / COMPONENT).mkdir(exist_ok=True)
    (folder / COMPONENT / "kustomization.yaml").write_text(component({}, "0-2-0", None))
    (folder / "kustomization.yaml").write_text(yaml.safe_dump(described))
    return render.render_folder(folder)


def test_the_overlay_of_the_page_is_rendered_and_changes_what_it_names(tmp_path: Path) -> None:
    (example,) = (block for block in BLOCKS if isinstance(block, dict) and block.get("kind") == "Kustomization")
    elsewhere = patches_of("NetworkPolicy")
    example["patches"] += elsewhere
    objects = overlay(tmp_path, example)
    text = yaml.safe_dump_all(objects)
    for named in ("photos-of-mine", "SecretsManager", "backups-of-mine", "role-arn", "name: public", "10.20.30.0/28"):
        assert named in text
    assert text.count("api.dating.example") == 3
    assert {item["metadata"]["name"].partition("--")[2] for item in render.of_kind(objects, "Job")} == {"0-2-0", "1"}
    asked = {item["metadata"]["name"]: item for item in render.of_kind(objects, "ConfigMap")}
    assert any("UNORA_S3_REGION" in item["data"] for name, item in asked.items() if name.startswith("identity"))


def test_a_restore_reads_one_history_and_writes_another_at_the_moment_that_an_overlay_sets(tmp_path: Path) -> None:
    """The component alone restores nothing: a moment that was forgotten would be somebody else's."""

    def asked(objects: list[render.Object]) -> tuple[str, str, str]:
        (cluster,) = (item["spec"] for item in render.of_kind(objects, "Cluster"))
        reads = cluster["externalClusters"][0]["plugin"]["parameters"]["serverName"]
        writes = cluster["plugins"][0]["parameters"]["serverName"]
        return cluster["bootstrap"]["recovery"]["recoveryTarget"]["targetTime"], reads, writes

    unset = asked(list(render.rendered("prod+postgres-restore")))
    assert all(word.startswith("set-the-") for word in unset)
    restore = {"resources": ["../prod"], "components": ["../../components/postgres-restore"]}
    moment, reads, writes = asked(overlay(tmp_path, restore | {"patches": patches_of("Cluster")}))
    assert datetime.fromisoformat(moment).tzinfo is not None
    assert reads == "postgres"
    assert writes not in (reads, *unset)


def test_the_load_balancer_of_the_page_of_the_gateway_is_within_the_quota(tmp_path: Path) -> None:
    """A LoadBalancer has ports on the nodes by default, and the quota allows none."""
    (patches,) = (block["patches"] for block in GATEWAY_BLOCKS if "patches" in block)
    objects = overlay(tmp_path, {"resources": ["../prod"], "patches": patches})
    (service,) = (item for item in render.of_kind(objects, "Service") if item["metadata"]["name"] == "gateway-front")
    assert service["spec"]["type"] == "LoadBalancer"
    assert quota.faults(objects) == []
    service["spec"].pop("allocateLoadBalancerNodePorts")
    (fault,) = quota.faults(objects)
    assert "services.nodeports is 0" in fault


def test_the_policy_of_the_page_of_the_gateway_admits_its_balancer_only(tmp_path: Path) -> None:
    (patches,) = (block for block in GATEWAY_BLOCKS if isinstance(block, list))
    objects = overlay(tmp_path, {"resources": ["../prod"], "patches": patches})
    (policy,) = (
        each for each in render.of_kind(objects, "NetworkPolicy") if each["metadata"]["name"] == "gateway-clients"
    )
    (rule,) = policy["spec"]["ingress"]
    assert rule["ports"] == [{"port": 8443, "protocol": "TCP"}]
    assert list(rule["from"][0]) == ["namespaceSelector"]


@pytest.mark.parametrize("step", STEPS)
def test_the_steps_of_flux_divide_the_objects(tmp_path: Path, step: str) -> None:
    (example,) = (block for block in BLOCKS if isinstance(block, dict) and "spec" in block)
    (patch,) = example["spec"]["patches"]
    assert all(f"`{each}`" in PAGE for each in STEPS.values())
    patch["target"]["labelSelector"] = STEPS[step]
    kept = overlay(tmp_path, {"resources": ["../prod"], "patches": [patch]})
    whole = render.rendered("prod")
    own = {"platform": set(), "prepare": {"cluster", "streams", "migrate"}, "serve": {"api", "worker", "front"}}[step]
    others = {"cluster", "streams", "migrate", "api", "worker", "front"}

    def belongs(item: render.Object) -> bool:
        part = item["metadata"].get("labels", {}).get("app.kubernetes.io/component")
        return part in own if own else part not in others

    assert sorted(map(render.named, kept)) == sorted(render.named(item) for item in whole if belongs(item))


def test_the_table_of_connections_is_what_make_k8s_prints() -> None:
    names = {"staging": "staging", "prod": "prod", "prod with `keda`": "prod+keda", "prod with `pooler`": "prod+pooler"}
    for said, name in names.items():
        needed = budget(render.rendered(name))
        row = [said, *map(str, needed.lines.values()), str(needed.total), str(needed.allowed)]
        assert f"| {' | '.join(row)} |" in PAGE
