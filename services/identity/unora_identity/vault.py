"""ID-09: personal data that must be read back are sealed with a key of their owner's own, which erasure destroys.

A data key (AES-256-GCM) belongs to one user and is stored wrapped by a master key that the database does not hold. With
the wrapped key gone, what it sealed is noise, also in backups. Nonces are random: a user's key seals a handful of
values, far from where random nonces of 96 bits could meet.
"""

import hashlib
import os
from uuid import UUID

from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives.ciphers.aead import AESGCM

_KEY_BYTES = 32
_NONCE_BYTES = 12
_MASTER_ID_BYTES = 8


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


class MasterKeys:
    """Wraps data keys with `current`; also unwraps what `earlier` ones wrapped, so that the master can be changed."""

    def __init__(self, current: bytes, *earlier: bytes) -> None:
        if any(len(key) != _KEY_BYTES for key in (current, *earlier)):
            raise ValueError(f"a master key has {_KEY_BYTES} bytes")
        self._ciphers = {_id_of(key): AESGCM(key) for key in (current, *earlier)}
        self._current = _id_of(current)

    def new_key(self, user_id: UUID) -> tuple[DataKey, bytes]:
        """A fresh data key and its wrapped form: master id || nonce || ciphertext, 68 bytes, for one column."""
        key, nonce = AESGCM.generate_key(_KEY_BYTES * 8), os.urandom(_NONCE_BYTES)
        wrapped = self._ciphers[self._current].encrypt(nonce, key, user_id.bytes)
        return DataKey(user_id, key), self._current + nonce + wrapped

    def unwrap(self, user_id: UUID, wrapped: bytes) -> DataKey:
        """The user's data key, or Unsealable."""
        cipher = self._ciphers.get(wrapped[:_MASTER_ID_BYTES])
        if cipher is None:
            raise Unsealable("wrapped by a master key that is not here")
        return DataKey(user_id, _decrypt(cipher, wrapped[_MASTER_ID_BYTES:], user_id.bytes))


def _decrypt(cipher: AESGCM, sealed: bytes, bound_to: bytes) -> bytes:
    try:
        return cipher.decrypt(sealed[:_NONCE_BYTES], sealed[_NONCE_BYTES:], bound_to)
    except (InvalidTag, ValueError):
        raise Unsealable("not what was sealed") from None


def _id_of(key: bytes) -> bytes:
    return hashlib.sha256(b"unora master key" + key).digest()[:_MASTER_ID_BYTES]
