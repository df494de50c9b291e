"""The rendered deploy/k8s, compared with the code: names, ports, variables, commands, probes, network policies."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
from unora_common import provision, streams
from unora_common.cli import _parser
from unora_common.config import CONTEXTS, load
from unora_common.declarations import consumed_subjects, load_service
from unora_common.health import READINESS
from unora_local import compose_files
from unora_local.tls import CALLERS, NATS
from unora_sdk.nats_client import SERVER_NAME
from unora_tools import kubernetes

from tests.integration.deploy.documents import GRPC, HEALTH, METRICS, config_of, misfits, peers

Object = dict[str, Any]
ROLES = ("api", "worker")
FRONT = "gateway-front"
NAME, COMPONENT, PART_OF = (f"app.kubernetes.io/{word}" for word in ("name", "component", "part-of"))
MOUNT = "/run/unora"
DATABASE = ["UNORA_DATABASE_URL_FILE"]
STREAMS = ["UNORA_NATS_URL_FILE", "UNORA_TLS_CA", "UNORA_TLS_CERT", "UNORA_TLS_KEY"]


class Rendered:
    """The objects of one overlay."""

    def __init__(self, overlay: str) -> None:
        self.overlay = overlay
        self.objects = kubernetes.render(overlay)

    def all(self, kind: str) -> dict[str, Object]:
        """All of a kind, by name."""
        return {item["metadata"]["name"]: item for item in self.objects if item["kind"] == kind}

    def pods(self) -> dict[str, Object]:
        """The pods of all Deployments and Jobs."""
        return {
            name: item["spec"]["template"] for kind in ("Deployment", "Job") for name, item in self.all(kind).items()
        }

    def environment(self, name: str) -> dict[str, str]:
        """The variables of a Deployment's container, its later ConfigMaps over its earlier ones."""
        found: dict[str, str] = {}
        maps = self.all("ConfigMap")
        for source in container(self.pods()[name])["envFrom"]:
            reference = source["configMapRef"]
            if reference["name"] not in maps:
                assert reference["optional"] is True
            found |= maps.get(reference["name"], {"data": {}})["data"]
        return found


@pytest.fixture(scope="module", params=kubernetes.OVERLAYS)
def rendered(request: pytest.FixtureRequest) -> Rendered:
    return Rendered(request.param)


def container(pod: Object) -> Object:
    """The one container of a pod."""
    (found,) = pod["spec"]["containers"]
    assert isinstance(found, dict)
    return found


def deployments() -> list[tuple[str, str]]:
    return [(context, role) for context in CONTEXTS for role in ROLES]


@pytest.mark.parametrize("version", kubernetes.VERSIONS)
def test_every_object_passes_strict_validation(rendered: Rendered, version: str) -> None:
    found, unknown = kubernetes.faults(rendered.objects, version)
    assert found == []
    assert set(unknown) == {"Certificate", "Issuer"}


def test_a_fault_would_be_found(rendered: Rendered) -> None:
    pod = {"apiVersion": "v1", "kind": "Pod", "metadata": {"name": "a"}, "spec": {"containers": [], "restart": "Never"}}
    found, _ = kubernetes.faults([pod], kubernetes.VERSIONS[0])
    assert len(found) == 1
    assert found[0].startswith("Pod a: ")


def test_no_object_keeps_the_name_of_the_template(rendered: Rendered) -> None:
    ours = [item for item in rendered.objects if item["metadata"]["name"].partition("-")[0] != "gateway"]
    assert {item["metadata"]["name"] for item in ours if "context" in str(item)} == set()
    outside = [item for item in rendered.objects if item["kind"] != "Namespace"]
    assert {item["metadata"]["namespace"] for item in outside} == {"unora"}
    assert {item["metadata"]["labels"][PART_OF] for item in outside} == {"unora"}


