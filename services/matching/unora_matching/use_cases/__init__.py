"""What changes in matching, and all that it brings about; each a function of one open transaction."""

from unora_matching.use_cases.members import Sent, end_connection, send_interest, withdraw_interest
from unora_matching.use_cases.others import block, change_standing, change_tier, unblock
from unora_matching.use_cases.time import expire_interests

__all__ = [
    "Sent",
    "block",
    "change_standing",
    "change_tier",
    "end_connection",
    "expire_interests",
    "send_interest",
    "unblock",
    "withdraw_interest",
]
