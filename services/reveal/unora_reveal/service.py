"""The reveal service: gradual disclosure on the way to Day 15."""

from __future__ import annotations

from unora_common.erasing import ErasureEvents
from unora_common.service import Service

from unora_reveal.config import RevealConfig
from unora_reveal.consumers.billing import PaymentEvents, TierEvents
from unora_reveal.consumers.matching import ConnectionEvents
from unora_reveal.consumers.streak import StreakEvents
from unora_reveal.domain.reveals import ConnectionEnded, RevealLocked
from unora_reveal.jobs import ErasureJobs
from unora_reveal.metrics import METRICS
from unora_reveal.resources import make_resources
from unora_reveal.servicers.data_subjects import DataSubjects
from unora_reveal.servicers.personality import Personality
from unora_reveal.servicers.projections import Projections
from unora_reveal.servicers.purchases import Purchases
from unora_reveal.servicers.rebuild import rebuild
from unora_reveal.servicers.reveals import Reveals

service = Service(
    "reveal",
    config=RevealConfig,
    servicers=[Reveals, Purchases, Personality, DataSubjects, Projections],
    consumers=[StreakEvents, ConnectionEvents, PaymentEvents, TierEvents, ErasureEvents],
    jobs=[ErasureJobs],
    resources=make_resources,
    metrics=METRICS,
    constraints={
        "reveal_after_end": ConnectionEnded,
        "reveal_unearned": RevealLocked,
        "ck_reveals_identity_needs_day_15": RevealLocked,
    },
    commands={"rebuild": rebuild},
)
