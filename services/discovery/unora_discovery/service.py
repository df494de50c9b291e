"""The discovery service: servers, the pool of candidates, batches and cards."""

from __future__ import annotations

from unora_common.service import Service

from unora_discovery.config import DiscoveryConfig
from unora_discovery.consumers import Pairs, Pool
from unora_discovery.jobs import CleanUp
from unora_discovery.servicer import Cards, Discovery

service = Service(
    "discovery",
    config=DiscoveryConfig,
    servicers=[Discovery, Cards],
    consumers=[Pool, Pairs],
    jobs=[CleanUp],
)
