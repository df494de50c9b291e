"""The component that sends traces to a collector."""

from __future__ import annotations

from pathlib import Path

import msgspec
from unora_common.config import Config
from unora_common.tracing.start import require_usable
from unora_tools.kubernetes.render import rendered


def test_the_component_names_the_collector_and_lets_all_processes_reach_it(tmp_path: Path) -> None:
    objects = rendered("prod+traces")
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
