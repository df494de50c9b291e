"""New files of a certificate are taken if other processes would accept them, and else change nothing."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from io import StringIO
from pathlib import Path
from typing import NamedTuple

import msgspec
import pytest
from cryptography import x509
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.serialization import Encoding, NoEncryption, PrivateFormat
from cryptography.x509.oid import NameOID
from unora_common.certificates import of_config, of_process
from unora_common.common_metrics import CERTIFICATE_EXPIRY, CERTIFICATE_RELOADS, COMMON_METRICS
from unora_common.config import Config
from unora_common.logs import logger
from unora_common.metrics import Metrics
from unora_local.tls import LIFE
from unora_sdk.certificates import WRITTEN_WITHIN, Certificates
from unora_sdk.environment import ConfigError
from unora_testing.mounted import Authority, Issued, Mounted

OVER = timedelta(seconds=-1)


def config_of(files: Mounted) -> Config:
    ca, cert, key = files.files.ca, files.files.cert, files.files.key
    return Config(database_url="", nats_url="", tls_ca=ca, tls_cert=cert, tls_key=key)


@dataclass
class Clock:
    """What the process takes for the time since its start."""

    seconds: float = 0.0

    def monotonic(self) -> float:
        return self.seconds


class Renewed(NamedTuple):
    """A process's certificate, and what it tells of it."""

    authority: Authority
    mounted: Mounted
    certificates: Certificates
    metrics: Metrics
    log: StringIO
    clock: Clock

    def reloads(self) -> dict[str, float]:
        return {name: self.metrics.of(CERTIFICATE_RELOADS).labels(name)._value.get() for name in ("loaded", "refused")}

    def lines(self) -> list[tuple[str, str | None]]:
        lines = map(msgspec.json.decode, self.log.getvalue().splitlines())
        return [(line["event"], line.get("error")) for line in lines]


@pytest.fixture
def renewed(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Renewed:
    clock = Clock()
    monkeypatch.setattr("unora_sdk.certificates.time", clock)
    authority = Authority(tmp_path / "authority")
    mounted = Mounted(tmp_path / "mounted", [authority], authority.issue("streak"))
    log, metrics = StringIO(), Metrics(COMMON_METRICS)
    certificates = of_process("streak", config_of(mounted), logger("streak", "info", log), metrics)
    return Renewed(authority, mounted, certificates, metrics, log, clock)


def test_new_files_are_taken_and_counted(renewed: Renewed) -> None:
    first = renewed.certificates.current
    expiry = renewed.metrics.of(CERTIFICATE_EXPIRY).labels("own")._value
    before = expiry.get()
    assert renewed.certificates.refresh() is first
    issued = renewed.authority.issue("streak", LIFE)
    renewed.mounted.put([renewed.authority], issued)
    assert (renewed.certificates.refresh().cert, renewed.certificates.current.key) == issued
    assert expiry.get() - before == pytest.approx(LIFE.total_seconds() - 3600, abs=60)
    assert renewed.reloads() == {"loaded": 1, "refused": 0}
    assert renewed.lines() == [("certificate renewed", None)]


@pytest.mark.parametrize(
    ("wrong", "error"),
    [
        ("key of another certificate", "SSLError KEY_VALUES_MISMATCH"),
        ("cut certificate", "SSLError"),
        ("cut second authority", "SSLError"),
        ("no authority", "SSLError"),
        ("certificate is over", "CertificateError EXPIRED"),
        ("authority is over", "CertificateError EXPIRED"),
        ("another authority", "CertificateError UNKNOWN_AUTHORITY"),
        ("intermediate is over", "CertificateError EXPIRED"),
    ],
)
def test_files_that_cannot_be_used_change_nothing_and_are_told_of_once(
    renewed: Renewed, tmp_path: Path, wrong: str, error: str
) -> None:
    first, own = renewed.certificates.current, renewed.authority
    issued, ca = own.issue("streak"), own.pem
    if wrong == "key of another certificate":
        issued = Issued(issued.cert, own.issue("streak").key)
    elif wrong == "cut certificate":
        issued = Issued(issued.cert[:200], issued.key)
    elif wrong == "cut second authority":
        ca += ca[:200]
    elif wrong == "no authority":
        ca = b""
    elif wrong == "certificate is over":
        issued = own.issue("streak", OVER)
    elif wrong == "authority is over":
        over = Authority(tmp_path / "over", life=OVER)
        issued, ca = over.issue("streak"), over.pem
    elif wrong == "intermediate is over":
        middle = Authority(tmp_path / "middle")
        ca, between = below_a_root(middle, OVER)
        issued = middle.issue("streak")
        issued = Issued(issued.cert + between, issued.key)
    else:
        issued = Authority(tmp_path / "other").issue("streak")
    renewed.mounted.put_bytes(ca, *issued)
    for _ in range(3):
        assert renewed.certificates.refresh() is first
        renewed.clock.seconds += WRITTEN_WITHIN
    assert renewed.reloads() == {"loaded": 0, "refused": 1}
    ((event, said),) = renewed.lines()
    assert event == "certificate refused"
    assert said is not None
    assert said.startswith(error)
    with pytest.raises(ConfigError, match="UNORA_TLS_"):
        of_config(config_of(renewed.mounted))
    renewed.mounted.put([own], own.issue("streak"))
    assert renewed.certificates.refresh() is not first
    assert renewed.reloads() == {"loaded": 1, "refused": 1}


@pytest.mark.parametrize(
    ("uris", "servers"),
    [
        (["spiffe://unora/billing"], ["billing.unora"]),
        (["spiffe://unora/streak"], ["billing.unora"]),
        (["spiffe://unora/billing", "spiffe://unora/streak"], ["streak.unora"]),
        (["https://unora/streak"], ["streak.unora"]),
        ([], []),
    ],
)
def test_a_certificate_of_another_name_is_not_taken(
    renewed: Renewed, tmp_path: Path, uris: Sequence[str], servers: Sequence[str]
) -> None:
    """Callers would refuse a server of another name, and the contexts a caller of another name."""
    first, name = renewed.certificates.current, x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, "streak")])
    key, authority_key = ec.generate_private_key(ec.SECP256R1()), ec.generate_private_key(ec.SECP256R1())
    authority = signed(name, authority_key, name, authority_key, LIFE)
    names = [*map(x509.UniformResourceIdentifier, uris), *map(x509.DNSName, servers)]
    cert = signed(name, key, name, authority_key, LIFE, names)
    pem = key.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption())
    renewed.mounted.put_bytes(authority, cert, pem)
    for _ in range(3):
        assert renewed.certificates.refresh() is first
        renewed.clock.seconds += WRITTEN_WITHIN
    assert renewed.lines() == [("certificate refused", "CertificateError WRONG_NAME")]
    config = config_of(renewed.mounted)
    with pytest.raises(ConfigError, match=r"the URI spiffe://unora/streak, .* the DNS name streak\.unora"):
        of_process("streak", config, logger("streak", "info", StringIO()), Metrics(COMMON_METRICS))
    assert of_config(config).current.cert == cert, "a tool may have any name"


