"""Events of discovery."""

from __future__ import annotations

from unora.discovery.v1 import events_pb2
from unora_common.messages import (
    event_encoder,
)

to_message = event_encoder(events_pb2)
"""Turns a domain event into its message."""
