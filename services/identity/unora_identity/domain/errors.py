"""What identity refuses, by name: a status, a stable reason, and facts to act on. Never a sentence to parse."""

from typing import ClassVar


class IdentityError(Exception):
    """A refusal. `metadata` holds numbers, times and names of fields, never what a member wrote (XX-01)."""

    code: ClassVar[str] = "FAILED_PRECONDITION"
    reason: ClassVar[str] = "IDENTITY_ERROR"

    def __init__(self, **metadata: object) -> None:
        self.metadata: dict[str, str] = {key: str(value) for key, value in metadata.items()}
        super().__init__(f"{self.reason} {self.metadata}" if self.metadata else self.reason)