def test_of_certificates_that_come_with_it_the_first_end_is_shown(renewed: Renewed, tmp_path: Path) -> None:
    middle = Authority(tmp_path / "middle", life=LIFE)
    root, between = below_a_root(middle, timedelta(days=9))
    issued = middle.issue("streak", timedelta(days=90))
    renewed.mounted.put_bytes(root, issued.cert + between, issued.key)
    assert renewed.certificates.refresh().cert == issued.cert + between
    ends = x509.load_pem_x509_certificate(between).not_valid_after_utc
    assert renewed.metrics.of(CERTIFICATE_EXPIRY).labels("own")._value.get() == ends.timestamp()


def below_a_root(middle: Authority, life: timedelta) -> tuple[bytes, bytes]:
    """A new root, and the certificate by which it makes another authority an intermediate, valid for `life`."""
    key, root = ec.generate_private_key(ec.SECP256R1()), x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, "root")])
    own = x509.load_pem_x509_certificate(middle.pem)
    return signed(root, key, root, key, LIFE), signed(own.subject, own, root, key, life)


def signed(
    subject: x509.Name,
    holder: ec.EllipticCurvePrivateKey | x509.Certificate,
    issuer: x509.Name,
    key: ec.EllipticCurvePrivateKey,
    life: timedelta,
    names: Sequence[x509.GeneralName] | None = None,
) -> bytes:
    """A certificate for the holder's public key; without names, of an authority."""
    now = datetime.now(UTC)
    builder = x509.CertificateBuilder(issuer, subject, holder.public_key(), x509.random_serial_number())
    builder = builder.not_valid_before(now - timedelta(hours=1)).not_valid_after(now + life)
    builder = builder.add_extension(x509.BasicConstraints(ca=names is None, path_length=None), critical=True)
    if names:
        builder = builder.add_extension(x509.SubjectAlternativeName(names), critical=False)
    return builder.sign(key, hashes.SHA256()).public_bytes(Encoding.PEM)


def test_files_that_are_written_one_after_the_other_are_no_mistake(renewed: Renewed) -> None:
    """As `make compose-files` writes them: in between, the key is of another certificate."""
    issued = renewed.authority.issue("streak")
    renewed.mounted.files.cert.resolve().write_bytes(issued.cert)
    for _ in range(20):  # connections and calls may look at any moment
        assert renewed.certificates.refresh().cert != issued.cert
        renewed.clock.seconds += WRITTEN_WITHIN / 40
    renewed.mounted.files.key.resolve().write_bytes(issued.key)
    assert renewed.certificates.refresh().cert == issued.cert
    assert renewed.reloads() == {"loaded": 1, "refused": 0}


def test_files_that_are_absent_for_a_moment_change_nothing(renewed: Renewed) -> None:
    first, link = renewed.certificates.current, renewed.mounted.files.key
    target = link.readlink()
    link.unlink()
    assert renewed.certificates.refresh() is first
    link.symlink_to(target)
    assert renewed.certificates.refresh() is first
    assert renewed.reloads() == {"loaded": 0, "refused": 0}


def test_two_authorities_are_trusted_while_one_replaces_the_other(renewed: Renewed, tmp_path: Path) -> None:
    old, new = renewed.authority, Authority(tmp_path / "new", life=LIFE)
    expiry = renewed.metrics.of(CERTIFICATE_EXPIRY).labels("authority")._value
    before = expiry.get()
    renewed.mounted.put([new, old], old.issue("streak"))
    assert renewed.certificates.refresh().ca == new.pem + old.pem
    assert expiry.get() == before
    renewed.mounted.put([new, old], new.issue("streak"))
    renewed.certificates.refresh()
    assert expiry.get() > before
    assert renewed.reloads() == {"loaded": 2, "refused": 0}
