"""Who may reach whom by the rendered network policies: nothing but what the contract and this table say."""

from __future__ import annotations

import pytest
from unora_common.config import CONTEXTS
from unora_local.tls import CALLERS
from unora_tools.kubernetes import render

from tests.integration.deploy.documents import GRPC, METRICS, peers
from tests.integration.deploy.policies import Policies
from tests.integration.deploy.rendered import COMPONENT, FRONT, NAME, Rendered, values

POSTGRES, NATS, ROUTES = 5432, 4222, 6222


@pytest.fixture(scope="module", params=render.OVERLAYS)
def rendered(request: pytest.FixtureRequest) -> Rendered:
    return Rendered(request.param)


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


def reach(policies: Policies, sources: list[str], target: str, port: int) -> set[str]:
    """Which of the pods may open a connection to a pod's port."""
    return {source for source in sources if policies.admit(source, target, port)}


def test_every_pod_of_the_namespace_is_denied_what_no_policy_allows(rendered: Rendered) -> None:
    deny = rendered.one("NetworkPolicy", "deny")["spec"]
    assert deny == {"podSelector": {}, "policyTypes": ["Ingress", "Egress"]}
    policies = Policies(rendered)
    pods = sorted(policies.pods)
    role = {pod: pod.partition("-")[2] for pod in pods}
    open_ports = {(target, port) for target in pods for port in (GRPC, METRICS, POSTGRES, NATS, ROUTES, 8000, 443)}
    allowed = {(source, target, port) for target, port in open_ports for source in reach(policies, pods, target, port)}
    wanted = {
        *((caller, f"{context}-api", GRPC) for context in CONTEXTS for caller in callers(context)),
        *(
            (source, "postgres", POSTGRES)
            for source in pods
            if source.partition("-")[2] in {"api", "worker", "migrate"}
        ),
        *((source, "nats", NATS) for source in pods if role[source] in {"api", "worker"}),
        ("cluster", "postgres", POSTGRES),
        ("streams", "nats", NATS),
        ("notifier", "nats", NATS),
        ("notifier", "identity-api", GRPC),
        ("chat", "matching-api", GRPC),
        ("nats", "nats", ROUTES),
        ("postgres", "postgres", POSTGRES),
        ("postgres", "postgres", 8000),
    }
    assert allowed == wanted if "postgres" in rendered.all("Cluster") else allowed <= wanted


def callers(context: str) -> set[str]:
    """The pods that may call a context: of contexts both roles, and the gateway."""
    contexts = {caller for caller in peers()[context] if caller in CONTEXTS}
    return {f"{caller}-{role}" for caller in contexts for role in ("api", "worker")} | {FRONT}


@pytest.mark.parametrize("source", ["identity-api", "billing-worker"])
def test_only_two_contexts_reach_the_internet_and_no_private_address(rendered: Rendered, source: str) -> None:
    policies = Policies(rendered)
    for address in ("93.184.216.34", "2606:2800:220:1::1"):
        assert policies.admit_address(source, address, 443)
        assert not policies.admit_address(source, address, 80)
    for address in ("10.1.2.3", "192.168.1.1", "169.254.169.254", "fd00:ec2::254", "fe80::1"):
        assert not policies.admit_address(source, address, 443)
    others = {name for name in policies.pods if name.partition("-")[0] not in ("identity", "billing", "postgres")}
    assert not {name for name in others if policies.admit_address(name, "93.184.216.34", 443)}


def test_every_pod_may_ask_for_names_also_of_a_cache_on_its_node(rendered: Rendered) -> None:
    policies = Policies(rendered)
    assert all(policies.admit_address(name, "169.254.20.10", 53) for name in policies.pods)


def test_a_pooler_stands_between_the_services_and_postgres() -> None:
    policies = Policies(Rendered("prod+pooler"))
    assert policies.admit("streak-api", "postgres-pooler", POSTGRES)
    assert policies.admit("postgres-pooler", "postgres", POSTGRES)
    assert not policies.admit("streak-migrate", "postgres-pooler", POSTGRES)
    assert policies.admit("streak-worker", "postgres", POSTGRES), "its relay goes past the pooler"
