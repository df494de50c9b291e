"""A certificate authority for this machine only, and one certificate per process name."""

import ipaddress
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Final

from cryptography import x509
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.serialization import Encoding, load_pem_private_key
from cryptography.x509.oid import ExtendedKeyUsageOID, NameOID

from unora_local.keys import private_folder, signing_key, write_private

LIFE: Final = timedelta(days=365)
RENEW: Final = timedelta(days=30)
_AUTHORITY: Final = "unora local authority"

CALLERS: Final = ("gateway", "developer")
"""Further holders of certificates: the gateway, and the developer, who locally has the gateway's rights."""

FRONT: Final = "front"
"""What the gateway shows to apps, where a certificate of a public authority would be."""

OUTSIDE: Final = ("chat", "notifier")
"""Services that are not Unora's, and may call only the methods whose `callers` name them: the chat asks MayChat, the
notifier asks whom to tell.
"""

NATS: Final = ("nats", "streams")
"""The server of NATS, and its administrator, who makes the streams. Neither name may call a service."""
POSTGRES: Final = "postgres"
"""The server in compose, where its clients find it by this name."""
NO_CALLERS: Final = (FRONT, POSTGRES)
"""Their certificates have no URI, so that no service takes them for a caller."""


@dataclass(frozen=True)
class Certificate:
    """Where one name's certificate, its key and the authority are."""

    ca: Path
    cert: Path
    key: Path

    def read(self) -> tuple[bytes, bytes, bytes]:
        """The authority, the certificate and the key as PEM."""
        return self.ca.read_bytes(), self.cert.read_bytes(), self.key.read_bytes()


def ensure(folder: Path, names: Sequence[str]) -> dict[str, Certificate]:
    """A valid certificate for every name. Existing ones are kept until 30 days before they expire."""
    private_folder(folder)
    ca = Certificate(folder / "ca.pem", folder / "ca.pem", folder / "ca.key")
    if not _good(ca):
        make_authority(ca, LIFE)
    authority = x509.load_pem_x509_certificate(ca.cert.read_bytes())
    found = {}
    for name in names:
        leaf = Certificate(ca.cert, folder / f"{name}.pem", folder / f"{name}.key")
        if not _good(leaf, authority):
            issue(leaf, name, ca, LIFE)
        found[name] = leaf
    return found


def is_made_here(cert: Path) -> bool:
    """Whether a certificate is of an authority that Unora made on a machine, also if that one has been replaced."""
    try:
        issuer = x509.load_pem_x509_certificate(cert.read_bytes()).issuer
    except (ValueError, PermissionError):
        return False
    return [each.value for each in issuer.get_attributes_for_oid(NameOID.COMMON_NAME)] == [_AUTHORITY]


def _good(item: Certificate, authority: x509.Certificate | None = None) -> bool:
    if not (item.cert.exists() and item.key.exists()):
        return False
    cert = x509.load_pem_x509_certificate(item.cert.read_bytes())
    if cert.not_valid_after_utc - datetime.now(UTC) < RENEW:
        return False
    if authority is not None:
        try:
            cert.verify_directly_issued_by(authority)
        except Exception:  # a new one is made, whatever is wrong with this one
            return False
    return True


def _builder(
    subject: str, issuer: x509.Name | None, public: ec.EllipticCurvePublicKey, life: timedelta
) -> x509.CertificateBuilder:
    now = datetime.now(UTC)
    name = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, subject)])
    return (
        x509.CertificateBuilder()
        .subject_name(name)
        .issuer_name(issuer or name)
        .public_key(public)
        .serial_number(x509.random_serial_number())
        .not_valid_before(now - timedelta(hours=1))
        .not_valid_after(now + life)
        .add_extension(x509.SubjectKeyIdentifier.from_public_key(public), critical=False)
    )


def _usage(*, authority: bool) -> x509.KeyUsage:
    return x509.KeyUsage(
        digital_signature=not authority,
        key_cert_sign=authority,
        crl_sign=authority,
        content_commitment=False,
        key_encipherment=False,
        data_encipherment=False,
        key_agreement=False,
        encipher_only=False,
        decipher_only=False,
    )


def _private(pem: bytes) -> ec.EllipticCurvePrivateKey:
    key = load_pem_private_key(pem, None)
    if not isinstance(key, ec.EllipticCurvePrivateKey):
        raise TypeError("not a key for ES256")
    return key


def _save(item: Certificate, cert: x509.Certificate, key_pem: bytes, beside: Sequence[x509.Certificate] = ()) -> None:
    write_private(item.key, key_pem)
    write_private(item.cert, b"".join(each.public_bytes(Encoding.PEM) for each in (cert, *beside)))


def make_authority(item: Certificate, life: timedelta) -> None:
    """Make a new authority. Its file goes on naming the one that it replaces, as long as that is valid, so that those
    who have its certificates are trusted until they get new ones.
    """
    pem = signing_key()
    key = _private(pem)
    builder = _builder(_AUTHORITY, None, key.public_key(), life)
    builder = builder.add_extension(x509.BasicConstraints(ca=True, path_length=0), critical=True)
    builder = builder.add_extension(_usage(authority=True), critical=True)
    _save(item, builder.sign(key, hashes.SHA256()), pem, _still_valid(item.cert))


def _still_valid(file: Path) -> list[x509.Certificate]:
    found = x509.load_pem_x509_certificates(file.read_bytes()) if file.exists() else []
    return [each for each in found if each.not_valid_after_utc > datetime.now(UTC)]


def issue(item: Certificate, name: str, ca: Certificate, life: timedelta) -> None:
    """Make a certificate and its key. `ca` is the authority, with its key."""
    authority = x509.load_pem_x509_certificate(ca.cert.read_bytes())
    pem = signing_key()
    ca_key = _private(ca.key.read_bytes())
    names: list[x509.GeneralName] = [
        *([x509.DNSName(name)] if name in NO_CALLERS else [x509.UniformResourceIdentifier(f"spiffe://unora/{name}")]),
        x509.DNSName(f"{name}.unora"),
        x509.DNSName("localhost"),
        x509.IPAddress(ipaddress.IPv4Address("127.0.0.1")),
    ]
    builder = _builder(name, authority.subject, _private(pem).public_key(), life)
    builder = builder.add_extension(x509.BasicConstraints(ca=False, path_length=None), critical=True)
    builder = builder.add_extension(_usage(authority=False), critical=True)
    builder = builder.add_extension(
        x509.ExtendedKeyUsage([ExtendedKeyUsageOID.SERVER_AUTH, ExtendedKeyUsageOID.CLIENT_AUTH]), critical=False
    )
    builder = builder.add_extension(x509.SubjectAlternativeName(names), critical=False)
    builder = builder.add_extension(
        x509.AuthorityKeyIdentifier.from_issuer_public_key(ca_key.public_key()), critical=False
    )
    _save(item, builder.sign(ca_key, hashes.SHA256()), pem)
