"""The data stores, secrets, monitors and routes of the rendered overlays, compared with what the code needs of them."""

from __future__ import annotations

from pathlib import Path

import pytest
import yaml
from unora_common.config import CONTEXTS
from unora_common.database_url import checked
from unora_common.provision import CONNECTIONS, OWNER_CONNECTIONS, role_names
from unora_tools.kubernetes import generated, secrets
from unora_tools.kubernetes.connections import budget

from tests.integration.deploy.policies import Policies
from tests.integration.deploy.rendered import FRONT, Rendered, container
from tests.integration.deploy.test_kubernetes_jobs import secrets_of

BY_OTHERS = {"postgres-ca"}
"""The operator of Postgres makes it."""


@pytest.fixture(scope="module")
def prod() -> Rendered:
    return Rendered("prod")


@pytest.fixture(scope="module")
def made(tmp_path_factory: pytest.TempPathFactory) -> dict[str, dict[str, bytes]]:
    """The secrets that the command makes, for the component pooler too."""
    return secrets.secrets(tmp_path_factory.mktemp("kit") / "kit", pooler=secrets.POOLER)


def test_generated_files_are_current() -> None:
    for file, text in generated.files().items():
        assert file.read_text() == text, f"{file.name}: run `make k8s-files`"


def test_rules_of_alerts_become_one_object_with_all_groups(tmp_path: Path) -> None:
    (tmp_path / "b.yaml").write_text("groups: [{name: b, rules: [{record: x, expr: y}]}]")
    (tmp_path / "a.yaml").write_text("groups: [{name: a, rules: [{alert: Down, expr: up == 0}]}]")
    item = yaml.safe_load(generated.prometheus_rule(tmp_path))
    assert (item["kind"], [group["name"] for group in item["spec"]["groups"]]) == ("PrometheusRule", ["a", "b"])
    assert item["spec"]["groups"][0]["rules"] == [{"alert": "Down", "expr": "up == 0"}]


def test_every_secret_is_made_by_somebody(prod: Rendered, made: dict[str, dict[str, bytes]]) -> None:
    mounted = {name for pod in prod.pods.values() for name in secrets_of(pod)}
    cluster = prod.one("Cluster", "postgres")["spec"]
    store = prod.one("ObjectStore", "postgres-backup")["spec"]["configuration"]["s3Credentials"]
    mounted |= {cluster["superuserSecret"]["name"], *(each["name"] for each in store.values())}
    by_certificates = {item["spec"]["secretName"] for item in prod.all("Certificate").values()}
    assert mounted - by_certificates - BY_OTHERS == set(made)
    assert set(prod.all("ExternalSecret")) == set(made), "a store outside the cluster has the same"
    assert {key["key"] for key in store.values()} == set(made["postgres-backup"])


def test_external_secrets_come_from_entries_of_the_same_names(prod: Rendered) -> None:
    for name, item in prod.all("ExternalSecret").items():
        assert item["spec"]["dataFrom"] == [{"extract": {"key": f"unora/{name}"}}]
        assert item["spec"]["secretStoreRef"]["name"] in prod.all("SecretStore")
    (key,) = prod.one("ExternalSecret", "identity-secrets")["spec"]["data"]
    assert (key["secretKey"], key["remoteRef"]["decodingStrategy"]) == ("phone.key", "Base64")


def test_the_addresses_of_the_secrets_lead_where_they_should(
    made: dict[str, dict[str, bytes]], tmp_path: Path, prod: Rendered
) -> None:
    authority = tmp_path / "postgres_ca.pem"
    authority.write_text("an authority")

    def host(text: bytes) -> str:
        address = text.decode().replace("/run/unora/admin/", "/run/unora/").replace("/run/unora", str(tmp_path))
        return checked(address).partition("@")[2].partition("/")[0]

    for context in CONTEXTS:
        own = made[f"{context}-secrets"]
        assert host(own["database_url"]) == secrets.POOLER
        assert host(own["direct_database_url"]) == secrets.POSTGRES
        assert host(made[f"{context}-owner"]["database_url"]) == secrets.POSTGRES
        assert own["nats_url"].decode().rpartition("@")[2] == "nats:4222"
        assert (
            own["nats_url"].decode().split("//")[1].split(":")[1].split("@")[0]
            in made["nats-users"]["passwords.conf"].decode()
        )
    assert host(made["postgres-admin"]["database_url"]) == secrets.POSTGRES
    assert made["postgres-superuser"]["password"] in made["postgres-admin"]["database_url"]
    assert prod.one("Service", "nats")["spec"]["ports"][0]["port"] == 4222
    pooler = Rendered("prod+pooler")
    assert f"{pooler.one('Pooler', 'postgres-pooler')['metadata']['name']}:5432" == secrets.POOLER
    assert (
        secrets.POOLER.partition(":")[0] in prod.one("Cluster", "postgres")["spec"]["certificates"]["serverAltDNSNames"]
    )


def test_secrets_that_are_there_stay_and_placeholders_are_named(tmp_path: Path) -> None:
    empty = secrets.write(tmp_path / "one")
    phone_key = (tmp_path / "one" / "identity-secrets" / "phone.key").read_bytes()
    given = tmp_path / "one" / "billing-secrets" / "stripe_secret_key"
    assert given in empty
    given.write_text("sk_live_x")
    assert given not in secrets.write(tmp_path / "one")
    assert given.read_text() == "sk_live_x"
    assert (tmp_path / "one" / "identity-secrets" / "phone.key").read_bytes() == phone_key
    assert (tmp_path / "one").stat().st_mode & 0o077 == 0


