"""ID-02, ID-03: secrets that a client gets once: sign-in codes and refresh tokens. Only their hashes are stored."""

import hashlib
import secrets
from dataclasses import dataclass, field
from typing import Final

_REFRESH_BYTES: Final = 32


@dataclass(frozen=True, slots=True)
class NewRefreshToken:
    """The token for the client, and the hash to store."""

    text: str = field(repr=False)
    hash: bytes


def new_code(digits: int) -> str:
    """ID-02: a random code; each is equally likely, and leading zeros are kept."""
    return f"{secrets.randbelow(10**digits):0{digits}d}"


def new_refresh_token() -> NewRefreshToken:
    """ID-03: 32 random bytes in base64url (43 characters), without any meaning."""
    text = secrets.token_urlsafe(_REFRESH_BYTES)
    return NewRefreshToken(text, refresh_hash(text))


def refresh_hash(text: str) -> bytes:
    """SHA-256 without a key or salt: 256 random bits cannot be guessed."""
    return hashlib.sha256(text.encode()).digest()
