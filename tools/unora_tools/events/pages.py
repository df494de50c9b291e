"""docs/events.md, an overview, and a page below docs/events/ for each context: every event with its fields."""

from __future__ import annotations

import json
from collections.abc import Iterable, Iterator
from typing import Final

from google.protobuf.descriptor_pb2 import EnumDescriptorProto, FieldDescriptorProto
from unora_common.config import CONTEXTS
from unora_gateway.openapi.contract import first_sentence
from unora_sdk.names import stream

from unora_tools.events.catalogue import Consumer, Event, about, contract, events_of, examples
from unora_tools.events.proto_text import type_name
from unora_tools.markdown import cell, table

OVERVIEW: Final = """# Events

Written by `make reference` from the contract in `protos/` and from the consumers that the services declare.

Each is published on `unora.<context>.v1.<event_name>` if and only if its transaction committed, at least once, in order
per aggregate (XX-02), and carries ids, states and numbers only (XX-01). The audit log of safety keeps all of them
(SA-01); the last column says which other contexts act on one, and by which method.

The page of a context has the fields of its events, with examples. [asyncapi.json](asyncapi.json) has the same for
programs, and [interfaces.md](interfaces.md#for-a-subscriber) what a subscriber must know of headers, repeats and order.
"""
NO_EXAMPLE: Final = "No example: the story of `make demo` does not cause it."
CLOSED: Final = "- No subscriber outside Unora may consume it."


def overview() -> str:
    """docs/events.md."""
    parts = [OVERVIEW]
    for context in CONTEXTS:
        rows = (
            (
                f"[`{each.name}`](events/{context}.md#{each.name.lower()})",
                each.aggregate,
                cell(first_sentence(each.message.says)),
                _acting(each.consumers),
            )
            for each in events_of(context)
        )
        heads = ("event", "aggregate", "what", "who acts on it")
        parts.append(f"## {context}\n\nFields: [events/{context}.md](events/{context}.md).\n\n{table(heads, rows)}")
    return "\n".join(parts)


def page(context: str) -> str:
    """docs/events/<context>.md."""
    found = events_of(context)
    head = f"""# Events of {context}

Written by `make reference` from the contract in `protos/`. [All events](../events.md)

{about(context)}

They are in the stream `{stream(context)}`. The headers of all are in
[interfaces.md](../interfaces.md#for-a-subscriber). Examples are events that were published while the story of
`make demo` was played, as JSON of protobuf, with made-up ids and times.
"""
    return "\n".join([head, *(_section(each) for each in found), _values(found)])


def _section(event: Event) -> str:
    rows = ((f"`{each.name}`", _type(each), cell(event.message.members[each.name])) for each in event.descriptor.field)
    facts = [f"- Subject: `{event.subject}`", f"- Aggregate: {event.aggregate}"]
    facts.append(f"- Who acts on it: {_acting(event.consumers) or 'no context'}")
    facts += [] if event.is_for_subscribers else [CLOSED]
    parts = [f"## {event.name}\n", f"{event.message.says}\n", *facts, ""]
    return "\n".join([*parts, table(("field", "type", "meaning"), rows), *_example(event)])


def _example(event: Event) -> Iterator[str]:
    if example := examples().get(event.type):
        yield f"```json\n{json.dumps(example['message'], indent=1, ensure_ascii=False)}\n```\n"
    else:
        yield f"{NO_EXAMPLE}\n"


def _values(events: Iterable[Event]) -> str:
    """The enums that the events of a page hold."""
    enums = {
        each.type_name.removeprefix("."): None
        for event in events
        for each in event.descriptor.field
        if each.type == FieldDescriptorProto.Type.TYPE_ENUM
    }
    parts = ["## Values\n"] if enums else []
    for name in enums:
        enum = contract().types[name]
        assert isinstance(enum.descriptor, EnumDescriptorProto)
        rows = ((f"`{each.name}`", str(each.number), cell(enum.members[each.name])) for each in enum.descriptor.value)
        heads = ("value", "number", "meaning")
        parts.append(f"### {name.rpartition('.')[2]}\n\n{enum.says}\n\n{table(heads, rows)}")
    return "\n".join(parts)


def _type(field: FieldDescriptorProto) -> str:
    name = type_name(field)
    if field.type == FieldDescriptorProto.Type.TYPE_ENUM:
        return f"[{name}](#{name.lower()})"
    return f"{name}, may be absent" if field.proto3_optional else name


def _acting(consumers: Iterable[Consumer]) -> str:
    return ", ".join(f"{each.context} `{each.method}`" for each in consumers)
