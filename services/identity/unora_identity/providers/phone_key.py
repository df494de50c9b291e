"""ID-01: whether this process has the key by which the stored phone numbers were hashed.

With another key no number would be found: whoever signs in by phone would get a new, empty account.
"""

from __future__ import annotations


class PhoneKeyDiffers(Exception):
    """UNORA_PHONE_KEY names another key than the one by which the numbers in this database were hashed."""


class PhoneKey:
    """What is known of the key. Until the database was asked, it counts as the right one."""

    def __init__(self, fingerprint: bytes) -> None:
        self.fingerprint = fingerprint
        """32 bytes that tell the key from others, and nothing about it."""
        self.differs = False

    def compare(self, stored: bytes) -> None:
        """Notes whether the database was written with this key. Raises PhoneKeyDiffers if not."""
        self.differs = stored != self.fingerprint
        self.require_same()

    def require_same(self) -> None:
        """Raises PhoneKeyDiffers if the key is known to be another one."""
        if self.differs:
            raise PhoneKeyDiffers