def test_every_context_has_its_deployments_services_budgets_and_jobs(rendered: Rendered) -> None:
    both = {f"{context}-{role}" for context, role in deployments()} | {FRONT}
    assert set(rendered.all("Deployment")) == set(rendered.all("PodDisruptionBudget")) == both
    assert set(rendered.all("Service")) == {*(f"{context}-api" for context in CONTEXTS), FRONT}
    assert set(rendered.all("Job")) == {"cluster", "streams", *(f"{context}-migrate" for context in CONTEXTS)}
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
    assert set(scaled) == {*(f"{context}-api" for context in CONTEXTS), FRONT}
    for name, item in scaled.items():
        assert item["spec"]["scaleTargetRef"] == {"apiVersion": "apps/v1", "kind": "Deployment", "name": name}
        assert item["spec"]["minReplicas"] == 3
        assert found[name] is None, "the autoscaler sets the number"
    assert {found[f"{context}-worker"] for context in CONTEXTS} == {3}


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


@pytest.mark.parametrize(("context", "role"), deployments())
def test_a_process_accepts_its_configuration(
    rendered: Rendered, context: str, role: str, tmp_path: Path, secrets: Path
) -> None:
    """With the secrets that compose has: the names under which both mount them are the same."""
    environment = rendered.environment(f"{context}-{role}")
    there = {name: value.replace(MOUNT, str(secrets / context)) for name, value in environment.items()}
    config = load(config_of(context), there)
    spec = rendered.pods()[f"{context}-{role}"]["spec"]
    assert "lifecycle" not in container(rendered.pods()[f"{context}-{role}"]), (
        "the process itself serves on for a moment"
    )
    assert spec["terminationGracePeriodSeconds"] >= config.shutdown_delay + config.shutdown_grace + 5
    own, tls = (source["secret"] for source in spec["volumes"][0]["projected"]["sources"])
    assert (own["name"], tls["name"]) == (f"{context}-secrets", f"{context}-tls")
    assert {item["path"] for item in tls["items"]} == {"ca.pem", "cert.pem", "key.pem"}
    assert container(rendered.pods()[f"{context}-{role}"])["volumeMounts"][0]["mountPath"] == MOUNT


