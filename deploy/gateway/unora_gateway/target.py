"""Where the gateway runs: its addresses, its certificates, the services behind it."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import PurePath

from unora_gateway.policy import Policy


@dataclass(frozen=True)
class Address:
    """A host, as a name or an IP address, and a port."""

    host: str
    port: int

    @classmethod
    def of(cls, text: str) -> "Address":
        """From `host:port`."""
        host, _, port = text.rpartition(":")
        return cls(host.removeprefix("dns:///"), int(port))

    @classmethod
    def all_of(cls, text: str) -> "tuple[Address, ...]":
        """From what a gRPC client is given: `host:port`, or `ipv4:host:port,host:port` for several processes."""
        return tuple(cls.of(each) for each in text.removeprefix("ipv4:").split(","))


@dataclass(frozen=True)
class Files:
    """A certificate as Envoy finds it: the chain, its key, and the authority that its peers are judged by."""

    cert: PurePath
    key: PurePath
    ca: PurePath


@dataclass(frozen=True)
class Page:
    """A file that the gateway serves as it is, such as documentation. It needs no member and no service."""

    path: str
    """The path of its address, such as `/docs`."""
    file: PurePath
    """Where Envoy finds it."""
    media_type: str
    headers: Mapping[str, str] = field(default_factory=dict)
    """Others of its answer."""


@dataclass(frozen=True)
class Target:
    """One place in which the gateway runs."""

    folder: PurePath
    """Where Envoy finds the files that `render` writes."""
    front: Address
    """Where clients call, with TLS."""
    front_files: Files
    own_files: Files
    """The certificate with the URI spiffe://unora/gateway, which services know it by."""
    services: Mapping[str, Sequence[Address]]
    """Where each context is: the addresses of its processes, or one name behind which all of them are."""
    admin: Address
    """Envoy's own commands, for this machine or pod only."""
    watch: Address
    """Metrics (`/metrics`) and probes (`/healthz`), without TLS and for the inside."""
    policy: Policy
    plain: Address | None = None
    """Where clients call without TLS; only on one machine, on loopback."""
    pages: tuple[Page, ...] = ()
    bridge: Address | None = None
    """What serves the paths below `/local/`: the page that shows Unora on one machine. Never in containers."""
    is_by_name: bool = False
    """Whether the services' addresses are names, each with the addresses of all replicas."""
