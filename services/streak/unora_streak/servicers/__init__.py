"""What streak serves: members, and billing."""

from unora_streak.servicers.recovery import Recovery
from unora_streak.servicers.streaks import Streaks

__all__ = ["Recovery", "Streaks"]
