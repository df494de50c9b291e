"""Ports, passwords, certificates and the env file."""

import os
import socket
import ssl
import stat
import threading
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import psutil
import pytest
from cryptography import x509
from unora_local import ports, tls
from unora_local.env import Env
from unora_local.keys import Passwords, ensure_file
from unora_local.ports import Ports
from unora_local.tls import Certificate


def test_a_port_is_the_usual_one_or_the_next_and_remembered(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv(ports.SHIFT)  # else the usual port is another one
    file = tmp_path / "ports.json"
    (usual,) = ports.free()
    with socket.create_server(("127.0.0.1", usual)):
        first = Ports(file)
        found = first.take("streak", usual)
        assert found != usual
        assert not ports.is_free(usual)
        taken_by = f"{psutil.Process().name()} (pid {os.getpid()})"
        assert first.moved == [f"streak has port {found}, since {usual} is taken by {taken_by}"]
    # The usual port is free again, but clients may have stored the other one.
    again = Ports(file)
    assert again.take("streak", usual) == found
    assert again.moved == [f"streak has port {found}, as at an earlier start, not the usual {usual}"]
    assert Ports(file).take("reveal", found) != found


def test_free_ports_differ() -> None:
    found = ports.free(20)
    assert len(set(found)) == 20
    assert max(found) < ports.LIMIT  # above this limit, an outgoing connection may take the port before its server does


def test_passwords_are_made_once_and_private(tmp_path: Path) -> None:
    file = tmp_path / "passwords.json"
    first = Passwords(file)
    assert first["a"] != first["b"]
    assert Passwords(file)["a"] == first["a"]
    assert stat.S_IMODE(file.stat().st_mode) == 0o600


def test_a_key_is_made_once(tmp_path: Path) -> None:
    path = ensure_file(tmp_path / "keys" / "phone", lambda: b"first")
    assert ensure_file(path, lambda: b"second").read_bytes() == b"first"


def test_certificates_are_kept_and_new_names_are_added(tmp_path: Path) -> None:
    first = tls.ensure(tmp_path, ["streak"])["streak"].read()
    both = tls.ensure(tmp_path, ["streak", "reveal"])
    assert both["streak"].read() == first
    assert both["reveal"].read()[0] == first[0]
    assert stat.S_IMODE(both["reveal"].key.stat().st_mode) == 0o600


def test_a_certificate_names_its_context(tmp_path: Path) -> None:
    _, pem, _ = tls.ensure(tmp_path, ["streak"])["streak"].read()
    names = x509.load_pem_x509_certificate(pem).extensions.get_extension_for_class(x509.SubjectAlternativeName).value
    assert names.get_values_for_type(x509.UniformResourceIdentifier) == ["spiffe://unora/streak"]
    assert names.get_values_for_type(x509.DNSName) == ["streak.unora", "localhost"]


def test_certificates_near_their_end_are_renewed(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(tls, "LIFE", tls.RENEW)
    old = tls.ensure(tmp_path, ["streak"])["streak"].read()
    monkeypatch.undo()
    new = tls.ensure(tmp_path, ["streak"])["streak"].read()
    assert all(a != b for a, b in zip(old, new, strict=True))
    assert x509.load_pem_x509_certificate(new[1]).not_valid_after_utc - datetime.now(UTC) > tls.RENEW


def test_a_new_authority_goes_on_trusting_the_one_that_it_replaces_until_it_is_taken_out(tmp_path: Path) -> None:
    old = tls.ensure(tmp_path, ["streak"])["streak"]
    before = old.read()
    old.ca.with_suffix(".key").unlink()
    both, new, _ = tls.ensure(tmp_path, ["streak"])["streak"].read()
    assert both.endswith(before[0])
    first, second = x509.load_pem_x509_certificates(both)
    x509.load_pem_x509_certificate(new).verify_directly_issued_by(first)
    x509.load_pem_x509_certificate(before[1]).verify_directly_issued_by(second)
    old.ca.write_bytes(both.removesuffix(before[0]))
    assert tls.ensure(tmp_path, ["streak"])["streak"].read() == (
        both.removesuffix(before[0]),
        new,
        old.key.read_bytes(),
    )


def test_an_authority_that_is_over_is_not_named_any_more(tmp_path: Path) -> None:
    authority = Certificate(tmp_path / "ca.pem", tmp_path / "ca.pem", tmp_path / "ca.key")
    for seconds in (-1, 60):
        tls.make_authority(authority, timedelta(seconds=seconds))
    assert len(x509.load_pem_x509_certificates(authority.ca.read_bytes())) == 1


def test_both_ends_of_a_connection_accept_each_other(tmp_path: Path) -> None:
    certificates = tls.ensure(tmp_path, ["streak", "reveal"])
    server, client = certificates["streak"], certificates["reveal"]
    serving = ssl.create_default_context(ssl.Purpose.CLIENT_AUTH, cafile=str(server.ca))
    serving.verify_mode = ssl.CERT_REQUIRED
    serving.load_cert_chain(server.cert, server.key)
    calling = ssl.create_default_context(cafile=str(client.ca))
    calling.verify_flags |= ssl.VERIFY_X509_STRICT
    calling.load_cert_chain(client.cert, client.key)
    seen: list[Any] = []

    def serve(plain: socket.socket) -> None:
        with serving.wrap_socket(plain, server_side=True) as connection:
            seen.append(connection.getpeercert())
            connection.sendall(b"ok")

    client_end, server_end = socket.socketpair()
    thread = threading.Thread(target=serve, args=(server_end,))
    thread.start()
    with calling.wrap_socket(client_end, server_hostname="127.0.0.1") as connection:
        assert connection.recv(2) == b"ok"
    thread.join()
    assert ("URI", "spiffe://unora/reveal") in seen[0]["subjectAltName"]


def test_the_env_file_is_read_as_a_shell_reads_it(tmp_path: Path) -> None:
    file = tmp_path / "env"
    file.write_text("UNORA_STREAK_ADDRESS=127.0.0.1:1\nUNORA_SMS_SANDBOX='/with a space/sms'\n")
    env = Env.read(file)
    assert env.address("streak") == "127.0.0.1:1"
    assert env.sms_sandbox == Path("/with a space/sms")
