"""The rendered processes of deploy/k8s, compared with the code: names, ports, variables, commands, probes, rights."""

from __future__ import annotations

from pathlib import Path
from typing import Final

import pytest
from unora_common.cli import _parser
from unora_common.config import CONTEXTS, load
from unora_common.declarations import consumed_subjects, load_service
from unora_common.health import READINESS
from unora_local import compose_files
from unora_local.tls import CALLERS, NATS
from unora_sdk.nats_client import SERVER_NAME
from unora_tools.kubernetes import quota, render

from tests.integration.deploy.documents import GRPC, HEALTH, METRICS, config_of, misfits
from tests.integration.deploy.rendered import (
    COMPONENT,
    FRONT,
    MOUNT,
    NAME,
    PART_OF,
    Rendered,
    container,
    deployments,
)


@pytest.fixture(scope="module", params=render.OVERLAYS)
def rendered(request: pytest.FixtureRequest) -> Rendered:
    return Rendered(request.param)


def test_no_object_keeps_the_name_of_the_template(rendered: Rendered) -> None:
    ours = [item for item in rendered.objects if item["metadata"]["name"].partition("-")[0] != "gateway"]
    ours = [item for item in ours if item["kind"] not in ("PodMonitor", "PrometheusRule")]  # context is a label there
    assert {item["metadata"]["name"] for item in ours if "context" in str(item)} == set()
    outside = [item for item in rendered.objects if item["kind"] not in ("Namespace", "PriorityClass")]
    assert {item["metadata"]["namespace"] for item in outside} == {"unora"}
    assert {item["metadata"]["labels"][PART_OF] for item in outside} == {"unora"}


def test_every_context_has_its_deployments_services_and_budgets(rendered: Rendered) -> None:
    both = {f"{context}-{role}" for context, role in deployments()} | {FRONT}
    assert set(rendered.all("Deployment")) == both
    assert set(rendered.all("PodDisruptionBudget")) == both | {"nats"}
    services = {*(f"{context}-api" for context in CONTEXTS), FRONT, "nats", "nats-servers"}
    assert set(rendered.all("Service")) == services
    for name, item in rendered.all("Deployment").items():
        labels = item["spec"]["template"]["metadata"]["labels"]
        budget = rendered.all("PodDisruptionBudget")[name]["spec"]
        selector = item["spec"]["selector"]["matchLabels"]
        assert (selector[NAME], selector[COMPONENT]) == tuple(name.split("-"))
        assert selector.items() <= labels.items()
        assert budget == {"maxUnavailable": 1, "selector": {"matchLabels": selector}}
        for spread in item["spec"]["template"]["spec"]["topologySpreadConstraints"]:
            assert spread["labelSelector"]["matchLabels"] == selector


def test_the_number_of_replicas(rendered: Rendered) -> None:
    scaled = rendered.all("HorizontalPodAutoscaler")
    found = {name: item["spec"].get("replicas") for name, item in rendered.all("Deployment").items()}
    if rendered.overlay == "dev":
        assert (scaled, set(found.values())) == ({}, {1})
        return
    fewest = {"staging": 2, "prod": 3}[rendered.overlay]
    assert set(scaled) == {*(f"{context}-api" for context in CONTEXTS), FRONT}
    for name, item in scaled.items():
        assert item["spec"]["scaleTargetRef"] == {"apiVersion": "apps/v1", "kind": "Deployment", "name": name}
        assert item["spec"]["minReplicas"] == fewest < item["spec"]["maxReplicas"]
        assert found[name] is None, "the autoscaler sets the number"
    assert {found[f"{context}-worker"] for context in CONTEXTS} == {fewest}


