"""Faults that only REST can have, for every route: in JSON, in addresses, in headers. No route is named here."""

from __future__ import annotations

import json
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, replace
from typing import Any

from google.protobuf.descriptor import Descriptor, FieldDescriptor
from unora_testing.rest.binding import VARIABLE, VERBS, Binding, HttpRequest

from tests.contract.contract import CANARY, RAW, valid

JSON = "application/json"
WHOLE = {FieldDescriptor.TYPE_INT32, FieldDescriptor.TYPE_INT64}
NO_WHOLE_NUMBERS = (1.5, 10**30, -(10**30), "x", "0x10", "1e3", "", True, [1], {"a": 1})


@dataclass(frozen=True)
class Fault:
    """A request that is refused before any service sees it."""

    why: str
    request: HttpRequest
    reason: str
    field: str = ""
    """The field that the refusal names, if it must name one."""
    status: int = 400


def faults_of(kind: Descriptor, binding: Binding, verbs: Iterable[str]) -> Iterator[Fault]:
    """Every fault that a request of a route can have; its path takes these verbs."""
    good = binding.request(valid(kind))
    yield from _of_verbs(good, binding, verbs)
    yield from _of_addresses(kind, good, binding)
    if good.query or not binding.body:
        yield from _of_queries(kind, good, binding)
    if binding.body and kind.full_name != RAW:
        yield from _of_media(good)
        yield from _of_texts(good)
        yield from _of_values(kind, good, binding)


def _of_verbs(good: HttpRequest, binding: Binding, verbs: Iterable[str]) -> Iterator[Fault]:
    for verb in {verb.upper() for verb in VERBS} - set(verbs):
        yield Fault(f"verb {verb}", replace(good, verb=verb), "VERB_UNKNOWN", status=405)
    if not binding.body:
        unexpected = replace(good, body=b'{"a": 1}', content_type=JSON)
        yield Fault("a body where none is taken", unexpected, "BODY_UNEXPECTED")


def _of_addresses(kind: Descriptor, good: HttpRequest, binding: Binding) -> Iterator[Fault]:
    for name in VARIABLE.findall(binding.template):
        for text in ("%00", "a%2Fb", "%5C"):
            path = _with_variable(good, binding, name, text)
            yield Fault(f"{text} in the path", replace(good, path=path), "REQUEST_MALFORMED")
        strange = replace(good, path=_with_variable(good, binding, name, f"{CANARY}%FF%FE"))
        yield Fault("bytes that are no UTF-8 in the path", strange, "INVALID_ARGUMENT", name)
        if binding.body == "*":
            twice = _body(good) | {name: _text_of(kind.fields_by_name[name])}
            yield Fault("in the path and in the body", _with_body(good, twice), "INVALID_ARGUMENT", name)
    yield Fault("no such path", replace(good, path=f"{good.path}/none/of/these", query=()), "PATH_UNKNOWN", status=404)
    unknown = replace(good, query=(*good.query, (f"a.{CANARY[:3]}", "1")))
    yield Fault("an unknown parameter", unknown, "QUERY_PARAMETER_UNKNOWN", f"a.{CANARY[:3]}")
    long = replace(good, query=(("x", "a" * 60_000),))
    yield Fault("a query that is too long", long, "HEADERS_TOO_LARGE", status=431)


def _of_queries(kind: Descriptor, good: HttpRequest, binding: Binding) -> Iterator[Fault]:
    variables = VARIABLE.findall(binding.template)
    for name in variables:
        twice = replace(good, query=(*good.query, (name, "1")))
        yield Fault("in the path and in the query", twice, "QUERY_PARAMETER_UNKNOWN", name)
    for field in kind.fields:
        if field.name in variables or field.message_type:
            continue
        others = tuple(pair for pair in good.query if pair[0] != field.name)
        for text in _texts_that_do_not_fit(field):
            wrong = replace(good, query=(*others, (field.name, text)))
            yield Fault(f"{text!r} as {field.name}", wrong, "INVALID_ARGUMENT", field.name)
        if not field.is_repeated:
            twice = replace(good, query=(*others, *((field.name, _text_of(field)),) * 2))
            yield Fault("given twice", twice, "INVALID_ARGUMENT", field.name)


def _of_media(good: HttpRequest) -> Iterator[Fault]:
    for media in ("text/plain", "application/x-www-form-urlencoded", "multipart/form-data; boundary=x", "json"):
        yield Fault(f"as {media}", replace(good, content_type=media), "MEDIA_TYPE_UNSUPPORTED", status=415)


