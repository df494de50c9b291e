"""What consumers know of their stream: it has a message a moment before they have counted it."""

from __future__ import annotations

from collections.abc import AsyncIterator, Iterable, Mapping
from contextlib import asynccontextmanager

from nats.js import JetStreamContext
from nats.js.api import ConsumerInfo
from unora_sdk.names import stream

from unora_testing.deadlines import eventually

ALL = ">"
"""All subjects, also of those that begin in the same way."""


@asynccontextmanager
async def counted(streams: JetStreamContext, context: str, least: int = 0) -> AsyncIterator[None]:
    """At the end of the block, returns when each consumer of the context's stream has counted the messages that came
    inside. The next step of a consumer then takes all of them, and not only those of which it knew already. `least`
    says how many must have come, where they were sent without an acknowledgement of the stream.
    """
    name = stream(context)
    came_before, known_before = await _subjects(streams, name), await _consumers(streams, name)
    yield

    async def have_come() -> bool:
        found = await _subjects(streams, name)
        return sum(found.values()) - sum(came_before.values()) >= least

    await eventually(have_come, f"{name} has {least} messages more")
    came = await _subjects(streams, name)

    async def all_know() -> bool:
        known = await _consumers(streams, name)
        return all(
            _known(known[each]) - _known(before) >= _matching(came, filters) - _matching(came_before, filters)
            for each, before in known_before.items()
            if each in known and (filters := _filters(before))
        )

    try:
        await eventually(all_know, f"the consumers of {name} have counted its messages")
    except AssertionError as error:
        known = await _consumers(streams, name)
        said = {each: (_known(before), _known(known[each])) for each, before in known_before.items() if each in known}
        raise AssertionError(f"{error}; before: {came_before}, now: {came}, by consumer: {said}") from None


async def info_of_new(streams: JetStreamContext, name: str, consumer: str) -> ConsumerInfo:
    """What a consumer says of itself, once it has counted all messages of the stream `name` that are its own. It was
    made since the stream was emptied last.
    """

    async def known() -> ConsumerInfo | None:
        came, info = await _subjects(streams, name), await streams.consumer_info(name, consumer)
        return info if _known(info) >= _matching(came, _filters(info)) else None

    info = await eventually(known, f"{consumer} has counted its messages")
    assert info is not None
    return info


async def _subjects(streams: JetStreamContext, name: str) -> dict[str, int]:
    """How many messages each subject has."""
    return (await streams.stream_info(name, subjects_filter=ALL)).state.subjects or {}


async def _consumers(streams: JetStreamContext, name: str) -> dict[str, ConsumerInfo]:
    return {info.name: info for info in await streams.consumers_info(name)}


def _known(info: ConsumerInfo) -> int:
    """A number that grows by one with each message that the consumer counts."""
    return (info.num_pending or 0) + (info.delivered.consumer_seq if info.delivered else 0)


def _filters(info: ConsumerInfo) -> list[str]:
    config = info.config
    return config.filter_subjects or [config.filter_subject or ALL]


def _matching(subjects: Mapping[str, int], filters: Iterable[str]) -> int:
    """How many messages have a subject of these filters."""
    return sum(
        number
        for subject, number in subjects.items()
        if any(subject.startswith(each[:-1]) if each.endswith(ALL) else subject == each for each in filters)
    )
