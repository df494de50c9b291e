"""The matching service: interests, connections and slots."""

from __future__ import annotations

from unora_common.service import Service

from unora_matching.config import MatchingConfig
from unora_matching.consumers import Billing, Safety, Streaks
from unora_matching.domain import InterestExists
from unora_matching.jobs import Interests
from unora_matching.servicer import Matching, Pairs

service = Service(
    "matching",
    config=MatchingConfig,
    servicers=[Matching, Pairs],
    consumers=[Streaks, Safety, Billing],
    jobs=[Interests],
    constraints={"uq_interests_one_pending": InterestExists},
)
