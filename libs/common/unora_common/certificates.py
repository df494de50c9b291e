"""The certificate that a process shows and calls with. It is renewed while the process runs (decision 0063)."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Sequence
from datetime import UTC, datetime
from itertools import pairwise
from typing import Final, NamedTuple

import grpc
from cryptography import x509
from cryptography.exceptions import InvalidSignature, UnsupportedAlgorithm
from unora_sdk.certificates import Certificates, Loaded

from unora_common.authentication import SPIFFE
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


class Expiry(NamedTuple):
    """When the first certificate of each part of a set expires."""

    own: datetime
    """Of the certificate and those that come with it."""
    authority: datetime


def of_config(config: Config) -> Certificates:
    """The certificate of a process without metrics, such as a tool. Raises ConfigError if it cannot be used."""

    def check(loaded: Loaded) -> None:
        _check(loaded)

    return Certificates(config.tls_ca, config.tls_cert, config.tls_key, check=check)


def of_process(context: str, config: Config, log: Log, metrics: Metrics) -> Certificates:
    """The certificate of a service, which has the names of its context. Raises ConfigError if it cannot be used; later,
    new files that cannot be used are logged and counted, and the old ones are used on.
    """
    expiry, reloads = metrics.of(CERTIFICATE_EXPIRY), metrics.of(CERTIFICATE_RELOADS)
    checked: Expiry

    def check(loaded: Loaded) -> None:
        nonlocal checked
        checked = _check(loaded, context)

    def show() -> None:
        expiry.labels("own").set(checked.own.timestamp())
        expiry.labels("authority").set(checked.authority.timestamp())

    def taken(_: Loaded) -> None:
        show()
        reloads.labels("loaded").inc()
        log.info("certificate renewed", expires=checked.own)

    def refused(error: Exception) -> None:
        reloads.labels("refused").inc()
        log.error("certificate refused", failure=error)

    for result in ("loaded", "refused"):
        reloads.labels(result)
    made = Certificates(config.tls_ca, config.tls_cert, config.tls_key, check=check, taken=taken, refused=refused)
    show()
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


def _check(loaded: Loaded, context: str | None = None) -> Expiry:
    """Raises CertificateError if other processes would refuse the set now: so a mistake at a renewal costs nothing as
    long as the old one is valid. Of a context, the certificate must have its names, too.
    """
    own = _parse(loaded.cert, "UNORA_TLS_CERT")
    if context is not None:
        _require_names(own[0], context)
    authority = _issuer(own, _parse(loaded.ca, "UNORA_TLS_CA"))
    now = datetime.now(UTC)
    for each in own:
        _require_valid(each, "UNORA_TLS_CERT", now)
    _require_valid(authority, "UNORA_TLS_CA", now)
    return Expiry(min(each.not_valid_after_utc for each in own), authority.not_valid_after_utc)


def _require_names(certificate: x509.Certificate, context: str) -> None:
    """A server takes its caller's name from the URI, and a client demands the server's DNS name."""
    try:
        names = certificate.extensions.get_extension_for_class(x509.SubjectAlternativeName).value
    except x509.ExtensionNotFound:
        names = x509.SubjectAlternativeName([])
    own_uris = SPIFFE.decode()
    uri, server = f"{own_uris}{context}", f"{context}.unora"
    uris = [each for each in names.get_values_for_type(x509.UniformResourceIdentifier) if each.startswith(own_uris)]
    servers = names.get_values_for_type(x509.DNSName)
    if uris != [uri] or server not in servers:
        raise CertificateError(
            "WRONG_NAME",
            f"the certificate in UNORA_TLS_CERT has {_listed(uris)} and {_listed(servers)}. {context} needs one with "
            f"the URI {uri}, no other URI of Unora, and the DNS name {server}",
        )


def _listed(names: Sequence[str]) -> str:
    return ", ".join(names) or "no name"


def _require_valid(certificate: x509.Certificate, file: str, now: datetime) -> None:
    begins, ends = certificate.not_valid_before_utc, certificate.not_valid_after_utc
    if not begins <= now < ends:
        raise CertificateError(
            "EXPIRED" if now >= ends else "NOT_YET_VALID",
            f"the certificate of {certificate.subject.rfc4514_string()} in {file} is valid from {begins:%F %T} to "
            f"{ends:%F %T} UTC, and not now",
        )


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
