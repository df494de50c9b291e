"""The rules of matching, pure: no I/O, no clock, no contract."""

from unora_matching.domain.connections import Connection, ConnectionStatus, EndCause, EndReason, end, form, unlock_chat
from unora_matching.domain.errors import (
    CapacityFull,
    CardNotFound,
    ConnectionNotFound,
    ConnectionOver,
    InterestExists,
    InterestNotFound,
    InterestOver,
)
from unora_matching.domain.interests import (
    Closed,
    Interest,
    InterestStatus,
    Standing,
    Verdict,
    Wish,
    closed,
    judge,
    match,
    send,
    withdraw,
)
from unora_matching.domain.inventory import Inventory, Slots, Tier, newcomer
from unora_matching.domain.policy import Policy

__all__ = [
    "CapacityFull",
    "CardNotFound",
    "Closed",
    "Connection",
    "ConnectionNotFound",
    "ConnectionOver",
    "ConnectionStatus",
    "EndCause",
    "EndReason",
    "Interest",
    "InterestExists",
    "InterestNotFound",
    "InterestOver",
    "InterestStatus",
    "Inventory",
    "Policy",
    "Slots",
    "Standing",
    "Tier",
    "Verdict",
    "Wish",
    "closed",
    "end",
    "form",
    "judge",
    "match",
    "newcomer",
    "send",
    "unlock_chat",
    "withdraw",
]
