"""deploy/compose: what is added to docker-compose.yml for the journey, and the stand-ins."""

from __future__ import annotations

import re
from pathlib import Path
from typing import Any

import pytest
import yaml
from unora_common import database_url
from unora_common.config import CONTEXTS
from unora_common.declarations import consumed_subjects
from unora_compose import images, venue
from unora_compose.commands import Docker
from unora_compose.home import Home
from unora_compose.play import LIMITS
from unora_compose.project import FILES, PAYMENTS, PUBLISHED, project, state_of
from unora_demo.venue import without_notifier
from unora_local import compose_files
from unora_local.env import Env
from unora_local.sms_box import SmsBox

COMPOSE, JOURNEY = FILES


class _Tagged(yaml.SafeLoader):
    """`!override` is compose's own."""


def _list(loader: yaml.SafeLoader, node: yaml.SequenceNode) -> list[Any]:
    return loader.construct_sequence(node)


_Tagged.add_constructor("!override", _list)


def services(file: Path) -> dict[str, Any]:
    found: dict[str, Any] = yaml.load(file.read_text(), _Tagged)["services"]
    return found


def test_the_journey_adds_ports_variables_and_a_host_only() -> None:
    added, known = services(JOURNEY), services(COMPOSE)
    assert set(added) == set(PUBLISHED) <= set(known)
    assert {key for service in added.values() for key in service} == {"ports", "environment", "extra_hosts"}
    assert added["billing"]["extra_hosts"] == [f"{PAYMENTS}:host-gateway"]


def test_every_port_of_this_machine_is_replaced_and_on_loopback() -> None:
    """A port that stayed would be taken where the developer's own project runs."""
    text = JOURNEY.read_text()
    for name, service in services(JOURNEY).items():
        (port,) = service["ports"]
        assert port.startswith(f"127.0.0.1:${{JOURNEY_{name.upper()}:?}}:")
        if "ports" in services(COMPOSE)[name]:
            assert f"ports: !override {port!r}".replace("'", '"') in text.replace("[", "").replace("]", "")
    kept = {name for name, service in services(COMPOSE).items() if "ports" in service and "profiles" not in service}
    assert kept <= set(PUBLISHED)


def test_nothing_of_the_journey_is_in_docker_compose_yml() -> None:
    text = COMPOSE.read_text()
    for word in ("JOURNEY_", PAYMENTS + ":", "host-gateway", "UNORA_CODES_"):
        assert word not in text


def test_the_project_has_ports_of_its_own_and_the_images_that_it_is_given(tmp_path: Path) -> None:
    made = project(Home(tmp_path), Docker(env={"DOCKER_HOST": "unix:///a"}), {"UNORA_IMAGE": "unora:a"})
    assert len(set(made.ports.values())) == len(PUBLISHED) + 1
    variables = made.docker.env
    assert (variables["UNORA_IMAGE"], variables["DOCKER_HOST"]) == ("unora:a", "unix:///a")
    assert variables["JOURNEY_GATEWAY"] == str(made.ports["gateway"])
    assert variables["UNORA_S3_PUBLIC_ENDPOINT"] == f"http://127.0.0.1:{made.ports['s3']}"
    wanted = set(re.findall(r"\$\{(\w+)", COMPOSE.read_text() + JOURNEY.read_text()))
    assert {*variables, *images.OURS, *images.STANDINS} - {"DOCKER_HOST"} <= wanted


def test_every_image_of_a_server_has_a_stand_in() -> None:
    dockerfile = (images.SOURCES / "Dockerfile").read_text()
    assert set(re.findall(r"^FROM \S+ AS (\w+)$", dockerfile, re.MULTILINE)) == set(images.STANDINS.values())
    for variable, service in images.STANDINS.items():
        assert services(COMPOSE)[service]["image"].startswith(f"${{{variable}:-")


@pytest.mark.parametrize(
    ("line", "state"),
    [
        ('{"Service": "nats", "State": "running", "Health": "healthy", "ExitCode": 0}', ("nats", "running healthy")),
        ('{"Service": "nats", "State": "running", "Health": "", "ExitCode": 0}', ("nats", "running")),
        ('{"Service": "streams", "State": "exited", "Health": "", "ExitCode": 1}', ("streams", "exited 1")),
    ],
)
def test_the_state_of_a_container_says_its_health_or_its_exit_status(line: str, state: tuple[str, str]) -> None:
    assert state_of(line) == state


def test_the_gateway_lets_sixty_members_call_from_one_address(tmp_path: Path) -> None:
    compose_files.write(tmp_path, consumed_subjects(CONTEXTS), environ=LIMITS)
    rendered = (tmp_path / "gateway" / "envoy" / "envoy.json").read_text()
    assert re.search(r'"max_tokens": 100000\b', rendered)


def test_the_journey_reaches_the_containers_by_the_files_that_they_mount(tmp_path: Path) -> None:
    compose_files.write(tmp_path, consumed_subjects(CONTEXTS))
    ports = {name: 20_000 + number for number, name in enumerate((*PUBLISHED, PAYMENTS))}
    env = Env(venue.addresses(tmp_path, ports))
    assert database_url.checked(env.postgres)
    assert f"@127.0.0.1:{ports['postgres']}/unora?sslmode=verify-full" in env.postgres
    assert env.nats.endswith(f"@127.0.0.1:{ports['nats']}")
    assert [env.address(context) for context in CONTEXTS] == [f"127.0.0.1:{ports[name]}" for name in CONTEXTS]
    assert all(b"-----BEGIN" in pem for pem in (*env.certificates(), *env.certificates_of("notifier")))
    (front,) = {(tmp_path / "gateway" / "front" / "ca.pem").read_bytes()}
    assert env.certificates()[0] == front  # the one by which the journey verifies the gateway


def test_codes_are_read_from_a_copy_that_is_fetched_each_time(tmp_path: Path) -> None:
    copy, sent = tmp_path / "sms.jsonl", ""
    copy.touch()
    box = SmsBox(copy, lambda: copy.write_text(sent))
    for code in ("111111", "222222"):
        sent += f'{{"to": "+1", "code": "{code}"}}\n'
        assert box.code("+1") == code


async def test_the_story_can_be_told_without_a_notifier() -> None:
    async with without_notifier() as notifier:
        assert notifier is None
