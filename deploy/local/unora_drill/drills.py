"""All drills, in the order in which they are played: the later ones change more of the stack."""

from __future__ import annotations

from typing import Final

from unora_drill import keys_drill, nats_drill, postgres_drill, provider_drill, region_drill
from unora_drill.record import Drill

DRILLS: Final[tuple[Drill, ...]] = (
    nats_drill.DRILL,
    postgres_drill.DRILL,
    provider_drill.DRILL,
    region_drill.DRILL,
    keys_drill.DRILL,
)
