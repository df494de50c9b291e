"""The streak service: the daily loop of each connection."""

from __future__ import annotations

from unora_common.erasing import ErasureEvents
from unora_common.service import Service

from unora_streak.config import StreakConfig
from unora_streak.consumers.connections import ConnectionEvents
from unora_streak.consumers.payments import PaymentEvents
from unora_streak.consumers.reveals import RevealEvents
from unora_streak.consumers.tiers import TierEvents
from unora_streak.jobs import ErasureJobs, StreakGauges, StreakJobs
from unora_streak.metrics import METRICS
from unora_streak.servicers.data_subjects import DataSubjects
from unora_streak.servicers.projections import Projections
from unora_streak.servicers.rebuild import rebuild
from unora_streak.servicers.recovery import Recovery
from unora_streak.servicers.streaks import Streaks

service = Service(
    "streak",
    config=StreakConfig,
    servicers=[Streaks, Recovery, DataSubjects, Projections],
    consumers=[ConnectionEvents, PaymentEvents, RevealEvents, TierEvents, ErasureEvents],
    jobs=[StreakJobs, ErasureJobs],
    gauges=[StreakGauges],
    metrics=METRICS,
    commands={"rebuild": rebuild},
)
