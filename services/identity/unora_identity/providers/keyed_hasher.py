"""ID-01, ID-02, SA-04: phone numbers, the codes sent to them, devices. Each is stored as a keyed hash, or sealed
(vault.py).
"""

import hashlib
import hmac
import secrets
from uuid import UUID

import phonenumbers
from unora_common.errors import InvalidArgument

# Longer than any real number with its punctuation; what is longer is not worth parsing.
_LONGEST_INPUT = 32
_SHORTEST_KEY = 32


class PhoneInvalid(InvalidArgument):
    """ID-01: not a number that its country assigns, or without the country's code."""

    reason = "PHONE_INVALID"

    def __init__(self) -> None:
        super().__init__({"phone_number": "is not a number in international form"})


def normalise(raw: str) -> str:
    """ID-01: E.164, as in "+41791234567". The country code must be given: a guess would tie it to a wrong person."""
    if len(raw) > _LONGEST_INPUT:
        raise PhoneInvalid
    try:
        number = phonenumbers.parse(raw, None)
    except phonenumbers.NumberParseException:
        raise PhoneInvalid from None  # the parser's message quotes the number
    # E.164 has no extensions: a number with one would collide with the same number without.
    if number.extension or not phonenumbers.is_valid_number(number):
        raise PhoneInvalid
    return phonenumbers.format_number(number, phonenumbers.PhoneNumberFormat.E164)


class KeyedHasher:
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

    def device(self, device_id: str) -> bytes:
        """SA-04: 32 bytes, the same for the same device, which tell nothing else of it."""
        return self._mac(b"device", device_id.encode())

    def oauth(self, provider: str, subject: str) -> bytes:
        """ID-05: 32 bytes, the same for the same account of a provider."""
        return self._mac(b"oauth", provider.encode() + b"\0" + subject.encode())

    def profile(self, user: UUID, facts: str) -> bytes:
        """ID-07: 32 bytes by which it is seen whether what a member says of themselves has changed."""
        return self._mac(b"profile", user.bytes + facts.encode())

    def derive(self, purpose: str) -> bytes:
        """32 bytes that are a key of their own: nothing can be told from it about this key or the other way."""
        return self._mac(b"derive", purpose.encode())

    def _mac(self, purpose: bytes, message: bytes) -> bytes:
        return hmac.digest(self._key, purpose + b"\0" + message, hashlib.sha256)


def new_code(digits: int) -> str:
    """ID-02: every code equally likely, leading zeros kept."""
    return f"{secrets.randbelow(10**digits):0{digits}d}"