def test_a_replica_is_full_at_a_share_of_a_core_and_not_of_its_request() -> None:
    """A small request would otherwise make idle replicas full."""
    rendered = Rendered("prod")
    for name, item in rendered.all("HorizontalPodAutoscaler").items():
        (metric,) = item["spec"]["metrics"]
        measured = metric["containerResource"]
        assert measured["container"] == container(rendered.pods[name])["name"]
        assert measured["target"]["type"] == "AverageValue"
        assert 0.3 <= quota.amount(measured["target"]["averageValue"]) <= 0.8
        assert item["spec"]["behavior"]["scaleDown"]["stabilizationWindowSeconds"] >= 300
        requested = quota.amount(container(rendered.pods[name])["resources"]["requests"]["cpu"])
        assert 0.2 <= requested <= 0.5


@pytest.mark.parametrize(("context", "role"), deployments())
def test_a_process_gets_the_variables_that_it_reads_and_no_others(rendered: Rendered, context: str, role: str) -> None:
    environment = rendered.environment(f"{context}-{role}")
    assert misfits(context, environment) == []
    assert environment["UNORA_LISTEN"] == f"0.0.0.0:{GRPC}"
    assert environment["UNORA_HEALTH_LISTEN"] == f"0.0.0.0:{HEALTH}"
    assert environment["UNORA_METRICS_LISTEN"] == f"0.0.0.0:{METRICS}"
    for other in CONTEXTS:
        address = environment[f"UNORA_{other.upper()}_ADDRESS"]
        host, _, port = address.removeprefix("dns:///").partition(":")
        service = rendered.all("Service")[host]["spec"]
        assert service["clusterIP"] == "None"
        assert (service["selector"][NAME], service["selector"][COMPONENT]) == (other, "api")
        (open_port,) = service["ports"]
        assert (str(open_port["port"]), open_port["targetPort"]) == (port, "grpc")


LOGGING: Final = {"log_level": "level", "log_sample": "sample"}
"""The files of the settings of the log, and their keys in the ConfigMap."""


@pytest.mark.parametrize(("context", "role"), deployments())
def test_a_process_accepts_its_configuration(
    rendered: Rendered, context: str, role: str, tmp_path: Path, secrets: Path
) -> None:
    """With the secrets that compose has: the names under which both mount them are the same."""
    environment = rendered.environment(f"{context}-{role}")
    there = {name: value.replace(MOUNT, str(secrets / context)) for name, value in environment.items()}
    settings = rendered.all("ConfigMap")["logging"]["data"]
    for path, key in LOGGING.items():
        (secrets / context / path).write_text(settings[key])
    config = load(config_of(context), there)
    spec = rendered.pods[f"{context}-{role}"]["spec"]
    assert "lifecycle" not in container(rendered.pods[f"{context}-{role}"]), "the process itself serves on for a moment"
    assert spec["terminationGracePeriodSeconds"] >= config.shutdown_delay + config.shutdown_grace + 5
    *mounted, logging = spec["volumes"][0]["projected"]["sources"]
    own, tls, postgres = (source["secret"] for source in mounted)
    assert {item["path"] for item in logging["configMap"]["items"]} == set(LOGGING)
    assert (own["name"], tls["name"], postgres["name"]) == (f"{context}-secrets", f"{context}-tls", "postgres-ca")
    assert {item["path"] for item in tls["items"]} == {"ca.pem", "cert.pem", "key.pem"}
    assert postgres["items"] == [{"key": "ca.crt", "path": compose_files.AUTHORITY}]
    assert container(rendered.pods[f"{context}-{role}"])["volumeMounts"][0]["mountPath"] == MOUNT


