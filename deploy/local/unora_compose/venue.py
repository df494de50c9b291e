"""The containers as the story of the demo needs them: addresses, codes of SMS, an admin, payments, a movable clock."""

from __future__ import annotations

import socket
from collections.abc import AsyncIterator, Mapping
from contextlib import asynccontextmanager
from functools import partial
from pathlib import Path
from typing import Final

from unora_common import provision
from unora_common.config import CONTEXTS
from unora_demo.venue import FILE, Venue
from unora_local import compose_files
from unora_local.env import Env
from unora_local.keys import write_private
from unora_local.sandbox.layout import SandboxLayout
from unora_local.sms_box import SmsBox
from unora_local.tls import Certificate

from unora_compose.commands import Docker
from unora_compose.home import Home
from unora_compose.project import PAYMENTS, Project

CODES: Final = "/tmp/sms.jsonl"  # noqa: S108 - in the container of identity, as docker-compose.yml says
GATEWAY_OF_CONTAINERS: Final = "{{(index .IPAM.Config 0).Gateway}}"


@asynccontextmanager
async def venue(home: Home, project: Project) -> AsyncIterator[Venue]:
    """The containers run; in this block the payment provider's stand-in does, too, and the clock can be moved."""
    payments = SandboxLayout(
        port=project.ports[PAYMENTS],
        state=home.project / "payments.json",
        key=(home.files / compose_files.SECRETS_FOLDER / "stripe_secret_key").read_text(),
        webhook_secret=(home.files / compose_files.SECRETS_FOLDER / "stripe_webhook_secret").read_text(),
        host=await reached_by_containers(project.docker),
    )
    env = Env({**addresses(home.files, project.ports), **payments.published()})
    await provision.make_schemas(env.postgres, (), movable_clock=True)
    container = await project.identity()
    developer = Certificate(*env.certificate_files())
    sandbox = payments.part(env.address("billing"), developer, home.logs / "payments.log").process
    await sandbox.start()
    try:
        await sandbox.wait_until(lambda: _listens(payments), within=30.0)
        yield Venue(
            env=env,
            report=home.path / FILE,
            box=_codes(home.project / "sms.jsonl", project.docker, container),
            make_admin=partial(_make_admin, project.docker, container),
        )
    finally:
        await sandbox.stop()


def addresses(files: Path, ports: Mapping[str, int]) -> dict[str, str]:
    """The variables that a client needs. Certificates name this machine too, so that they are verified as elsewhere."""
    own, developer, notifier = "127.0.0.1", files / "developer", files / "notifier"
    password = (files / "postgres" / "password").read_text()
    authority = files / "cluster" / "admin" / compose_files.AUTHORITY
    nats = (files / "streams" / "nats_url").read_text()
    return {
        "UNORA_POSTGRES_URL": f"postgresql://postgres:{password}@{own}:{ports['postgres']}/unora"
        f"?sslmode=verify-full&sslrootcert={authority}",
        "UNORA_NATS_URL": nats.replace(compose_files.NATS, f"{own}:{ports['nats']}"),
        **{f"UNORA_{context.upper()}_ADDRESS": f"{own}:{ports[context]}" for context in CONTEXTS},
        "UNORA_GATEWAY_URL": f"https://{own}:{ports['gateway']}",
        "UNORA_TLS_CA": str(developer / "ca.pem"),
        "UNORA_TLS_CERT": str(developer / "cert.pem"),
        "UNORA_TLS_KEY": str(developer / "key.pem"),
        "UNORA_NOTIFIER_TLS_CERT": str(notifier / "cert.pem"),
        "UNORA_NOTIFIER_TLS_KEY": str(notifier / "key.pem"),
    }


async def reached_by_containers(docker: Docker) -> str:
    """The address of this machine at which containers reach a process. Where docker has a machine of its own, that is
    loopback.
    """
    found = (await docker.run("network", "inspect", "bridge", "--format", GATEWAY_OF_CONTAINERS)).strip()
    with socket.socket() as probe:
        try:
            probe.bind((found, 0))
        except OSError:
            return "127.0.0.1"
    return found


def _codes(file: Path, docker: Docker, container: str) -> SmsBox:
    write_private(file, b"")
    return SmsBox(file, lambda: write_private(file, docker.output("exec", container, "cat", CODES)))


async def _make_admin(docker: Docker, container: str, user_id: str) -> str:
    return (await docker.run("exec", container, "python", "-m", "unora_identity", "make-admin", user_id)).strip()


async def _listens(payments: SandboxLayout) -> bool:
    with socket.socket() as probe:
        return probe.connect_ex((payments.host, payments.port)) == 0
