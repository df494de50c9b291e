"""ID-09: personal data that must be read back are sealed with a key of their owner, which erasure destroys.

A data key (AES-256-GCM) belongs to one user and is stored wrapped by a master key that the database does not hold.
Without the wrapped key, what it sealed cannot be read, in backups either. Nonces are random: a user's key seals a few
values, far from the number at which random nonces of 96 bits could repeat.
"""

import os
from typing import Final
from uuid import UUID

from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives.ciphers.aead import AESGCM

_KEY_BYTES: Final = 32
_NONCE_BYTES: Final = 12


class Unsealable(Exception):
    """The key, the owner or the purpose is not the one that the value was sealed with, or the bytes were changed."""


class DataKey:
    """The unwrapped key of one user. Do not keep it longer than a call."""

    def __init__(self, user_id: UUID, key: bytes) -> None:
        self._user_id = user_id
        self._cipher = AESGCM(key)

    def seal(self, purpose: str, text: str) -> bytes:
        """Nonce || ciphertext. `purpose` ("phone") is bound to it, so that a value cannot be moved to another place."""
        nonce = os.urandom(_NONCE_BYTES)
        return nonce + self._cipher.encrypt(nonce, text.encode(), self._bound_to(purpose))

    def open(self, purpose: str, sealed: bytes) -> str:
        """The text. Raises Unsealable."""
        return _decrypt(self._cipher, sealed, self._bound_to(purpose)).decode()

    def _bound_to(self, purpose: str) -> bytes:
        return self._user_id.bytes + purpose.encode()


class MasterKey:
    """Wraps and unwraps data keys."""

    def __init__(self, key: bytes) -> None:
        """Raises ValueError unless the key has 32 bytes."""
        if len(key) != _KEY_BYTES:
            raise ValueError(f"a master key has {_KEY_BYTES} bytes")
        self._cipher = AESGCM(key)

    def new_key(self, user_id: UUID) -> tuple[DataKey, bytes]:
        """A fresh data key and its wrapped form: nonce || ciphertext, 60 bytes, for one column."""
        key, nonce = AESGCM.generate_key(_KEY_BYTES * 8), os.urandom(_NONCE_BYTES)
        return DataKey(user_id, key), nonce + self._cipher.encrypt(nonce, key, user_id.bytes)

    def unwrap(self, user_id: UUID, wrapped: bytes) -> DataKey:
        """The user's data key. Raises Unsealable."""
        return DataKey(user_id, _decrypt(self._cipher, wrapped, user_id.bytes))


def _decrypt(cipher: AESGCM, sealed: bytes, bound_to: bytes) -> bytes:
    try:
        return cipher.decrypt(sealed[:_NONCE_BYTES], sealed[_NONCE_BYTES:], bound_to)
    except (InvalidTag, ValueError):
        raise Unsealable("not what was sealed") from None
