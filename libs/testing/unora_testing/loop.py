"""The event loop of the tests: the one that services run on in production, but a leak cannot stop its end."""

from __future__ import annotations

import warnings

import uvloop


class Loop(uvloop.Loop):
    """A loop whose `close` ends although something is open, such as a connection of a fixture that failed."""

    def close(self) -> None:
        """Close all that is open, then warn of each.

        The loop warns of each open transport before it closes it, and waits until all are closed. Where warnings are
        errors, a transport that it warned of stays open, so it would wait for ever.
        """
        with warnings.catch_warnings(record=True) as leaks:
            warnings.simplefilter("always")
            super().close()
        for leak in leaks:
            warnings.warn_explicit(leak.message, leak.category, leak.filename, leak.lineno)