@pytest.fixture(scope="module")
def secrets(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("secrets") / "all"
    compose_files.write(folder, consumed_subjects(CONTEXTS))
    return folder


@pytest.mark.parametrize(("context", "role"), deployments())
def test_a_process_is_a_command_that_exists_with_its_ports_and_probes(
    rendered: Rendered, context: str, role: str
) -> None:
    found = container(rendered.pods()[f"{context}-{role}"])
    module, *words = found["args"]
    assert module == f"unora_{context}"
    assert _parser(load_service(context)).parse_args(words).role == role
    assert "command" not in found, "the image's entry point is python -m"
    ports = {port["name"]: port["containerPort"] for port in found["ports"]}
    assert ports == {"health": HEALTH, "metrics": METRICS} | ({"grpc": GRPC} if role == "api" else {})
    probes = {name: found[name]["grpc"] for name in ("startupProbe", "livenessProbe", "readinessProbe")}
    assert probes["startupProbe"] == probes["livenessProbe"] == {"port": HEALTH}
    assert probes["readinessProbe"] == {"port": HEALTH, "service": READINESS}


def test_jobs_are_commands_that_exist_and_read_their_mounted_secrets(rendered: Rendered) -> None:
    pods = rendered.pods()
    for context in CONTEXTS:
        module, *words = container(pods[f"{context}-migrate"])["args"]
        assert (module, _parser(load_service(context)).parse_args(words).command) == (f"unora_{context}", "migrate")
        (volume,) = pods[f"{context}-migrate"]["spec"]["volumes"]
        assert volume["secret"]["secretName"] == f"{context}-owner"
    assert container(pods["cluster"])["args"] == [provision.__name__, f"{MOUNT}/passwords"]
    assert container(pods["streams"])["args"][:2] == [streams.__name__, "--replicas"]
    for name in rendered.all("Job"):
        variables = container(pods[name])["env"]
        assert [variable["name"] for variable in variables] == (STREAMS if name == "streams" else DATABASE)
        mounts = [mount["mountPath"] for mount in container(pods[name])["volumeMounts"]]
        assert all(variable["value"].rpartition("/")[0] in mounts for variable in variables)
    sources = [source["secret"] for source in pods["streams"]["spec"]["volumes"][0]["projected"]["sources"]]
    assert [source["name"] for source in sources] == ["nats-admin", "streams-tls"]
    assert {item["path"] for item in sources[1]["items"]} == {"ca.pem", "cert.pem", "key.pem"}


def test_nats_and_its_administrator_have_certificates_of_the_authority(rendered: Rendered) -> None:
    certificates = rendered.all("Certificate")
    assert certificates["nats-tls"]["spec"]["dnsNames"] == [SERVER_NAME]
    for name in NATS:
        found = certificates[f"{name}-tls"]["spec"]
        assert (found["uris"], found["issuerRef"]["name"]) == ([f"spiffe://unora/{name}"], "unora")
    assert "dnsNames" not in certificates["streams-tls"]["spec"]


def test_pods_have_no_rights_that_they_do_not_need(rendered: Rendered) -> None:
    for pod in rendered.pods().values():
        spec, found = pod["spec"], container(pod)
        assert spec["automountServiceAccountToken"] is False
        assert spec["enableServiceLinks"] is False
        assert spec["securityContext"]["runAsNonRoot"] is True
        assert spec["securityContext"]["runAsUser"] == 10001
        assert spec["securityContext"]["seccompProfile"] == {"type": "RuntimeDefault"}
        assert found["securityContext"] == {
            "allowPrivilegeEscalation": False,
            "readOnlyRootFilesystem": True,
            "capabilities": {"drop": ["ALL"]},
        }
        assert set(found["resources"]["requests"]) == {"cpu", "memory"}
        assert "memory" in found["resources"]["limits"]
    (namespace,) = rendered.all("Namespace").values()
    assert namespace["metadata"]["labels"]["pod-security.kubernetes.io/enforce"] == "restricted"


def test_no_secret_is_in_the_manifests(rendered: Rendered) -> None:
    assert rendered.all("Secret") == {}
    for pod in rendered.pods().values():
        assert all("value" not in variable or MOUNT in variable["value"] for variable in container(pod).get("env", []))


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


def values(selector: Object) -> list[str]:
    """The values of a selector's only expression."""
    (expression,) = selector["matchExpressions"]
    assert expression["operator"] == "In"
    return sorted(expression["values"])


@pytest.mark.rule("XX-03")
@pytest.mark.parametrize("context", CONTEXTS)
def test_the_network_admits_the_callers_that_the_contract_allows(rendered: Rendered, context: str) -> None:
    policy = rendered.all("NetworkPolicy")[f"{context}-callers"]["spec"]
    assert policy["podSelector"]["matchLabels"] == {NAME: context, COMPONENT: "api"}
    (rule,) = policy["ingress"]
    (source,) = rule["from"]
    assert values(source["podSelector"]) == sorted([*peers()[context], CALLERS[0]])
    assert rule["ports"] == [{"port": GRPC, "protocol": "TCP"}]


@pytest.mark.parametrize("context", CONTEXTS)
def test_the_network_lets_a_context_reach_the_contexts_that_it_may_call(rendered: Rendered, context: str) -> None:
    policy = rendered.all("NetworkPolicy")[f"{context}-peers"]["spec"]
    assert policy["podSelector"]["matchLabels"] == {NAME: context}
    (rule,) = policy["egress"]
    (target,) = rule["to"]
    assert target["podSelector"]["matchLabels"] == {COMPONENT: "api"}
    wanted = sorted(other for other, callers in peers().items() if context in callers)
    assert values(target["podSelector"]) == wanted
    assert rule["ports"] == [{"port": GRPC, "protocol": "TCP"}]


def test_everything_else_is_denied(rendered: Rendered) -> None:
    policies = rendered.all("NetworkPolicy")
    deny = policies["deny"]["spec"]
    assert deny == {"podSelector": {"matchLabels": {PART_OF: "unora"}}, "policyTypes": ["Ingress", "Egress"]}
    assert all(pod["metadata"]["labels"][PART_OF] == "unora" for pod in rendered.pods().values())
    outside = {name for name, item in policies.items() if "ipBlock" in str(item)}
    assert outside == {"identity-outside", "billing-outside"}
    egress = {name for name, item in policies.items() if item["spec"]["policyTypes"] == ["Egress"]}
    peers_of = {*(f"{context}-peers" for context in CONTEXTS), "gateway-services"}
    assert egress - outside == {"names", "postgres", "nats", *peers_of}