@pytest.fixture(scope="module")
def secrets(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("secrets") / "all"
    compose_files.write(folder, consumed_subjects(CONTEXTS))
    return folder


@pytest.mark.parametrize(("context", "role"), deployments())
def test_a_process_is_a_command_that_exists_with_its_ports_and_probes(
    rendered: Rendered, context: str, role: str
) -> None:
    found = container(rendered.pods[f"{context}-{role}"])
    module, *words = found["args"]
    assert module == f"unora_{context}"
    assert _parser(load_service(context)).parse_args(words).role == role
    assert "command" not in found, "the image's entry point is python -m"
    ports = {port["name"]: port["containerPort"] for port in found["ports"]}
    assert ports == {"health": HEALTH, "metrics": METRICS} | ({"grpc": GRPC} if role == "api" else {})
    probes = {name: found[name]["grpc"] for name in ("startupProbe", "livenessProbe", "readinessProbe")}
    assert probes["startupProbe"] == probes["livenessProbe"] == {"port": HEALTH}
    assert probes["readinessProbe"] == {"port": HEALTH, "service": READINESS}


@pytest.mark.parametrize("context", CONTEXTS)
def test_a_certificate_names_its_context(rendered: Rendered, context: str) -> None:
    spec = rendered.all("Certificate")[f"{context}-tls"]["spec"]
    assert spec["uris"] == [f"spiffe://unora/{context}"]
    assert spec["dnsNames"] == [f"{context}.unora"]
    assert {"server auth", "client auth"} <= set(spec["usages"])
    assert spec["secretName"] == f"{context}-tls"
    assert spec["issuerRef"]["name"] in rendered.all("Issuer")


def test_only_dev_has_a_certificate_with_the_gateways_rights_besides_the_gateway(rendered: Rendered) -> None:
    """A developer's certificate exists only where its name is an accepted gateway caller."""
    accepted = tuple(rendered.environment("streak-api").get("UNORA_GATEWAY_CALLERS", "gateway").split(","))
    others = {uri for name, item in rendered.all("Certificate").items() for uri in item["spec"].get("uris", [])}
    others -= {f"spiffe://unora/{name}" for name in (*CONTEXTS, *NATS)}
    assert others == {f"spiffe://unora/{caller}" for caller in accepted}
    assert accepted == (CALLERS if rendered.overlay == "dev" else ("gateway",))


def test_pods_have_no_rights_that_they_do_not_need(rendered: Rendered) -> None:
    for name, pod in rendered.pods.items():
        spec = pod["spec"]
        account = rendered.one("ServiceAccount", spec["serviceAccountName"])
        assert (spec["serviceAccountName"], account["automountServiceAccountToken"]) == (name, False)
        assert spec["automountServiceAccountToken"] is False
        assert spec["enableServiceLinks"] is False
        assert spec["securityContext"]["runAsNonRoot"] is True
        assert spec["securityContext"]["runAsUser"] == 10001
        assert spec["securityContext"]["seccompProfile"] == {"type": "RuntimeDefault"}
        for found in spec["containers"]:
            assert found["securityContext"] == {
                "allowPrivilegeEscalation": False,
                "readOnlyRootFilesystem": True,
                "capabilities": {"drop": ["ALL"]},
            }
            assert set(found["resources"]["requests"]) == {"cpu", "memory"}
            assert set(found["resources"]["limits"]) == {"memory"}, "a limit of CPU stops a process on an idle node"
    (namespace,) = rendered.all("Namespace").values()
    assert namespace["metadata"]["labels"]["pod-security.kubernetes.io/enforce"] == "restricted"


def test_no_secret_is_in_the_manifests(rendered: Rendered) -> None:
    assert rendered.all("Secret") == {}
    for pod in rendered.ours.values():
        assert all("value" not in variable or MOUNT in variable["value"] for variable in container(pod).get("env", []))


def test_nats_and_its_administrator_have_certificates_of_the_authority(rendered: Rendered) -> None:
    certificates = rendered.all("Certificate")
    assert certificates["nats-tls"]["spec"]["dnsNames"][0] == SERVER_NAME
    for name in NATS:
        found = certificates[f"{name}-tls"]["spec"]
        assert (found["uris"], found["issuerRef"]["name"]) == ([f"spiffe://unora/{name}"], "unora")
    assert "dnsNames" not in certificates["streams-tls"]["spec"]
