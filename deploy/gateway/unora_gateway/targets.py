"""The places in which the gateway runs: on one machine, in compose, in Kubernetes."""

from collections.abc import Callable, Mapping, Sequence
from pathlib import Path, PurePath, PurePosixPath
from typing import Final

from unora_common.config import CONTEXTS

from unora_gateway import policy
from unora_gateway.policy import Policy
from unora_gateway.target import Address, Files, Page, Target

LOOPBACK: Final = "127.0.0.1"
EVERYWHERE: Final = "0.0.0.0"  # noqa: S104 - of a container
MOUNTED: Final = PurePosixPath("/run/unora")
"""Where containers have their certificates, and in compose all that they read."""
COMPOSE_FOLDER, KUBERNETES_FOLDER = MOUNTED / "envoy", PurePosixPath("/etc/unora")
"""Where a container has the files that were rendered."""
FRONT_PORT: Final = 8443
ADMIN_PORT: Final = 9901
WATCH_PORT: Final = 9090
LOCAL_PORTS: Final = {"front": 18443, "plain": 18080, "watch": 18081, "admin": 18082}
LOCAL_GRPC_PORT: Final = 17001
"""Of the first context; each further one has the next."""
LOCAL_SERVICES: Final = {context: (Address(LOOPBACK, LOCAL_GRPC_PORT + i),) for i, context in enumerate(CONTEXTS)}
# Demos, benchmarks and tests call as many members from one address.
LOCAL_LIMITS: Final = {"address_calls_per_second": 100_000, "address_burst": 100_000, "addresses": 1000}
LOCAL_ORIGINS: Final = ("http://localhost:*", "http://127.0.0.1:*", "https://localhost:*", "https://127.0.0.1:*")


def local_policy(environ: Mapping[str, str] | None = None) -> Policy:
    """The policy on this machine. Raises PolicyError."""
    return policy.load(environ, **LOCAL_LIMITS, origins=LOCAL_ORIGINS)


def local(
    folder: Path,
    *,
    ports: Mapping[str, int] = LOCAL_PORTS,
    services: Mapping[str, Sequence[Address]] = LOCAL_SERVICES,
    front: Files,
    own: Files,
    policy: Policy,
    pages: tuple[Page, ...] = (),
    bridge: Address | None = None,
) -> Target:
    """On this machine, all on loopback. Clients may also call without TLS."""
    return Target(
        folder=folder,
        front=Address(LOOPBACK, ports["front"]),
        plain=Address(LOOPBACK, ports["plain"]),
        front_files=front,
        own_files=own,
        services=services,
        admin=Address(LOOPBACK, ports["admin"]),
        watch=Address(LOOPBACK, ports["watch"]),
        policy=policy,
        pages=pages,
        bridge=bridge,
    )


def compose(environ: Mapping[str, str] | None = None) -> Target:
    """In docker-compose.yml: one server, each service one container. Raises PolicyError."""
    return _contained(
        COMPOSE_FOLDER,
        front=_files(MOUNTED / "front"),
        own=_files(MOUNTED),
        service=lambda context: Address(context, 8443),
        environ=environ,
    )


def kubernetes(environ: Mapping[str, str] | None = None) -> Target:
    """In Kubernetes: each service a headless Service, whose name has the addresses of all replicas."""
    own, front = MOUNTED / "tls", MOUNTED / "front"
    return _contained(
        KUBERNETES_FOLDER,
        front=Files(front / "tls.crt", front / "tls.key", front / "ca.crt"),
        own=Files(own / "tls.crt", own / "tls.key", own / "ca.crt"),
        service=lambda context: Address(f"{context}-api", 8443),
        environ=environ,
    )


def _contained(
    folder: PurePath, front: Files, own: Files, service: Callable[[str], Address], environ: Mapping[str, str] | None
) -> Target:
    return Target(
        folder=folder,
        front=Address(EVERYWHERE, FRONT_PORT),
        front_files=front,
        own_files=own,
        services={context: (service(context),) for context in CONTEXTS},
        admin=Address(LOOPBACK, ADMIN_PORT),
        watch=Address(EVERYWHERE, WATCH_PORT),
        policy=policy.load(environ),
        is_by_name=True,
    )


def _files(folder: PurePath) -> Files:
    return Files(folder / "cert.pem", folder / "key.pem", folder / "ca.pem")
