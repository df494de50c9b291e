"""ID-01, ID-02: phone numbers and the codes sent to them. Either is stored as a keyed hash, or sealed (vault.py)."""

import hashlib
import hmac
import secrets
from typing import ClassVar
from uuid import UUID

import phonenumbers

from unora_identity.domain.errors import IdentityError

# Longer than any real number with its punctuation; what is longer is not worth parsing.
_LONGEST_INPUT = 32
_SHORTEST_KEY = 32


class PhoneInvalidError(IdentityError):
    """ID-01: not a number that its country assigns, or without the country's code."""

    code: ClassVar[str] = "INVALID_ARGUMENT"
    reason: ClassVar[str] = "PHONE_INVALID"


def normalise(raw: str) -> str:
    """ID-01: E.164, as in "+41791234567". The country code must be given: a guess would tie it to a wrong person."""
    if len(raw) > _LONGEST_INPUT:
        raise PhoneInvalidError
    try:
        number = phonenumbers.parse(raw, None)
    except phonenumbers.NumberParseException:
        raise PhoneInvalidError from None  # the parser's message quotes the number
    # E.164 has no extensions: a number with one would collide with the same number without.
    if number.extension or not phonenumbers.is_valid_number(number):
        raise PhoneInvalidError
    return phonenumbers.format_number(number, phonenumbers.PhoneNumberFormat.E164)


class PhoneHasher:
    """HMAC-SHA256 with a key that the database does not hold: there are few enough phones and codes to try them all."""

    def __init__(self, key: bytes) -> None:
        if len(key) < _SHORTEST_KEY:
            raise ValueError(f"the key must have at least {_SHORTEST_KEY} bytes")
        self._key = key

    def phone(self, e164: str) -> bytes:
        """32 bytes, the same for the same number: the unique index of ID-01."""
        return self._mac(b"phone", e164.encode())

    def code(self, challenge_id: UUID, code: str) -> bytes:
        """32 bytes, bound to the challenge: equal codes of two challenges do not look equal."""
        return self._mac(b"code", challenge_id.bytes + code.encode())

    def _mac(self, purpose: bytes, message: bytes) -> bytes:
        return hmac.digest(self._key, purpose + b"\0" + message, hashlib.sha256)


def new_code(digits: int) -> str:
    """ID-02: every code equally likely, leading zeros kept."""
    return f"{secrets.randbelow(10**digits):0{digits}d}"
