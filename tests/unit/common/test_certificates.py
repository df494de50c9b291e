"""New files of a certificate are taken if other processes would accept them, and else change nothing."""

from __future__ import annotations

from datetime import timedelta
from io import StringIO
from pathlib import Path
from typing import NamedTuple

import msgspec
import pytest
from unora_common.certificates import of_config, of_process
from unora_common.common_metrics import CERTIFICATE_EXPIRY, CERTIFICATE_RELOADS, COMMON_METRICS
from unora_common.config import Config
from unora_common.logs import logger
from unora_common.metrics import Metrics
from unora_local.tls import LIFE
from unora_sdk.certificates import Certificates
from unora_sdk.environment import ConfigError
from unora_testing.mounted import Authority, Issued, Mounted

OVER = timedelta(seconds=-1)


def config_of(files: Mounted) -> Config:
    ca, cert, key = files.files.ca, files.files.cert, files.files.key
    return Config(database_url="", nats_url="", tls_ca=ca, tls_cert=cert, tls_key=key)


class Renewed(NamedTuple):
    """A process's certificate, and what it tells of it."""

    authority: Authority
    mounted: Mounted
    certificates: Certificates
    metrics: Metrics
    log: StringIO

    def reloads(self) -> dict[str, float]:
        return {name: self.metrics.of(CERTIFICATE_RELOADS).labels(name)._value.get() for name in ("loaded", "refused")}

    def lines(self) -> list[tuple[str, str | None]]:
        lines = map(msgspec.json.decode, self.log.getvalue().splitlines())
        return [(line["event"], line.get("error")) for line in lines]


@pytest.fixture
def renewed(tmp_path: Path) -> Renewed:
    authority = Authority(tmp_path / "authority")
    mounted = Mounted(tmp_path / "mounted", [authority], authority.issue("streak"))
    log, metrics = StringIO(), Metrics(COMMON_METRICS)
    certificates = of_process(config_of(mounted), logger("streak", "info", log), metrics)
    return Renewed(authority, mounted, certificates, metrics, log)


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
    else:
        issued = Authority(tmp_path / "other").issue("streak")
    renewed.mounted.put_bytes(ca, *issued)
    for _ in range(3):
        assert renewed.certificates.refresh() is first
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


def test_files_that_are_written_one_after_the_other_are_no_mistake(renewed: Renewed) -> None:
    """As `make compose-files` writes them: in between, the key is of another certificate."""
    issued = renewed.authority.issue("streak")
    renewed.mounted.files.cert.resolve().write_bytes(issued.cert)
    assert renewed.certificates.refresh().cert != issued.cert
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