def _of_texts(good: HttpRequest) -> Iterator[Fault]:
    body = good.body or b""
    name = next(iter(_body(good)), "a")
    texts = {
        "half": body[:-1],
        "two": body + body,
        "a list": b"[" + body + b"]",
        "null": b"null",
        "a text": b'"text"',
        "a name twice": body[:-1] + f', "{name}": null}}'.encode() if _body(good) else b'{"a": 1, "a": 2}',
        "a comma too many": body[:-1] + b",}",
        "no quotes": b"{a: 1}",
        "too deep": b'{"a":' * 70 + b"1" + b"}" * 70,
        "very deep": b"[" * 100_000,
        "a null byte": body[:-1] + b"\0}",
        "a control character in a text": b'{"a": "\x01"}',
        "half a surrogate": b'{"a": "\\ud800"}',
        "bytes that are no UTF-8": b'{"a": "' + CANARY.encode() + b'\xff\xfe"}',
        "an overlong letter": b'{"a": "\xc0\xaf"}',
        "a surrogate in bytes": b'{"a": "\xed\xa0\x80"}',
        "UTF-16": body.decode().encode("utf-16"),
        "a mark of byte order": b"\xef\xbb\xbf" + body,
        "not a number": b'{"a": NaN}',
    }
    for why, text in texts.items():
        yield Fault(why, replace(good, body=text), "JSON_INVALID")
    large = replace(good, body=body + b" " * (1 << 20))
    yield Fault("too large", large, "BODY_TOO_LARGE", status=413)


def _of_values(kind: Descriptor, good: HttpRequest, binding: Binding) -> Iterator[Fault]:
    body = _body(good)
    unknown = _with_body(good, body | {CANARY[:4]: 1})
    yield Fault("an unknown field", unknown, "FIELD_UNKNOWN", CANARY[:4])
    for field in kind.fields:
        if field.name in VARIABLE.findall(binding.template):
            continue
        for path, why, value in _values_that_do_not_fit(field):
            yield Fault(f"{path}: {why}", _with_body(good, body | {field.name: value}), "INVALID_ARGUMENT", path)
        if field.message_type and field.message_type.full_name.startswith("unora."):
            inner = {**body.get(field.name, [{}])[0]} if field.is_repeated else {**body.get(field.name, {})}
            value = inner | {"nope": 1}
            place = f"{field.name}[0].nope" if field.is_repeated else f"{field.name}.nope"
            nested = _with_body(good, body | {field.name: [value] if field.is_repeated else value})
            yield Fault(f"{place} is unknown", nested, "FIELD_UNKNOWN", place)


def _values_that_do_not_fit(field: FieldDescriptor) -> Iterator[tuple[str, str, Any]]:
    for value in _single_values(field):
        if field.is_repeated:
            yield f"{field.name}[0]", f"{value!r} in the list", [value]
        else:
            yield field.name, repr(value), value
    if field.is_repeated:
        yield field.name, "no list", {"a": 1}
        yield f"{field.name}[0]", "null in the list", [None]
    else:
        yield field.name, "a list", [["a"]]


def _single_values(field: FieldDescriptor) -> tuple[Any, ...]:
    match field.type:
        case FieldDescriptor.TYPE_STRING | FieldDescriptor.TYPE_BYTES:
            return (7, True, {"a": 1})
        case FieldDescriptor.TYPE_BOOL:
            return (1, 0, "yes", "", {"a": 1})
        case FieldDescriptor.TYPE_ENUM:
            return ("NO_SUCH_VALUE", "", 9999, -1, 1.5, True, {"a": 1})
        case FieldDescriptor.TYPE_MESSAGE:
            return (7, True) if not _is_text(field) else (7, True, {"a": 1})
        case kind if kind in WHOLE:
            return NO_WHOLE_NUMBERS
        case _:
            return ()


def _is_text(field: FieldDescriptor) -> bool:
    """Whether JSON writes the message as text."""
    return field.message_type is not None and field.message_type.full_name.startswith("google.protobuf.")


def _texts_that_do_not_fit(field: FieldDescriptor) -> tuple[str, ...]:
    match field.type:
        case FieldDescriptor.TYPE_BOOL:
            return ("yes", "1", "")
        case FieldDescriptor.TYPE_ENUM:
            return ("NO_SUCH_VALUE", "9999", "-1", "")
        case kind if kind in WHOLE:
            return ("x", "1.5", "0x10", "", str(10**30))
        case _:
            return ()


def _text_of(field: FieldDescriptor) -> str:
    if field.enum_type:
        return str(field.enum_type.values[1].name)
    return "true" if field.type == FieldDescriptor.TYPE_BOOL else "1" if field.type in WHOLE else "a"


def _with_variable(good: HttpRequest, binding: Binding, name: str, text: str) -> str:
    """The path with this text in place of one variable."""
    parts = zip(good.path.split("/"), binding.template.split("/"), strict=True)
    return "/".join(
        template.replace(f"{{{name}}}", text) if f"{{{name}}}" in template else part for part, template in parts
    )


def _body(good: HttpRequest) -> dict[str, Any]:
    found: dict[str, Any] = json.loads(good.body or b"{}")
    return found


def _with_body(good: HttpRequest, body: Any) -> HttpRequest:
    return replace(good, body=json.dumps(body).encode())