def test_postgres_keeps_what_it_acknowledged_and_its_history(prod: Rendered) -> None:
    spec = prod.one("Cluster", "postgres")["spec"]
    assert (spec["instances"], spec["enablePDB"]) == (3, True)
    assert spec["postgresql"]["synchronous"] == {"method": "any", "number": 1, "dataDurability": "required"}
    (plugin,) = spec["plugins"]
    assert plugin["isWALArchiver"] is True
    assert plugin["parameters"]["barmanObjectName"] in prod.all("ObjectStore")
    backup = prod.one("ScheduledBackup", "postgres-daily")["spec"]
    assert (backup["method"], backup["pluginConfiguration"]["name"]) == ("plugin", plugin["name"])
    assert backup["cluster"]["name"] == "postgres"
    *admitted, last = spec["postgresql"]["pg_hba"]
    assert admitted == ["hostssl unora all all scram-sha-256"]
    assert last == "host all all all reject"


def test_roles_are_declared_as_the_job_sets_them(prod: Rendered) -> None:
    """Otherwise the operator and the Job would change them in turn."""
    declared = prod.one("Cluster", "postgres")["spec"]["managed"]["roles"]
    assert {role["name"] for role in declared} == set(role_names())
    for role in declared:
        assert role["connectionLimit"] == (OWNER_CONNECTIONS if role["name"].endswith("_owner") else CONNECTIONS)
        assert (role["login"], "passwordSecret" in role) == (True, False)


@pytest.mark.parametrize("overlay", ["staging", "prod", "prod+pooler", "prod+keda"])
def test_all_processes_find_a_connection_while_a_release_is_rolled_out(overlay: str) -> None:
    needed = budget(Rendered(overlay).objects)
    assert needed.allowed is not None
    assert needed.faults == []
    assert needed.total <= needed.allowed
    assert max(needed.by_role.values()) <= CONNECTIONS, "the limit of a context's role"


def test_a_pooler_has_room_for_every_client_and_the_relays_go_past_it() -> None:
    rendered = Rendered("prod+pooler")
    pooler = rendered.one("Pooler", "postgres-pooler")["spec"]
    needed = budget(rendered.objects)
    assert pooler["pgbouncer"]["poolMode"] == "transaction"
    assert needed.clients <= int(pooler["pgbouncer"]["parameters"]["max_client_conn"]), "if one instance serves all"
    assert needed.total < budget(Rendered("prod").objects).total
    for context in CONTEXTS:
        variables = rendered.environment(f"{context}-worker")
        assert variables["UNORA_DIRECT_DATABASE_URL_FILE"] == "/run/unora/direct_database_url"


def test_every_process_with_metrics_is_scraped_with_its_context_and_role(prod: Rendered) -> None:
    spec = prod.one("PodMonitor", "unora")["spec"]
    (expression,) = spec["selector"]["matchExpressions"]
    (endpoint,) = spec["podMetricsEndpoints"]
    for name, pod in prod.pods.items():
        ports = {port["name"] for port in container(pod).get("ports", [])}
        is_selected = pod["metadata"]["labels"][expression["key"]] in expression["values"]
        assert is_selected == (endpoint["port"] in ports), name
    targets = {each["targetLabel"]: each["sourceLabels"] for each in endpoint["relabelings"]}
    assert targets == {
        "context": ["__meta_kubernetes_pod_label_app_kubernetes_io_name"],
        "role": ["__meta_kubernetes_pod_label_app_kubernetes_io_component"],
    }


def test_the_operator_of_postgres_alone_writes_the_labels_that_it_writes() -> None:
    """Else each of us would set them back in turn. The monitor finds its pods by labels that are its own."""
    pooler = Rendered("prod+pooler")
    given = [
        pooler.one("Cluster", "postgres")["spec"].get("inheritedMetadata", {}).get("labels", {}),
        pooler.one("Pooler", "postgres-pooler")["spec"]["template"].get("metadata", {}).get("labels", {}),
    ]
    assert [label for labels in given for label in labels if label.startswith("app.kubernetes.io/")] == []
    (expression,) = pooler.one("PodMonitor", "postgres")["spec"]["selector"]["matchExpressions"]
    found = {
        name for name, labels in Policies(pooler).pods.items() if labels.get(expression["key"]) in expression["values"]
    }
    assert found == {"postgres", "postgres-pooler"}


def test_members_come_by_a_route_that_passes_tls_on(prod: Rendered) -> None:
    (listener,) = prod.one("Gateway", "front")["spec"]["listeners"]
    assert listener["tls"] == {"mode": "Passthrough"}
    route = prod.one("TLSRoute", "front")["spec"]
    assert route["hostnames"] == [listener["hostname"]]
    (rule,) = route["rules"]
    service = prod.one("Service", FRONT)["spec"]
    assert rule["backendRefs"] == [{"name": FRONT, "port": service["ports"][0]["port"]}]


def test_workers_are_scaled_by_the_events_that_wait() -> None:
    rendered = Rendered("prod+keda")
    for context in CONTEXTS:
        spec = rendered.one("ScaledObject", f"{context}-worker")["spec"]
        (trigger,) = spec["triggers"]
        assert f'unora_consumer_pending{{context="{context}"}}' in trigger["metadata"]["query"]
        assert spec["minReplicaCount"] == 3 < spec["maxReplicaCount"]
        assert "replicas" not in rendered.one("Deployment", f"{context}-worker")["spec"], "the ScaledObject sets it"
