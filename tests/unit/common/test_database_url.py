"""Which addresses of Postgres a process accepts: only what never leaves this machine may be without verified TLS."""

from __future__ import annotations

from pathlib import Path

import pytest
from unora_common.database_url import checked
from unora_sdk.environment import ConfigError


@pytest.fixture
def authority(tmp_path: Path) -> Path:
    file = tmp_path / "ca.pem"
    file.write_text("an authority")
    return file


@pytest.mark.parametrize(
    "place",
    [
        "127.0.0.1:5432",
        "127.8.8.8",
        "localhost",
        "[::1]:5432",
        "%2Frun%2Fpostgresql",
        "127.0.0.1,[::1]:5433",
    ],
)
def test_an_address_of_this_machine_may_do_without_tls(place: str) -> None:
    url = f"postgresql://role:secret@{place}/unora"
    assert checked(url) == url


def test_a_unix_socket_may_be_named_in_the_query() -> None:
    url = "postgres:///unora?host=/run/postgresql"
    assert checked(url) == url


@pytest.mark.parametrize("host", ["db", "10.0.0.7:5432", "[2001:db8::1]:5432", "127.0.0.1.example", "db1,db2:5433"])
def test_an_address_elsewhere_needs_a_verified_server(host: str, authority: Path) -> None:
    url = f"postgresql://role:secret@{host}/unora?sslmode=verify-full&sslrootcert={authority}"
    assert checked(url) == url


@pytest.mark.parametrize(
    "url",
    [
        "postgresql://role:secret@db/unora",
        "postgresql://role:secret@db/unora?sslmode=require",
        "postgresql://role:secret@db/unora?sslmode=verify-ca&sslrootcert={authority}",
        "postgresql://role:secret@db/unora?sslmode=verify-full",
        "postgresql://role:secret@db/unora?sslmode=verify-full&sslrootcert={authority}&sslmode=disable",
        "postgresql://role:secret@127.0.0.1,db/unora",
        "postgresql://role:secret@127.0.0.1@db/unora",
        "postgresql://db:5432/unora",
        "postgresql:///unora?host=db",
        "postgresql:///unora?host=/run/postgresql,db",
    ],
)
def test_an_address_elsewhere_without_a_verified_server_is_refused(url: str, authority: Path) -> None:
    with pytest.raises(ConfigError, match="without TLS that checks the server: add") as refusal:
        checked(url.format(authority=authority))
    assert "secret" not in str(refusal.value)


@pytest.mark.parametrize("url", ["postgresql:///unora", "postgresql://role:secret@/unora", "postgresql://"])
def test_an_address_without_a_host_is_refused_since_other_variables_would_decide(url: str) -> None:
    with pytest.raises(ConfigError, match="names no host"):
        checked(url)


@pytest.mark.parametrize("url", ["mysql://role@127.0.0.1/unora", "secret", "postgresql+asyncpg://role@127.0.0.1/unora"])
def test_what_is_no_address_of_postgres_is_refused(url: str) -> None:
    with pytest.raises(ConfigError, match="begins with postgresql://"):
        checked(url)


def test_an_address_that_cannot_be_read_is_refused_without_being_printed() -> None:
    with pytest.raises(ConfigError, match="it is no address") as refusal:
        checked("postgresql://role:secret@[::1/unora")
    assert "secret" not in str(refusal.value)


def test_an_authority_that_is_not_there_is_refused_at_once(tmp_path: Path) -> None:
    with pytest.raises(ConfigError, match="sslrootcert cannot be read"):
        checked(f"postgresql://role@db/unora?sslmode=verify-full&sslrootcert={tmp_path}/none")
