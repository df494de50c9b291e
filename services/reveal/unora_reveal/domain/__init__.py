"""The rules of reveals, pure: which may be opened, and what a text about a member may hold. No I/O, no clock."""

from unora_reveal.domain.facts import Facts, Framed, Hobby
from unora_reveal.domain.guard import Fault, Guard
from unora_reveal.domain.purchases import (
    LowerRevealFirst,
    Offer,
    RevealNotForSale,
    RevealNotLocked,
    next_for_sale,
    require_purchasable,
)
from unora_reveal.domain.reveals import (
    FINAL_DAY,
    IDENTITY,
    ConnectionEnded,
    RevealLocked,
    Status,
    StreakNotFound,
    require_openable,
)
from unora_reveal.domain.templates import option_names, voices

__all__ = [
    "FINAL_DAY",
    "IDENTITY",
    "ConnectionEnded",
    "Facts",
    "Fault",
    "Framed",
    "Guard",
    "Hobby",
    "LowerRevealFirst",
    "Offer",
    "RevealLocked",
    "RevealNotForSale",
    "RevealNotLocked",
    "Status",
    "StreakNotFound",
    "next_for_sale",
    "option_names",
    "require_openable",
    "require_purchasable",
    "voices",
]
