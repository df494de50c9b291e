"""What one can ask of the command `republish`, of a context and of the stack on one machine."""

from __future__ import annotations

import argparse
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Final

from unora_sdk.times import read_time

from unora_common.event_names import event_subject

SUMMARY: Final = "publish events of the outbox again: all, or some, to all consumers or to one"
EXAMPLE: Final = "2026-03-01T12:00:00Z"


class NotRepublishableError(ValueError):
    """What was asked for cannot be; the text says why, and what can."""


@dataclass(frozen=True)
class Wanted:
    """Which events of a context are published again, and to whom."""

    consumer: str | None = None
    """The name of a durable consumer; None for all."""
    since: datetime | None = None
    """The first moment, by `occurred_at`."""
    until: datetime | None = None
    """The first moment that is too late."""
    subject: str | None = None
    """The subject of one type of event; None for all types."""

    def __str__(self) -> str:
        parts = [f"of type {self.subject}"] if self.subject else []
        parts += [f"from {rfc3339(self.since)}"] if self.since else []
        parts += [f"to {rfc3339(self.until)}"] if self.until else []
        return " ".join(parts)


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Adds the options of the command to its parser."""
    add = parser.add_argument
    add("--consumer", metavar="NAME", help="only this durable consumer gets them, such as push__checked_in")
    add("--from", dest="since", metavar="TIME", type=moment, help=f"what occurred at this time or later: {EXAMPLE}")
    add("--to", dest="until", metavar="TIME", type=moment, help="what occurred before this time")
    add("--type", dest="event", metavar="EVENT", help="only events of this type, such as CheckedIn")


def wanted(context: str, chosen: argparse.Namespace) -> Wanted:
    """What was chosen. Raises UnknownEventError for a type that the context has not, and NotRepublishableError for an
    empty range."""
    if chosen.since and chosen.until and chosen.since >= chosen.until:
        raise NotRepublishableError(
            f"--from {rfc3339(chosen.since)} is not before --to {rfc3339(chosen.until)}: no event is in that range"
        )
    subject = event_subject(context, chosen.event) if chosen.event is not None else None
    return Wanted(chosen.consumer, chosen.since, chosen.until, subject)


def moment(text: str) -> datetime:
    """A time as RFC 3339 has it, with its zone. Raises ArgumentTypeError, whose text argparse shows."""
    try:
        return read_time(text)
    except ValueError as error:
        raise argparse.ArgumentTypeError(f"{error}: write it as {EXAMPLE}") from None


def rfc3339(time: datetime) -> str:
    """A time in UTC, as RFC 3339."""
    return time.astimezone(UTC).isoformat().replace("+00:00", "Z")
