"""What `make k8s` checks: every overlay and component by schemas that refuse unknown fields, the quota, and checkov."""

from __future__ import annotations

import copy
from pathlib import Path
from typing import Any

import pytest
import yaml
from unora_tools.kubernetes import digests, models, quota, render, security, validate, written_schemas

ASKED = pytest.mark.skipif(bool(models.missing()), reason=f"the models of custom resources: {models.missing()}")
SCANNED = pytest.mark.skipif(bool(security.missing()), reason=f"checkov: {security.missing()}")


def custom(names: tuple[str, ...]) -> list[render.Object]:
    """The custom resources of overlays."""
    return [item for name in names for item in validate.faults(render.rendered(name), validate.VERSIONS[0])[1]]


def changed(item: render.Object, path: str, value: Any) -> render.Object:
    """A copy of an object with another value at a place such as spec.storage.size."""
    copied = copy.deepcopy(item)
    *parents, last = path.split(".")
    place: Any = copied
    for each in parents:
        place = place[int(each) if each.isdigit() else each]
    place[last] = value
    return copied


@pytest.mark.parametrize("version", validate.VERSIONS)
@pytest.mark.parametrize("name", render.ALL)
def test_every_object_passes_strict_validation(name: str, version: str) -> None:
    found, others = validate.faults(render.rendered(name), version)
    assert found == []
    assert all("." in item["apiVersion"].split("/")[0] for item in others), "only custom resources have no schema there"


def test_a_fault_would_be_found() -> None:
    pod = {"apiVersion": "v1", "kind": "Pod", "metadata": {"name": "a"}, "spec": {"containers": [], "restart": "Never"}}
    found, _ = validate.faults([pod], validate.VERSIONS[0])
    assert len(found) == 1
    assert found[0].startswith("Pod a: ")


def test_every_component_is_rendered_with_some_overlay() -> None:
    used = {component for name in render.ALL for component in name.split("+")[1:]}
    for overlay in render.OVERLAYS:
        described = yaml.safe_load((render.FOLDER / "overlays" / overlay / "kustomization.yaml").read_text())
        used |= {Path(each).name for each in described["components"]}
    there = {folder.name for folder in (render.FOLDER / "components").iterdir()}
    assert there - used == {"context"}, "context is part of each context in base"


def test_custom_resources_of_the_operator_of_postgres_pass_the_schemas_written_here() -> None:
    items = [item for item in custom(("prod+pooler",)) if written_schemas.knows(item)]
    assert {item["kind"] for item in items} == {"Cluster", "Database", "ObjectStore", "Pooler", "ScheduledBackup"}
    assert written_schemas.written_faults(items) == []


@pytest.mark.parametrize(
    ("kind", "path", "value", "said"),
    [
        ("Cluster", "spec.instance", 3, "instance"),
        ("Cluster", "spec.storage.size", "200 GB", "200 GB"),
        ("Cluster", "spec.postgresql.parameters.max_connections", 1000, "1000"),
        ("Cluster", "spec.managed.roles.0.conectionLimit", 1, "conectionLimit"),
        ("Database", "spec.name", "postgres", "postgres"),
        ("ScheduledBackup", "spec.schedule", "30 2 * * *", "30 2"),
        ("ObjectStore", "spec.configuration.wal.compresion", "gzip", "compresion"),
        ("Pooler", "spec.pgbouncer.poolMode", "statement", "statement"),
        ("Pooler", "spec.template.spec.containers.0.resource", {}, "resource"),
    ],
)
def test_a_fault_in_them_would_be_found(kind: str, path: str, value: Any, said: str) -> None:
    (item,) = (item for item in custom(("prod+pooler",)) if item["kind"] == kind)
    faults = written_schemas.written_faults([changed(item, path, value)])
    assert faults
    assert all(said in fault for fault in faults)


@ASKED
def test_all_other_custom_resources_pass_the_models_of_npm() -> None:
    others = [item for item in custom(("dev", "prod+keda")) if not written_schemas.knows(item)]
    by_kind = {item["kind"]: item for item in others}
    wrong = [
        changed(by_kind["Certificate"], "spec.dnsName", ["x"]),
        changed(by_kind["TLSRoute"], "spec.rules.0.backendRefs.0.port", "443"),
        changed(by_kind["ScaledObject"], "spec.maxReplicas", 3),
        changed(by_kind["PodMonitor"], "spec.podMetricsEndpoints.0.relabelings.0.action", "swap"),
        {"apiVersion": "keda.sh/v1alpha1", "kind": "Unheard", "metadata": {"name": "x"}},
    ]
    said = models.check([*others, *wrong])
    assert set(said.checked) == {"cert-manager", "external-secrets", "gateway-api", "keda", "prometheus-operator"}
    assert said.unknown == {"Unheard": 1}
    assert {fault.split()[0] for fault in said.faults} == {"Certificate", "TLSRoute", "ScaledObject", "PodMonitor"}
    assert any("dnsName" in fault for fault in said.faults)


@pytest.mark.parametrize("overlay", ["staging", "prod", "prod+pooler", "prod+keda"])
def test_the_quota_has_room_for_everything_at_its_most(overlay: str) -> None:
    assert quota.faults(render.rendered(overlay)) == []


def test_a_quota_that_is_too_small_or_of_limits_of_cpu_would_be_found() -> None:
    objects = list(render.rendered("prod"))
    (own,) = render.of_kind(objects, "ResourceQuota")
    objects.remove(own)
    hard = own["spec"]["hard"]
    small = changed(own, "spec.hard", hard | {"pods": "20"})
    cpu = changed(own, "spec.hard", hard | {"limits.cpu": "100"})
    assert ["pods is 20" in fault for fault in quota.faults([*objects, small])] == [True]
    assert ["limits.cpu" in fault for fault in quota.faults([*objects, cpu])] == [True]


def test_no_image_of_prod_is_left_without_its_digest(tmp_path: Path) -> None:
    """As `make digests` writes them: what checkov's check CKV_K8S_43 asks for."""
    digest = f"sha256:{'a' * 64}"
    images = {
        image.name: image._replace(digest=digest)
        for image in map(digests.Image.parse, digests.images_of(render.rendered("prod")))
    }
    (tmp_path / "deployed").mkdir()
    (tmp_path / "deployed" / "kustomization.yaml").write_text(digests.component(images, "0-2-0", None))
    (tmp_path / "overlay").mkdir()
    objects = render.render_on(tmp_path / "overlay", render.FOLDER / "overlays" / "prod", [tmp_path / "deployed"])
    assert len(images) == 6
    assert all(image.endswith(f"@{digest}") for image in digests.images_of(objects))


@SCANNED
def test_checkov_finds_nothing_that_is_not_explained() -> None:
    passed, failed = security.check()
    assert failed == []
    assert passed > 2000
    assert all(len(reason.split()) > 15 for reason in security.suppressed().values())
