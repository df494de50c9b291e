"""ID-02: what the carrier tells of a text message with a code. It tells in any order, and may tell again."""

from dataclasses import dataclass
from enum import StrEnum


class Delivery(StrEnum):
    """How far a message came. A later one of this list stands, whichever was told first: what arrived has arrived."""

    SENT = "sent"
    """The carrier gave it to the network of the phone."""
    FAILED = "failed"
    """The phone did not get it. The code does not count, within a bound (`phone_codes.issue_challenge`)."""
    DELIVERED = "delivered"


@dataclass(frozen=True, slots=True)
class DeliveryReport:
    """What the carrier tells of one message, which it names by its own id. None: nothing that is of use here."""

    message_id: str
    delivery: Delivery | None
