"""For each invariant, the smallest damage that breaks it and nothing else, in the world of story.py."""

from __future__ import annotations

from tests.integration.testing.breakages import (
    accounts,
    devices,
    discovery,
    events,
    ledger,
    matching,
    payments,
    personality,
    photos,
    reveals,
    safety,
    standing,
    streaks,
    subscriptions,
    trust,
)
from tests.integration.testing.breakages.breakage import Breakage

__all__ = ["BREAKAGES", "Breakage"]

BREAKAGES = (
    *trust.BREAKAGES,
    *devices.BREAKAGES,
    *photos.BREAKAGES,
    *discovery.BREAKAGES,
    *matching.BREAKAGES,
    *streaks.BREAKAGES,
    *reveals.BREAKAGES,
    *personality.BREAKAGES,
    *payments.BREAKAGES,
    *ledger.BREAKAGES,
    *subscriptions.BREAKAGES,
    *safety.BREAKAGES,
    *standing.BREAKAGES,
    *accounts.BREAKAGES,
    *events.BREAKAGES,
)
