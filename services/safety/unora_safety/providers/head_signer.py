"""Signs exports of audit heads and verifies their signatures (SA-11): JWS (RFC 7515), ES256."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Final

import msgspec
from joserfc import jws
from joserfc.errors import JoseError
from joserfc.jwk import ECKey

CURVE: Final = "P-256"
ALGORITHM: Final = "ES256"
TYPE: Final = "unora-audit-heads+jws"
MAX_EXPORT_LENGTH: Final = 100_000
"""More characters than an export of all contexts has; a longer text is not read."""


class SignatureInvalid(ValueError):
    """The text is no document that one of the known keys signed."""


class HeadSigner:
    """Signs with the first key. Verifies with all keys, so that old exports can be verified after a rotation."""

    def __init__(self, keys: Sequence[str]) -> None:
        """`keys` are PEM: the first is private, the others private or public. Raises ValueError for anything else."""
        self._keys = [_load(pem) for pem in keys]
        if not self._keys or not self._keys[0].is_private:
            raise ValueError("the first key must be a private EC key as PEM")
        self._by_id = {key.thumbprint(): key for key in self._keys}

    def sign(self, document: object) -> str:
        """The document as a compact JWS."""
        header = {"alg": ALGORITHM, "typ": TYPE, "kid": self._keys[0].thumbprint()}
        return jws.serialize_compact(header, msgspec.json.encode(document), self._keys[0], algorithms=[ALGORITHM])

    def verify(self, signed: str) -> object:
        """The document of a compact JWS. Raises SignatureInvalid."""
        if len(signed) > MAX_EXPORT_LENGTH:
            raise SignatureInvalid("it is too long to be an export")
        try:
            found = jws.extract_compact(signed.strip().encode())
            key = self._by_id.get(str(found.headers().get("kid")))
            if key is None or found.headers().get("typ") != TYPE:
                raise SignatureInvalid("it is not signed by a key of UNORA_AUDIT_KEY or UNORA_AUDIT_KEYS_KNOWN")
            verified = jws.deserialize_compact(signed.strip(), key, algorithms=[ALGORITHM])
            return msgspec.json.decode(verified.payload)
        except (JoseError, ValueError, TypeError, KeyError, RecursionError, msgspec.DecodeError) as error:
            if isinstance(error, SignatureInvalid):
                raise
            raise SignatureInvalid("its signature is not valid") from None

    def public_keys(self) -> dict[str, list[dict[str, str | list[str]]]]:
        """The public keys as a JWK set (RFC 7517), for those who verify exports without this service."""
        return {"keys": [key.as_dict(private=False, kid=key.thumbprint()) for key in self._keys]}


def _load(pem: str) -> ECKey:
    try:
        key = ECKey.import_key(pem)
    except (JoseError, ValueError):
        raise ValueError("a key is an EC key as PEM") from None
    if key.curve_name != CURVE:
        raise ValueError(f"a key is on the curve {CURVE}")
    return key
