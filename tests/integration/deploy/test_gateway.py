"""The gateway in compose and in Kubernetes: the files that Envoy reads are current, complete, and where it looks."""

from __future__ import annotations

import json
import re
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest
import yaml
from unora_common.config import CONTEXTS
from unora_common.declarations import consumed_subjects
from unora_gateway import targets
from unora_gateway.render import render
from unora_gateway.target import Target
from unora_local import compose_files
from unora_local.binaries import script
from unora_local.tls import FRONT
from unora_tools.kubernetes.render import OVERLAYS, rendered

from tests.integration.deploy.documents import GRPC, METRICS, ROOT

RENDERED = ROOT / "deploy" / "k8s" / "base" / "gateway" / "rendered"
NAME, COMPONENT = (f"app.kubernetes.io/{word}" for word in ("name", "component"))
LARGEST = 256 * 1024
"""Bytes of an object that `kubectl apply` takes: it keeps a copy in an annotation."""
Object = dict[str, Any]


@pytest.fixture(scope="module", params=OVERLAYS)
def objects(request: pytest.FixtureRequest) -> list[Object]:
    return list(rendered(request.param))


@pytest.fixture(scope="module")
def composed(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("compose") / ".compose"
    compose_files.write(folder, consumed_subjects(CONTEXTS))
    return folder / "gateway"


def all_of(objects: list[Object], kind: str) -> dict[str, Object]:
    return {item["metadata"]["name"]: item for item in objects if item["kind"] == kind}


def read_paths(target: Target) -> set[str]:
    """Every path that Envoy opens, of its own files and of certificates."""
    text = b"".join(content for name, content in render(target).items() if name.endswith(".json")).decode()
    return set(re.findall(r'"(?:filename|path|proto_descriptor)": "(/(?:etc|run)/[^"]+)"', text))


def test_the_files_in_the_repository_are_those_that_the_contract_makes() -> None:
    """`make gateway` writes them."""
    made = render(targets.kubernetes({}))
    assert {path.name for path in RENDERED.iterdir()} == set(made)
    for name, content in made.items():
        assert (RENDERED / name).read_bytes() == content, f"{name} is old: make gateway"


def test_all_files_reach_the_pod_and_no_object_is_too_large(objects: list[Object]) -> None:
    maps = {name: item for name, item in all_of(objects, "ConfigMap").items() if name.startswith("gateway-")}
    found = [name for item in maps.values() for kind in ("data", "binaryData") for name in item.get(kind, {})]
    assert sorted(found) == sorted(render(targets.kubernetes({})))
    assert all(len(json.dumps(json.dumps(item))) < LARGEST for item in maps.values())
    spec = all_of(objects, "Deployment")["gateway-front"]["spec"]["template"]["spec"]
    volumes = {volume["name"]: volume for volume in spec["volumes"]}
    assert {source["configMap"]["name"] for source in volumes["config"]["projected"]["sources"]} == set(maps)
    mounts = {mount["mountPath"]: volumes[mount["name"]] for mount in spec["containers"][0]["volumeMounts"]}
    for path in read_paths(targets.kubernetes({})):
        assert [mount for mount in mounts if path == mount or path.startswith(f"{mount}/")], path
    secrets = {mount: volume["secret"]["secretName"] for mount, volume in mounts.items() if "secret" in volume}
    assert secrets == {"/run/unora/tls": "gateway-tls", "/run/unora/front": "front-tls"}


def test_the_pod_is_reached_by_all_and_reaches_each_context(objects: list[Object]) -> None:
    policies = all_of(objects, "NetworkPolicy")
    (clients,) = policies["gateway-clients"]["spec"]["ingress"]
    assert clients == {"ports": [{"port": GRPC, "protocol": "TCP"}]}
    (services,) = policies["gateway-services"]["spec"]["egress"]
    (target,) = services["to"]
    (expression,) = target["podSelector"]["matchExpressions"]
    assert sorted(expression["values"]) == sorted(CONTEXTS)
    hosts = {address.host for (address,) in targets.kubernetes({}).services.values()}
    assert hosts == {f"{context}-api" for context in CONTEXTS} <= set(all_of(objects, "Service"))
    found = all_of(objects, "Deployment")["gateway-front"]["spec"]["template"]["spec"]["containers"][0]
    ports = {port["name"]: port["containerPort"] for port in found["ports"]}
    target_ports = {"front": targets.kubernetes({}).front.port, "metrics": targets.kubernetes({}).watch.port}
    assert ports == target_ports == {"front": GRPC, "metrics": METRICS}
    certificates = all_of(objects, "Certificate")
    assert certificates["gateway-tls"]["spec"]["uris"] == ["spiffe://unora/gateway"]
    assert "uris" not in certificates["front-tls"]["spec"]


def test_the_images_have_the_version_that_the_tests_run_on(objects: list[Object]) -> None:
    done = subprocess.run([str(script("envoy")), "--version"], capture_output=True, text=True, check=True)
    (version,) = re.findall(r"/(\d+\.\d+\.\d+)/", done.stdout)
    found = all_of(objects, "Deployment")["gateway-front"]["spec"]["template"]["spec"]["containers"][0]
    assert found["image"] == f"envoyproxy/envoy:v{version}"
    compose = yaml.safe_load((ROOT / "docker-compose.yml").read_text())["services"]["gateway"]
    assert compose["image"] == f"${{UNORA_ENVOY_IMAGE:-envoyproxy/envoy:v{version}}}"


def test_compose_mounts_all_that_envoy_reads(composed: Path) -> None:
    for path in read_paths(targets.compose({})):
        assert (composed / Path(path).relative_to("/run/unora")).exists(), path


@pytest.mark.parametrize("where", ["compose", "kubernetes"])
def test_envoy_accepts_the_files(where: str, composed: Path, tmp_path: Path) -> None:
    """With its folders put where this machine has them."""
    target = {"compose": targets.compose, "kubernetes": targets.kubernetes}[where]({})
    for name, content in render(target).items():
        moved = content.replace(str(target.folder).encode() + b"/", f"{tmp_path}/".encode())
        moved = moved.replace(b'"/run/unora/', f'"{composed}/'.encode())
        (tmp_path / name).write_bytes(moved if name.endswith(".json") else content)
    command = [str(script("envoy")), "--mode", "validate", "--config-path", str(tmp_path / "envoy.json")]
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr[-2000:]


def test_no_service_takes_what_apps_see_for_a_caller(composed: Path) -> None:
    certificate = (composed / "front" / "cert.pem").read_bytes()
    from cryptography import x509

    names = x509.load_pem_x509_certificate(certificate).extensions.get_extension_for_class(x509.SubjectAlternativeName)
    assert not names.value.get_values_for_type(x509.UniformResourceIdentifier)
    assert f"{FRONT}.unora" in names.value.get_values_for_type(x509.DNSName)


def test_the_command_explains_itself_and_names_a_wrong_variable(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    command = [sys.executable, "-m", "unora_gateway"]
    helped = subprocess.run([*command, "render", "--help"], capture_output=True, text=True, check=True)
    assert "--target {local,compose,kubernetes}" in helped.stdout
    monkeypatch.setenv("UNORA_GATEWAY_HEADERS", "many")
    wrong = [*command, "render", "--target", "compose", "--out", str(tmp_path)]
    done = subprocess.run(wrong, capture_output=True, text=True, check=False)
    assert done.returncode == 1
    assert done.stderr == "UNORA_GATEWAY_HEADERS is 'many': give a whole number, or do not set it\n"
