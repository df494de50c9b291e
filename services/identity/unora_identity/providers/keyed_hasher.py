"""ID-01, ID-02, ID-09, ID-11, SA-04: keyed hashes of values that identify a person or are secret. They can be
compared, but not read.

Values that must be read back are sealed (master_key.py).
"""

import hashlib
import hmac
from typing import Final
from uuid import UUID

_SHORTEST_KEY: Final = 32


class KeyedHasher:
    """HMAC-SHA256 with a key that the database does not hold: numbers and codes are few enough to try them all."""

    def __init__(self, key: bytes) -> None:
        """Raises ValueError for a key of less than 32 bytes."""
        if len(key) < _SHORTEST_KEY:
            raise ValueError(f"the key must have at least {_SHORTEST_KEY} bytes")
        self._key = key

    def phone(self, e164: str) -> bytes:
        """ID-01: 32 bytes, the same for the same number; a unique index allows one account for each."""
        return self._mac(b"phone", e164.encode())

    def trace(self, phone_hash: bytes) -> bytes:
        """ID-09: 32 bytes that stand for a number outside identity, made from its `phone` hash, which stays here."""
        return self._mac(b"trace", phone_hash)

    def code(self, challenge_id: UUID, code: str) -> bytes:
        """ID-02: 32 bytes, bound to the challenge: equal codes of two challenges have different hashes."""
        return self._mac(b"code", challenge_id.bytes + code.encode())

    def device(self, device_id: str) -> bytes:
        """SA-04: 32 bytes, the same for the same device, which reveal nothing else about it."""
        return self._mac(b"device", device_id.encode())

    def member(self, user: UUID) -> bytes:
        """ID-14: 32 bytes that stand for a member where others are counted by device; no device has the same."""
        return self._mac(b"member", user.bytes)

    def push_token(self, token: str) -> bytes:
        """ID-17: 32 bytes, the same for the same token; a unique index gives each token to one session."""
        return self._mac(b"push token", token.encode())

    def address(self, network: str) -> bytes:
        """ID-11: 32 bytes, the same for the same network of clients."""
        return self._mac(b"address", network.encode())

    def oauth(self, provider: str, subject: str) -> bytes:
        """ID-05: 32 bytes, the same for the same account of a provider."""
        return self._mac(b"oauth", provider.encode() + b"\0" + subject.encode())

    def profile(self, user: UUID, facts: str) -> bytes:
        """ID-07: 32 bytes that show whether facts of the member's profile have changed."""
        return self._mac(b"profile", user.bytes + facts.encode())

    def derive(self, purpose: str) -> bytes:
        """A separate key of 32 bytes. Neither key reveals anything about the other."""
        return self._mac(b"derive", purpose.encode())

    def _mac(self, purpose: bytes, message: bytes) -> bytes:
        return hmac.digest(self._key, purpose + b"\0" + message, hashlib.sha256)
