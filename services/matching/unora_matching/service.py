"""The matching service: interests, connections and slots."""

from __future__ import annotations

from unora_common.erasing import ErasureEvents
from unora_common.service import Service

from unora_matching.config import MatchingConfig
from unora_matching.consumers.accounts import AccountEvents
from unora_matching.consumers.safety import SafetyEvents
from unora_matching.consumers.streaks import StreakEvents
from unora_matching.consumers.tiers import TierEvents
from unora_matching.domain.errors import InterestExists
from unora_matching.jobs import ErasureJobs, InterestJobs
from unora_matching.servicers.data_subjects import DataSubjects
from unora_matching.servicers.matching import Matching
from unora_matching.servicers.pairs import Pairs
from unora_matching.servicers.projections import Projections
from unora_matching.servicers.rebuild import rebuild

service = Service(
    "matching",
    config=MatchingConfig,
    servicers=[Matching, Pairs, Projections, DataSubjects],
    consumers=[StreakEvents, SafetyEvents, TierEvents, AccountEvents, ErasureEvents],
    jobs=[InterestJobs, ErasureJobs],
    constraints={"uq_interests_one_pending": InterestExists},
    commands={"rebuild": rebuild},
)
