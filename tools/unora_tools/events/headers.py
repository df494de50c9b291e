"""The headers of an event: CloudEvents 1.0 in binary mode, as the publisher of the services writes them."""

from __future__ import annotations

from typing import Any, Final

from unora_gateway.openapi.bounds import UUID

from unora_tools.events.catalogue import Event

Schema = dict[str, Any]
NAME: Final = "CloudEvent"
"""The schema of what all events have."""
TIME: Final = {"type": "string", "format": "date-time"}
HEADERS: Final[dict[str, Schema]] = {
    "ce-specversion": {"description": "The version of CloudEvents.", "type": "string", "const": "1.0"},
    "ce-id": {
        "description": "The id of the event, which never changes: an event is delivered at least once, so record the "
        "ids that you have applied.",
        "type": "string",
        "format": "uuid",
        "pattern": UUID,
    },
    "ce-type": {"description": "The subject of the event.", "type": "string"},
    "ce-source": {"description": "The context that published it.", "type": "string"},
    "ce-subject": {
        "description": "The aggregate's id: the first field of the message.",
        "type": "string",
        "format": "uuid",
        "pattern": UUID,
    },
    "ce-time": {"description": "When it took effect (UTC, RFC 3339): `occurred_at` of the message."} | TIME,
    "content-type": {"description": "The form of the payload.", "type": "string", "const": "application/protobuf"},
    "traceparent": {
        "description": "The trace of the call or event that caused it (W3C); empty if there is none.",
        "type": "string",
        "pattern": "^(00-[0-9a-f]{32}-[0-9a-f]{16}-[0-9a-f]{2})?$",
    },
    "Nats-Msg-Id": {
        "description": "By it the stream drops a repeat within two minutes. For subscribers `ce-id` counts.",
        "type": "string",
    },
    "unora-again": {
        "description": "Only on an event that is published again, as an operator asked: when that began (UTC, "
        "RFC 3339). Id, time and payload are those of the first time."
    }
    | TIME,
}
SOMETIMES: Final = ("unora-again",)
"""Headers that most events do not have."""


def shared() -> Schema:
    """The headers that all events have. There may be more later."""
    return {
        "type": "object",
        "description": "CloudEvents 1.0, binary mode.",
        "required": [name for name in HEADERS if name not in SOMETIMES],
        "properties": HEADERS,
    }


def own(event: Event) -> Schema:
    """The headers of one event: those that all have, and what is the same each time."""
    return {
        "allOf": [
            {"$ref": f"#/components/schemas/{NAME}"},
            {
                "type": "object",
                "properties": {
                    "ce-type": {"type": "string", "const": event.subject},
                    "ce-source": {"type": "string", "const": f"/unora/{event.context}"},
                },
            },
        ]
    }
