"""The component that sends traces to a collector, over an overlay of one's own as docs/traces.md shows it."""

from __future__ import annotations

import os
from pathlib import Path

import msgspec
import yaml
from unora_common.config import Config
from unora_common.tracing.start import require_usable
from unora_tools import kubernetes

PROD, TRACES = kubernetes.FOLDER / "overlays" / "prod", kubernetes.FOLDER / "components" / "traces"


def test_the_component_names_the_collector_and_lets_all_processes_reach_it(tmp_path: Path) -> None:
    overlay = {
        "apiVersion": "kustomize.config.k8s.io/v1beta1",
        "kind": "Kustomization",
        "namespace": "unora",
        "resources": [os.path.relpath(PROD, tmp_path.resolve())],
        "components": [os.path.relpath(TRACES, tmp_path.resolve())],
    }
    (tmp_path / "kustomization.yaml").write_text(yaml.safe_dump(overlay))
    objects = kubernetes.render(str(tmp_path))
    for version in kubernetes.VERSIONS:
        assert kubernetes.faults(objects, version)[0] == []
    (endpoint,) = (
        value
        for item in objects
        if item["kind"] == "ConfigMap"
        for name, value in item["data"].items()
        if name == "UNORA_TRACES_ENDPOINT"
    )
    config = Config(database_url="", nats_url="", tls_ca=tmp_path, tls_cert=tmp_path, tls_key=tmp_path)
    config = msgspec.structs.replace(config, traces_endpoint=endpoint)
    require_usable(config)
    (policy,) = (item for item in objects if item["kind"] == "NetworkPolicy" and item["metadata"]["name"] == "traces")
    roles = {
        pod["metadata"]["labels"]["app.kubernetes.io/component"]
        for pod in (item["spec"]["template"] for item in objects if item["kind"] == "Deployment")
    }
    assert roles == set(policy["spec"]["podSelector"]["matchExpressions"][0]["values"])
    assert policy["spec"]["egress"][0]["ports"] == [{"port": 4317, "protocol": "TCP"}]
