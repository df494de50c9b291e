"""What compose and Kubernetes run in the gateway's container, run here against a gateway on other ports."""

from __future__ import annotations

import subprocess
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import yaml
from unora_local.tls import Certificate
from unora_testing.deadlines import eventually
from unora_testing.gateway import gateway_of

from tests.integration.gateway.recorder import Recorder

ROOT = Path(__file__).resolve().parents[3]


def run(command: list[str]) -> subprocess.CompletedProcess[str]:
    return subprocess.run(command, capture_output=True, text=True, check=False)


def port_of(url: str) -> str:
    return url.rpartition(":")[2]


async def test_the_health_check_of_compose_follows_the_services(
    services: Recorder, certificates: Mapping[str, Certificate]
) -> None:
    compose: dict[str, Any] = yaml.safe_load((ROOT / "docker-compose.yml").read_text())["services"]["gateway"]
    kind, *command = compose["healthcheck"]["test"]
    assert kind == "CMD"
    assert "127.0.0.1/9090" in command[-1]
    async with gateway_of(services.addresses, certificates, health_seconds="0.1") as door:
        command[-1] = command[-1].replace("127.0.0.1/9090", f"127.0.0.1/{port_of(door.gateway.watch_url)}")
        assert run(command).returncode == 0
        await services.set_ready("reveal", False)
        try:
            await eventually(lambda: run(command).returncode != 0, "the container is not healthy without reveal")
        finally:
            await services.set_ready("reveal", True)
        await eventually(lambda: run(command).returncode == 0, "the container is healthy again")


async def test_a_pod_that_ends_goes_on_answering_and_asks_for_other_connections(
    services: Recorder, certificates: Mapping[str, Certificate]
) -> None:
    manifests = yaml.safe_load_all((ROOT / "deploy/k8s/base/gateway/processes.yaml").read_text())
    (container,) = next(iter(manifests))["spec"]["template"]["spec"]["containers"]
    *shell, script = container["lifecycle"]["preStop"]["exec"]["command"]
    assert "127.0.0.1/9901" in script
    assert script.endswith("; sleep 30")
    async with gateway_of(services.addresses, certificates) as door, door.web() as web:
        here = script.removesuffix("; sleep 30").replace("127.0.0.1/9901", f"127.0.0.1/{door.gateway.admin_port}")
        assert run([*shell, here]).stdout.startswith("HTTP/1.1 200 OK")

        async def asked_to_leave() -> bool:
            answer = await web.get("/v1/account")
            assert answer.status_code == 200
            return bool(answer.headers.get("connection") == "close")

        await eventually(asked_to_leave, "a client is asked to open another connection")
