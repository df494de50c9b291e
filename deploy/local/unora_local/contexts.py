"""The contexts that run, in one place: a new one is one word here."""

from typing import Final

CONTEXTS: Final = ("identity", "discovery", "matching", "streak", "reveal", "billing", "safety")

# Who else has a certificate: the gateway, and the person at the keyboard, who locally has the gateway's rights.
CALLERS: Final = ("gateway", "developer")
