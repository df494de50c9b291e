"""What safety answers: members, moderators, and other contexts."""

from unora_safety.servicers.members import Members
from unora_safety.servicers.moderation import Moderation
from unora_safety.servicers.restrictions import Restrictions

__all__ = ["Members", "Moderation", "Restrictions"]
