"""Stripe's library, without the package `requests`.

The library loads `requests` for its blocking client, and does without if it is not installed. Billing awaits all its
calls, by httpx, so that package would only take 5 MB of each process.
"""

import sys
from typing import Final

__all__ = ["stripe"]

_UNUSED: Final = "requests"
_loaded = sys.modules.get(_UNUSED)
sys.modules[_UNUSED] = None  # type: ignore[assignment]  # Python's own way to say that there is none
try:
    import stripe
finally:
    if _loaded is None:
        del sys.modules[_UNUSED]
    else:
        sys.modules[_UNUSED] = _loaded
