"""The lists of owners, as rebuilds read them (XX-08)."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable
from typing import Any, TypeVar
from uuid import UUID

from unora_common.clients import Clients

F = TypeVar("F")
Ask = Callable[[str, int], Awaitable[tuple[list[F], str]]]
"""Takes the token of a page and the most that it tells; returns what it tells, and the token of the next page."""


def listing(clients: Clients, method: Any, request: type[Any], items: str, convert: Callable[[Any], F]) -> Ask[F]:
    """Reads a list of a ProjectionService: a method of its stub, its request, the field of the items in its answer."""

    async def ask(token: str, size: int) -> tuple[list[F], str]:
        answer = await clients.call(method, request(page_token=token, page_size=size))
        return [convert(each) for each in getattr(answer, items)], answer.next_page_token

    return ask


def both(one: Ask[F], other: Ask[F], id_of: Callable[[F], UUID]) -> Ask[F]:
    """Reads two lists of the same ids as one. A page ends where the shorter one does."""

    async def ask(token: str, size: int) -> tuple[list[F], str]:
        (these, after_these), (those, after_those) = await asyncio.gather(one(token, size), other(token, size))
        ends = [UUID(each) for each in (after_these, after_those) if each]
        found = [*these, *those]
        if not ends:
            return found, ""
        last = min(ends)
        return [each for each in found if id_of(each) <= last], str(last)

    return ask


def joined(one: Ask[F], other: Ask[F], id_of: Callable[[F], UUID], join: Callable[[F, F], F]) -> Ask[F]:
    """Reads two lists of the same ids as one: what both tell of one id is joined, with what `one` told first."""
    halves = both(one, other, id_of)

    async def ask(token: str, size: int) -> tuple[list[F], str]:
        told, following = await halves(token, size)
        found: dict[UUID, F] = {}
        for half in told:
            known = found.get(id_of(half))
            found[id_of(half)] = half if known is None else join(known, half)
        return list(found.values()), following

    return ask
