"""What a simulated member does in a day. All of it stands here; nothing was measured on real members."""

from __future__ import annotations

import msgspec


class Assumptions(msgspec.Struct, frozen=True, kw_only=True):
    """Probabilities are per member (or streak, or interest) and day, unless the line says otherwise."""

    newcomers: float = 0.001
    """Members who sign up on a day, as a share of the members at the end."""
    subscribers: float = 0.05
    """Members who have Plus, and pay once in 30 days."""
    hobbies: int = 4
    """Hobbies of a profile, each with 120 characters."""
    photos: int = 3
    """Photos of a profile."""
    answers: int = 20
    """Answers to the personality questions."""
    active: float = 0.6
    """Opens the app."""
    rotations: int = 3
    """Refresh tokens that one who opens the app uses on that day."""
    refreshes: float = 0.6
    """Gets five new cards."""
    interests: float = 0.3
    """Sends an interest, if a slot is open."""
    mutual: float = 0.03
    """An interest that waits is answered, if both have an open slot."""
    withdrawals: float = 0.01
    """An interest that waits is withdrawn."""
    endings: float = 0.02
    """A connection is ended by one of the two."""
    misses: float = 0.06
    """One of the two of a streak does not check in; the other one nudges."""
    recoveries: float = 0.3
    """Probability that a payment window ends with a paid recovery, not with a reset."""
    openings: float = 0.8
    """Probability that an earned reveal is opened."""


ASSUMPTIONS = Assumptions()
