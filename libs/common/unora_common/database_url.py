"""The address of Postgres. One that leads to another machine must demand TLS that checks who the server is: otherwise
whoever is between could read, or answer in the server's place.
"""

from __future__ import annotations

from collections.abc import Iterator
from ipaddress import ip_address
from pathlib import Path
from typing import Final
from urllib.parse import parse_qs, unquote, urlsplit

from unora_sdk.environment import ConfigError

SCHEMES: Final = ("postgresql", "postgres")
NAME: Final = "UNORA_DATABASE_URL"


def checked(url: str, name: str = NAME) -> str:
    """The address itself, if it may be used; `name` is the variable that holds it. Raises ConfigError, which holds no
    part of the address but its hosts.
    """
    try:
        parts = urlsplit(url)
        query = {key: values[-1] for key, values in parse_qs(parts.query, strict_parsing=bool(parts.query)).items()}
        hosts = list(_hosts(parts.netloc, query))
    except ValueError:
        raise ConfigError(f"{name} cannot be read: it is no address") from None
    if parts.scheme not in SCHEMES:
        raise ConfigError(f"{name} cannot be read: it begins with postgresql://")
    if not hosts:
        raise ConfigError(f"{name} names no host")
    verified = query.get("sslmode") == "verify-full" and query.get("sslrootcert", "") != ""
    if not verified and (elsewhere := [host for host in hosts if not _is_here(host)]):
        raise ConfigError(
            f"{name} leads to {', '.join(elsewhere)} without TLS that checks the server: add "
            "?sslmode=verify-full&sslrootcert=FILE to it, with the file of the authority of the server's certificate"
        )
    if verified and not _is_readable(Path(query["sslrootcert"])):
        raise ConfigError(f"{name}: the file of its sslrootcert cannot be read")
    return url


def direct(url: str, direct_url: str) -> str:
    """The address of Postgres itself: `direct_url` where `url` leads to a pooler, else `url`. Raises ConfigError."""
    return checked(direct_url, "UNORA_DIRECT_DATABASE_URL") if direct_url else url


def _hosts(netloc: str, query: dict[str, str]) -> Iterator[str]:
    """As asyncpg and libpq read them: several hosts, each with its port; from the query if there are none before."""
    for place in (unquote(netloc.partition("@")[2] if "@" in netloc else netloc), query.get("host", "")):
        for host in place.split(","):
            if bare := host if host.startswith("/") else _without_port(host):
                yield bare


def _without_port(host: str) -> str:
    return host[1:].partition("]")[0] if host.startswith("[") else host.partition(":")[0]


def _is_here(host: str) -> bool:
    if host.startswith("/") or host == "localhost":  # a Unix socket, or this machine
        return True
    try:
        return ip_address(host).is_loopback
    except ValueError:
        return False


def _is_readable(file: Path) -> bool:
    try:
        return bool(file.read_bytes())
    except OSError:
        return False
