"""ID-09: personal data that must be read back are sealed with a key of their owner's own, which erasure destroys.

A data key (AES-256-GCM) belongs to one user and is stored wrapped by a master key that the database does not hold. With
the wrapped key gone, what it sealed is noise, also in backups. Nonces are random: a user's key seals a handful of
values, far from where random nonces of 96 bits could meet.
"""

import os
from uuid import UUID

from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives.ciphers.aead import AESGCM

_KEY_BYTES = 32
_NONCE_BYTES = 12


class Unsealable(Exception):
    """The key, the owner or the purpose is not that with which it was sealed, or the bytes were changed."""


class DataKey:
    """One user's key, open. Live with it no longer than a call."""

    def __init__(self, user_id: UUID, key: bytes) -> None:
        self._user_id = user_id
        self._cipher = AESGCM(key)

    def seal(self, purpose: str, text: str) -> bytes:
        """Nonce || ciphertext. `purpose` ("phone") is bound in, so that no value can be moved into another's place."""
        nonce = os.urandom(_NONCE_BYTES)
        return nonce + self._cipher.encrypt(nonce, text.encode(), self._bound_to(purpose))

    def open(self, purpose: str, sealed: bytes) -> str:
        """The text, or Unsealable."""
        return _decrypt(self._cipher, sealed, self._bound_to(purpose)).decode()

    def _bound_to(self, purpose: str) -> bytes:
        return self._user_id.bytes + purpose.encode()


class MasterKey:
    """Wraps and unwraps data keys."""

    def __init__(self, key: bytes) -> None:
        if len(key) != _KEY_BYTES:
            raise ValueError(f"a master key has {_KEY_BYTES} bytes")
        self._cipher = AESGCM(key)

    def new_key(self, user_id: UUID) -> tuple[DataKey, bytes]:
        """A fresh data key and its wrapped form: nonce || ciphertext, 60 bytes, for one column."""
        key, nonce = AESGCM.generate_key(_KEY_BYTES * 8), os.urandom(_NONCE_BYTES)
        return DataKey(user_id, key), nonce + self._cipher.encrypt(nonce, key, user_id.bytes)

    def unwrap(self, user_id: UUID, wrapped: bytes) -> DataKey:
        """The user's data key, or Unsealable."""
        return DataKey(user_id, _decrypt(self._cipher, wrapped, user_id.bytes))


def _decrypt(cipher: AESGCM, sealed: bytes, bound_to: bytes) -> bytes:
    try:
        return cipher.decrypt(sealed[:_NONCE_BYTES], sealed[_NONCE_BYTES:], bound_to)
    except (InvalidTag, ValueError):
        raise Unsealable("not what was sealed") from None
