"""The rules of reveals, pure: what may be opened or bought, what a text about a member may hold. No I/O, no clock."""

from unora_reveal.domain.facts import Facts, Framed, Hobby
from unora_reveal.domain.glimpse import GLIMPSE, glimpsed, sayings, turn_of
from unora_reveal.domain.guard import Fault, Guard
from unora_reveal.domain.labels import labels
from unora_reveal.domain.personality import (
    Answered,
    AnswerNotFound,
    Dimension,
    Leaning,
    QuestionNotFound,
    Reading,
    Score,
    Side,
    leanings,
    scored,
)
from unora_reveal.domain.purchases import (
    LowerRevealFirst,
    Offer,
    RevealNotForSale,
    RevealNotLocked,
    can_be_bought,
    next_for_sale,
    require_purchasable,
)
from unora_reveal.domain.reveals import (
    FINAL_DAY,
    IDENTITY,
    ConnectionEnded,
    Look,
    RevealLocked,
    Status,
    StreakNotFound,
    require_openable,
)
from unora_reveal.domain.templates import option_names, voices

__all__ = [
    "FINAL_DAY",
    "GLIMPSE",
    "IDENTITY",
    "AnswerNotFound",
    "Answered",
    "ConnectionEnded",
    "Dimension",
    "Facts",
    "Fault",
    "Framed",
    "Guard",
    "Hobby",
    "Leaning",
    "Look",
    "LowerRevealFirst",
    "Offer",
    "QuestionNotFound",
    "Reading",
    "RevealLocked",
    "RevealNotForSale",
    "RevealNotLocked",
    "Score",
    "Side",
    "Status",
    "StreakNotFound",
    "can_be_bought",
    "glimpsed",
    "labels",
    "leanings",
    "next_for_sale",
    "option_names",
    "require_openable",
    "require_purchasable",
    "sayings",
    "scored",
    "turn_of",
    "voices",
]
