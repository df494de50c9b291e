"""All drills, in the order in which they are played: the later ones change more of the stack."""

from __future__ import annotations

from typing import Final

from unora_drill import nats_drill, postgres_drill
from unora_drill.record import Drill

DRILLS: Final[tuple[Drill, ...]] = (nats_drill.DRILL, postgres_drill.DRILL)
