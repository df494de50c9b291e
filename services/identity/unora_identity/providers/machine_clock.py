"""The machine's clock: for tokens, signed addresses and clean-up. The rules use the rule clock in Postgres."""

from datetime import UTC, datetime


def machine_now() -> datetime:
    """The machine's time (UTC)."""
    return datetime.now(UTC)
