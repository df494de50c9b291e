"""The rules of matching, pure: no I/O, no clock, no contract."""

from unora_matching.domain.connections import Connection, ConnectionStatus, EndReason, end, form, unlock_chat
from unora_matching.domain.errors import (
    CapacityFull,
    CardNotFound,
    ConnectionNotFound,
    ConnectionOver,
    InterestExists,
)
from unora_matching.domain.interests import (
    Closed,
    Interest,
    InterestStatus,
    Standing,
    Verdict,
    Wish,
    judge,
    match,
    send,
)
from unora_matching.domain.inventory import Inventory, Slots, Tier, newcomer

__all__ = [
    "CapacityFull",
    "CardNotFound",
    "Closed",
    "Connection",
    "ConnectionNotFound",
    "ConnectionOver",
    "ConnectionStatus",
    "EndReason",
    "Interest",
    "InterestExists",
    "InterestStatus",
    "Inventory",
    "Slots",
    "Standing",
    "Tier",
    "Verdict",
    "Wish",
    "end",
    "form",
    "judge",
    "match",
    "newcomer",
    "send",
    "unlock_chat",
]
