"""Events that are published again: their subjects, and their mark.

Published again to all consumers, an event has the subject that it had at first. Published again to one consumer, it has
a subject that only this consumer reads: `unora.streak.again.push__checked_in.checked_in`.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final

HEADER: Final = "unora-again"
"""The header of an event that is published again: the time at which this began, as RFC 3339."""


def again_subject(subject: str, consumer: str) -> str:
    """The subject under which an event is published again to one consumer. Of `unora.<context>.v1.>`, which stands for
    all events of a context, it is the filter that has all of them.
    """
    _, context, _, event = subject.split(".")
    return f"unora.{context}.again.{consumer}.{'*' if event == '>' else event}"


def first_subject(subject: str, consumer: str) -> str:
    """The subject that an event had at first, which was published again to this consumer. Any other subject, also one
    for another consumer, is returned as it is.
    """
    words = subject.split(".")
    if len(words) != 5 or words[2:4] != ["again", consumer]:
        return subject
    return f"{words[0]}.{words[1]}.v1.{words[4]}"


@dataclass(frozen=True)
class Again:
    """One run that publishes events again."""

    began: str
    """When it began, as RFC 3339."""
    consumer: str | None = None
    """Only this durable consumer gets the events; None for all."""

    def subject(self, subject: str) -> str:
        """The subject of an event that had this one at first."""
        return again_subject(subject, self.consumer) if self.consumer else subject

    def message_id(self, event_id: object) -> str:
        """The id by which the stream drops a repeat within two minutes: not that of the first publication, and the same
        for a run that was interrupted and begins anew.
        """
        return f"again:{self.consumer or 'all'}:{event_id}"
