"""The certificate that a process shows and calls with. It is renewed while the process runs (decision 0063)."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Sequence
from datetime import UTC, datetime
from itertools import pairwise
from typing import Final

import grpc
from cryptography import x509
from cryptography.exceptions import InvalidSignature, UnsupportedAlgorithm
from unora_sdk.certificates import Certificates, Loaded

from unora_common.common_metrics import CERTIFICATE_EXPIRY, CERTIFICATE_RELOADS
from unora_common.config import Config
from unora_common.logs import Log
from unora_common.metrics import Metrics

INTERVAL: Final = 1.0
"""Seconds between two looks for new files."""
HELP: Final = "docs/certificates.md says how certificates are renewed"


class CertificateError(ValueError):
    """Files that are not to be used; the message says which and why, the reason does for the log."""

    def __init__(self, reason: str, message: str) -> None:
        super().__init__(f"{message}. {HELP}")
        self.reason = reason


def check(loaded: Loaded) -> tuple[datetime, datetime]:
    """When a certificate expires, and when the authority does that it is of. Raises CertificateError if other processes
    would refuse it now: so a mistake at a renewal costs nothing as long as the old one is valid.
    """
    own = _parse(loaded.cert, "UNORA_TLS_CERT")
    authority = _issuer(own, _parse(loaded.ca, "UNORA_TLS_CA"))
    for name, each in (("UNORA_TLS_CERT", own[0]), ("UNORA_TLS_CA", authority)):
        begins, ends, now = each.not_valid_before_utc, each.not_valid_after_utc, datetime.now(UTC)
        if not begins <= now < ends:
            raise CertificateError(
                "EXPIRED" if now >= ends else "NOT_YET_VALID",
                f"the certificate in {name} is valid from {begins:%F %T} to {ends:%F %T} UTC, and not now",
            )
    return own[0].not_valid_after_utc, authority.not_valid_after_utc


def of_config(config: Config) -> Certificates:
    """The certificate of a process without metrics, such as a tool. Raises ConfigError if it cannot be used."""
    return Certificates(config.tls_ca, config.tls_cert, config.tls_key, check=_require)


def of_process(config: Config, log: Log, metrics: Metrics) -> Certificates:
    """The certificate of a service. Raises ConfigError if it cannot be used; later, new files that cannot be used are
    logged and counted, and the old ones are used on.
    """
    expiry, reloads = metrics.of(CERTIFICATE_EXPIRY), metrics.of(CERTIFICATE_RELOADS)

    def show(loaded: Loaded) -> datetime:
        own, authority = check(loaded)
        expiry.labels("own").set(own.timestamp())
        expiry.labels("authority").set(authority.timestamp())
        return own

    def taken(loaded: Loaded) -> None:
        reloads.labels("loaded").inc()
        log.info("certificate renewed", expires=show(loaded))

    def refused(error: Exception) -> None:
        reloads.labels("refused").inc()
        log.error("certificate refused", failure=error)

    for result in ("loaded", "refused"):
        reloads.labels(result)
    made = Certificates(config.tls_ca, config.tls_cert, config.tls_key, check=_require, taken=taken, refused=refused)
    show(made.current)
    return made


async def watch(certificates: Certificates, renew: Callable[[], None]) -> None:
    """Looks for new files, until cancelled. `renew` is called after each look."""
    while True:
        certificates.refresh()
        renew()
        await asyncio.sleep(INTERVAL)


def server_credentials(certificates: Certificates) -> grpc.ServerCredentials:
    """Mutual TLS. Before each handshake gRPC asks for the newest certificate, one at a time and in a thread of its own,
    so it reads no files here. Connections that are open stay.
    """
    shown = certificates.current

    def newer() -> grpc.ServerCertificateConfiguration | None:
        nonlocal shown
        if (newest := certificates.current) is shown:
            return None
        shown = newest
        return _configuration(newest)

    return grpc.dynamic_ssl_server_credentials(
        _configuration(shown),
        newer,  # type: ignore[arg-type]  # None says that there is no newer one
        require_client_authentication=True,
    )


def _configuration(loaded: Loaded) -> grpc.ServerCertificateConfiguration:
    return grpc.ssl_server_certificate_configuration([(loaded.key, loaded.cert)], loaded.ca)


def _require(loaded: Loaded) -> None:
    check(loaded)


def _parse(pem: bytes, name: str) -> list[x509.Certificate]:
    try:
        return x509.load_pem_x509_certificates(pem)
    except ValueError as error:
        raise CertificateError("UNREADABLE", f"the file of {name} is no PEM, or it is cut: {error}") from None


def _issuer(chain: Sequence[x509.Certificate], authorities: Sequence[x509.Certificate]) -> x509.Certificate:
    """The authority that a certificate comes from, over those that come with it; of several the one valid longest."""
    if all(_is_of(each, above) for each, above in pairwise(chain)):
        found = [each for each in authorities if _is_of(chain[-1], each)]
        if found:
            return max(found, key=lambda each: each.not_valid_after_utc)
    raise CertificateError(
        "UNKNOWN_AUTHORITY",
        "the certificate in UNORA_TLS_CERT is of no authority in UNORA_TLS_CA. While the authority is replaced, the "
        "file has the old one and the new one",
    )


def _is_of(certificate: x509.Certificate, authority: x509.Certificate) -> bool:
    try:
        certificate.verify_directly_issued_by(authority)
    except (ValueError, TypeError, InvalidSignature, UnsupportedAlgorithm):  # other names, or another key
        return False
    return True
