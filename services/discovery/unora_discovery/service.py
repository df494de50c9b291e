"""The discovery service: servers, the pool of candidates, batches and cards."""

from __future__ import annotations

from unora_common.erasing import ErasureEvents
from unora_common.service import Service

from unora_discovery.config import DiscoveryConfig
from unora_discovery.consumers.members import MemberEvents
from unora_discovery.consumers.pairs import PairEvents
from unora_discovery.jobs import ErasureJobs, PoolFollower, RetentionJobs
from unora_discovery.resources import make_resources
from unora_discovery.servicers.cards import Cards
from unora_discovery.servicers.data_subjects import DataSubjects
from unora_discovery.servicers.discovery import Discovery
from unora_discovery.servicers.projections import Projections
from unora_discovery.servicers.rebuild import rebuild

service = Service(
    "discovery",
    config=DiscoveryConfig,
    servicers=[Discovery, Cards, DataSubjects, Projections],
    consumers=[MemberEvents, PairEvents, ErasureEvents],
    jobs=[RetentionJobs, ErasureJobs],
    followers=[PoolFollower],
    resources=make_resources,
    commands={"rebuild": rebuild},
)
