"""Domain events: what a use case decided, before it becomes a message of the contract.

A domain event is a frozen dataclass with the name of its message in the context's events.proto, and fields with the
message's names and the domain's types. `messages` of each context has the encoder; use cases emit:

    tx.emit(*map(to_message, events))

This module knows no protobuf, so that a domain may import it; the encoder is in `unora_common.messages`.
"""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True, slots=True, kw_only=True)
class DomainEvent:
    """The base of all domain events. Ids, states, numbers and times only (XX-01)."""
