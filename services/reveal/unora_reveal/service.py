"""The reveal service: gradual disclosure on the way to Day 15."""

from __future__ import annotations

from unora_common.service import Service

from unora_reveal.config import RevealConfig
from unora_reveal.consumers import Endings, Progress, Purchases, Tiers
from unora_reveal.domain import ConnectionEnded, RevealLocked
from unora_reveal.resources import make_resources
from unora_reveal.servicers.personality import Personality
from unora_reveal.servicers.purchases import Authorisations
from unora_reveal.servicers.reveals import Reveals

service = Service(
    "reveal",
    config=RevealConfig,
    servicers=[Reveals, Authorisations, Personality],
    consumers=[Progress, Endings, Purchases, Tiers],
    resources=make_resources,
    constraints={
        "reveal_after_end": ConnectionEnded,
        "reveal_unearned": RevealLocked,
        "ck_reveals_identity_needs_day_15": RevealLocked,
    },
)
