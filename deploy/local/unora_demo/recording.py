"""Examples for the reference of REST: calls of the demo, as they went over the wire, without what differs each time.

Of each method the call is kept whose answer has the most different fields. Ids, tokens, links and times are replaced by
ones that are always the same, and lists are cut after two: what is left differs only where the services draw by chance,
such as the people on cards.
"""

from __future__ import annotations

import json
import re
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from datetime import UTC, date, datetime, timedelta
from pathlib import Path
from typing import Any, Final, cast

import grpc
from google.protobuf.message import Message
from unora_common.whole_files import write_whole
from unora_testing.rest.binding import Binding
from unora_testing.rest.channel import RestChannel

LIST: Final = 2
"""Entries of a list that an example shows."""
LONG: Final = 300
"""Letters of a text that an example shows."""
UUID: Final = re.compile(r"[0-9a-fA-F]{8}(?:-[0-9a-fA-F]{4}){3}-[0-9a-fA-F]{12}")
TIME: Final = re.compile(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d(?:\.\d+)?Z")
DAY: Final = re.compile(r"\d{4}-\d\d-\d\d")
SECRET: Final = re.compile(r"(?:token|secret|code|signature|nonce|credential|policy|digest|hash|key)$", re.IGNORECASE)
LINK: Final = re.compile(r"https?://.*")
OPAQUE: Final = {
    re.compile(r"\+\d{7,15}"): "+14155550123",
    re.compile(r"pi_\w+"): "pi_000000000000000000000001",
    re.compile(r"eyJ[\w-]*\.[\w-]+\.[\w-]+"): "header.payload.signature",
    re.compile(r"00-[0-9a-f]{32}-[0-9a-f]{16}-[0-9a-f]{2}"): "00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01",
    re.compile(r"\d{8}T\d{6}Z"): f"{datetime(2026, 5, 4, 18, tzinfo=UTC):%Y%m%dT%H%M%SZ}",
}
"""Numbers and names that others give, and what stands for them."""
DATE: Final = "$date"
"""Where the text of a date stands while it is replaced."""
RECENT: Final = 2020
"""Years from which on a date is one of the story, and not that of a birth."""
FIRST_TIME: Final = datetime(2026, 5, 4, 18, tzinfo=UTC)
FIRST_DAY: Final = date(2026, 5, 4)
CODE: Final = "123456"
OPEN_FILE: Final = 0o644
"""The examples are part of the repository."""
Json = Any


@dataclass
class Recording:
    """The calls that were kept, by the name of the method."""

    calls: dict[str, Json] = field(default_factory=dict)
    _fields: dict[str, int] = field(default_factory=dict)

    def keep(self, method: str, binding: Binding, message: Message, body: bytes) -> None:
        """Keep a call that was answered, if it shows more than the one that is kept."""
        answer = json.loads(body)
        shown = len(set(paths_shown(answer)))
        if shown > self._fields.get(method, -1):
            self._fields[method], self.calls[method] = shown, _example(binding, message, answer)

    def write(self, file: Path) -> None:
        """Write all as JSON, made canonical; the file appears whole or not at all."""
        made = {name: canonical(call) for name, call in sorted(self.calls.items())}
        write_whole(file, (json.dumps(made, indent=1, ensure_ascii=False) + "\n").encode(), OPEN_FILE)


class RecordingChannel(RestChannel):
    """REST as any app calls it; what is answered is recorded."""

    def __init__(self, url: str, authority: bytes, recording: Recording) -> None:
        super().__init__(url, authority)
        self._recording = recording

    async def send(self, binding: Binding, message: Message, headers: dict[str, str], timeout: float) -> bytes:
        """The body of the answer; raises AioRpcError if it is a refusal."""
        body = await super().send(binding, message, headers, timeout)
        self._recording.keep(type(message).__name__.removesuffix("Request"), binding, message, body)
        return body


def recording_channel(url: str, authority: bytes, recording: Recording) -> grpc.aio.Channel:
    """A RecordingChannel, for what takes a channel of gRPC."""
    return cast(grpc.aio.Channel, RecordingChannel(url, authority, recording))


def canonical(call: Json) -> Json:
    """A call with ids, secrets, links and times that are always the same, and short lists and texts."""
    cut = _cut(call)
    times = _replacements(cut, TIME, lambda at: f"{FIRST_TIME + timedelta(hours=at):%Y-%m-%dT%H:%M:%SZ}", sort=True)
    days = _replacements(cut, DAY, lambda at: str(FIRST_DAY + timedelta(days=at)), sort=True)
    ids = _replacements(cut, UUID, lambda at: f"00000000-0000-4000-8000-{at + 1:012}")
    return _replaced(cut, times | days | ids)


def _example(binding: Binding, message: Message, answer: Json) -> Json:
    """What an app sends, part by part, and gets."""
    parts = binding.parts(message)
    parameters = {name: parts.path.get(name, "") for name in binding.variables} | parts.query
    body = {} if parts.body is None else {"body": parts.body}
    return {"parameters": parameters, **body, "answer": answer}


def paths_shown(value: Json, within: str = "") -> Iterator[str]:
    """The path of every value that says something; entries of lists share one."""
    if isinstance(value, dict):
        for name, each in value.items():
            yield from paths_shown(each, f"{within}.{name}")
    elif isinstance(value, list):
        for each in value:
            yield from paths_shown(each, f"{within}[]")
    elif value not in ("", 0, False, None):
        yield within


def _cut(value: Json, name: str = "") -> Json:
    if isinstance(value, dict):
        if set(value) == {"year", "month", "day"} and value["year"] >= RECENT:
            return {DATE: str(date(**value))}
        return {key: _cut(each, key) for key, each in value.items()}
    if isinstance(value, list):
        return [_cut(each, name) for each in value[:LIST]]
    if isinstance(value, str) and value:
        return _text(value, name)
    return value


def _text(value: str, name: str) -> str:
    if LINK.fullmatch(value):
        return f"https://example.com/{name}"
    if name == "code":
        return CODE
    if SECRET.search(name) and not (UUID.fullmatch(value) or TIME.fullmatch(value) or value.isupper()):
        return f"the {name} comes here"
    for pattern, instead in OPAQUE.items():
        if pattern.fullmatch(value):
            return instead
    return value if len(value) <= LONG else f"{value[:LONG]}…"


def _replacements(
    value: Json, pattern: re.Pattern[str], made: Callable[[int], str], *, sort: bool = False
) -> dict[str, str]:
    """A replacement for each different text that matches: in the order of the texts, or of their first appearance."""
    found = dict.fromkeys(text for text in _texts(value) if pattern.fullmatch(text))
    return {text: made(at) for at, text in enumerate(sorted(found) if sort else found)}


def _texts(value: Json) -> Iterator[str]:
    if isinstance(value, dict):
        for each in value.values():
            yield from _texts(each)
    elif isinstance(value, list):
        for each in value:
            yield from _texts(each)
    elif isinstance(value, str):
        yield value


def _replaced(value: Json, by: dict[str, str]) -> Json:
    if isinstance(value, dict) and DATE in value:
        day = date.fromisoformat(by[value[DATE]])
        return {"year": day.year, "month": day.month, "day": day.day}
    if isinstance(value, dict):
        return {name: _replaced(each, by) for name, each in value.items()}
    if isinstance(value, list):
        return [_replaced(each, by) for each in value]
    return by.get(value, value) if isinstance(value, str) else value
