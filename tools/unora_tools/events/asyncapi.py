"""docs/asyncapi.json: the events as AsyncAPI 3.0, seen by a subscriber."""

from __future__ import annotations

from pathlib import Path
from typing import Any, Final

from unora_common.config import CONTEXTS
from unora_common.stream_settings import DEAD_LETTERS, MAX_AGE
from unora_common.streams import MAX_ACK_PENDING_OUTSIDE, Durable
from unora_gateway.openapi.contract import first_sentence
from unora_sdk.names import durable

from unora_tools.events import headers
from unora_tools.events.catalogue import Event, about, contract, events, examples
from unora_tools.events.proto_text import proto_text

FILE: Final = Path(__file__).resolve().parents[3] / "docs" / "asyncapi.json"
"""Committed: `make reference` writes it, and a test holds it to the contract."""
PROTOBUF: Final = "application/protobuf"
SCHEMA: Final = "application/vnd.google.protobuf;version=3"
BINDING: Final = {"nats": {"bindingVersion": "0.1.0"}}
SERVER: Final = "nats"
PASSWORD: Final = "password"  # noqa: S105 - the name of a scheme
SUBSCRIBER: Final = "<subscriber>"
"""Stands for the name that the administrator gives a subscriber."""
ABOUT: Final = f"""The events of Unora, written from its contract, as a subscriber receives them.

**Where.** The events of a context are in a stream of JetStream, each type on a subject of its own. A subscriber takes
them from durable pull consumers, one for each type, which the administrator makes for it: it may make none itself.
`x-jetstream` of each operation has the stream, the consumer and its filters: the subject of the event, and the one on
which an operator publishes it again to this consumer alone. So take the type of an event from the header `ce-type`, not
from the subject. Replicas of a subscriber share a consumer.

**What.** The payload is a message in protobuf. Its schema is a `.proto` that stands alone; the repository's `protos/`
have the same with services. Examples show it as JSON, in the form that protobuf defines: names of the contract, whole
numbers of 64 bits as strings, bytes in base64. Events hold ids, states, numbers and times only (XX-01).

**Once.** An event is published if and only if its transaction committed, and delivered at least once: record its
`ce-id` in the transaction of its effect, and skip an event that is recorded.

**Order.** `version`, the second field, grows by one with each event of an aggregate, over all its types. They are
published in that order, and may arrive in another. There is no order between aggregates.

**How long.** A stream holds {MAX_AGE.days} days. What an Unora context cannot apply goes to the stream
`{DEAD_LETTERS}`; what a subscriber cannot apply is its own matter.

**Change.** Types, fields and values of enums are only added: accept those that you do not know."""


def document(version: str) -> dict[str, Any]:
    """The document. `version` is that of Unora."""
    return {
        "asyncapi": "3.0.0",
        "info": {
            "title": "Unora's events",
            "version": version,
            "description": ABOUT,
            "license": {"name": "Apache License 2.0", "url": "https://www.apache.org/licenses/LICENSE-2.0"},
            "tags": [{"name": context, "description": about(context)} for context in CONTEXTS],
        },
        "defaultContentType": PROTOBUF,
        "servers": {SERVER: _server()},
        "channels": {each.subject: _channel(each) for each in events()},
        "operations": {f"receive.{_short(each)}": _operation(each) for each in events() if each.is_for_subscribers},
        "components": {
            "messages": {_short(each): _message(each) for each in events()},
            "schemas": {headers.NAME: headers.shared()},
            "securitySchemes": {
                PASSWORD: {
                    "type": "userPassword",
                    "description": "The subscriber's user of NATS. The connection also needs a certificate of Unora's "
                    "authority: neither opens anything alone.",
                }
            },
        },
    }


def _server() -> dict[str, Any]:
    return {
        "host": "{host}:{port}",
        "protocol": "nats",
        "description": "NATS with JetStream. TLS 1.3 begins before the first byte of NATS (`handshake_first`), the "
        "server's certificate is for `nats.unora`, and the client shows a certificate of Unora's authority. Answers "
        f"arrive below `_INBOX.{SUBSCRIBER}.`, so set this prefix of inboxes.",
        "variables": {
            "host": {"description": "The name or address of the NATS server.", "default": "127.0.0.1"},
            "port": {"description": "Its port.", "default": "4222"},
        },
        "security": [{"$ref": f"#/components/securitySchemes/{PASSWORD}"}],
        "bindings": BINDING,
    }


def _channel(event: Event) -> dict[str, Any]:
    return {
        "address": event.subject,
        "title": event.name,
        "summary": first_sentence(event.message.says),
        "description": f"{event.message.says}\n\n{_readers(event)}",
        "servers": [{"$ref": f"#/servers/{SERVER}"}],
        "tags": [{"name": event.context}],
        "messages": {event.name: {"$ref": f"#/components/messages/{_short(event)}"}},
        "bindings": BINDING,
        "x-aggregate": event.aggregate,
        "x-consumers": [{"context": each.context, "method": each.method} for each in event.consumers],
    }


def _operation(event: Event) -> dict[str, Any]:
    """What a subscriber does. The binding of NATS knows only queue groups, which JetStream's pull consumers replace."""
    channel = f"#/channels/{event.subject}"
    consumer = Durable(event.stream, durable(SUBSCRIBER, event.subject), event.subject)
    return {
        "action": "receive",
        "channel": {"$ref": channel},
        "title": event.name,
        "summary": f"Take {event.name} from the subscriber's durable consumer, and acknowledge each one.",
        "tags": [{"name": event.context}],
        "messages": [{"$ref": f"{channel}/messages/{event.name}"}],
        "bindings": BINDING,
        "x-jetstream": {
            "stream": consumer.stream,
            "durable": consumer.name,
            "filter_subjects": consumer.filters,
            "ack_policy": "explicit",
            "max_ack_pending": MAX_ACK_PENDING_OUTSIDE,
        },
    }


def _message(event: Event) -> dict[str, Any]:
    made: dict[str, Any] = {
        "name": event.type,
        "title": event.name,
        "summary": first_sentence(event.message.says),
        "description": event.message.says,
        "contentType": PROTOBUF,
        "tags": [{"name": event.context}],
        "headers": headers.own(event),
        "payload": {"schemaFormat": SCHEMA, "schema": proto_text(contract(), event.type)},
    }
    if example := examples().get(event.type):
        made["examples"] = [
            {"name": event.name, "headers": example["headers"], "payload": example["message"]},
        ]
    return made


def _readers(event: Event) -> str:
    who = ", ".join(f"{each.context} (`{each.method}`)" for each in event.consumers) or "no context"
    closed = "" if event.is_for_subscribers else " No subscriber outside Unora may consume it."
    return f"Who acts on it: {who}. The audit log of safety records it (SA-01).{closed}"


def _short(event: Event) -> str:
    return f"{event.context}.{event.name}"
