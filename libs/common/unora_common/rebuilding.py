"""Projections are made anew from the contexts that own their facts, while events go on (XX-08).

First the rows of a page are read, then the owner is asked about the same ids. So a row cannot be newer than the answer.
A row that differs from the answer, and has not changed since it was read, is wrong: in one transaction it is forgotten,
and the answer is applied as an event is. If a row has changed since it was read, only its version decides, and its page
is read again.

A page is applied, and then noted as applied; applying it twice changes nothing. So a rebuild that was killed at any
moment continues with the page at which it was. It makes one part after the other, and applies one page after the other;
while a page is applied, the next one is read. A part that reads two lists reads both at once.

Rebuilds of several contexts may run at the same time: each has its own rows. Of two in one context that make the same
part, one ends: each page is noted once (RebuildTakenOverError).

Owners may still tell of members who are erased here: rows about one member, whose key is one id, are not made again
(ID-09). Most rows about two hold ids only, and are the other one's too; `Part.members` says of which that is not so.
"""

from __future__ import annotations

import asyncio
from collections.abc import AsyncGenerator, Awaitable, Callable, Iterable, Sequence
from dataclasses import dataclass, field, replace
from typing import Any, Final, Generic, TypeVar
from uuid import UUID

from unora_common.copies import Copy, Facts, Key, Stored
from unora_common.database import Database, Tx
from unora_common.erasing import erased_among
from unora_common.ids import uuid7
from unora_common.pages import id_after
from unora_common.rebuild_progress import Progress, RebuildProgress
from unora_common.transient import is_transient

F = TypeVar("F")
MAX_ATTEMPTS: Final = 30
"""How often a page is tried before a rebuild gives up, a second apart: an owner may restart meanwhile."""
RETRY_DELAY: Final = 1.0


class RebuildTakenOverError(Exception):
    """Another process goes on with this rebuild, or has begun another."""


class RowsKeepChangingError(Exception):
    """Rows of a page were wrong, and changed each time before they could be repaired. The next run may succeed."""


@dataclass(frozen=True, slots=True)
class Row:
    """A row as it must be for what the owner told."""

    key: Key
    facts: Facts = ()
    version: int = 0


@dataclass(frozen=True, kw_only=True)
class Part(Generic[F]):
    """One projection: where it comes from, and how what was told of it is applied."""

    name: str
    copy: Copy
    ask: Callable[[str, int], Awaitable[tuple[list[F], str]]]
    """A page of the owner's list: what it tells, by the first ids of its rows, and the token of the next page, which is
    the first id that this one ends with, or empty at the end. Takes the token of this page, and the most that it tells.
    """
    rows: Callable[[F], Iterable[Row]]
    """The rows that must exist for what was told."""
    apply: Callable[[Tx, Sequence[F]], Awaitable[None]]
    """Applies what was told, as the events are applied: what is newer stays."""
    prepare: Callable[[Sequence[F]], Awaitable[Sequence[F]]] | None = None
    """Asks other contexts for what `apply` needs besides, before the transaction."""
    untold: Facts | None = None
    """The facts of a row about which the owner tells nothing, if that is normal; its version is 0 then."""
    unknown: Callable[[Key], F] | None = None
    """The facts of any other row that the owner does not know. Without it the copy's `vanish` decides."""
    silent: Callable[[F], bool] = lambda told: False
    """Whether no event has told of it, so that it makes no row, but changes one that exists."""
    members: Callable[[F], Iterable[UUID]] | None = None
    """The members whom a row about two members concerns: once one of them is erased, the row is not stored again
    (ID-09).
    """
    all_told: bool = False
    """Whether `apply` gets all that was told, since it finds by itself which rows differ."""
    size: int = 1000
    at_once: int = 1000
    """How many are applied in one transaction: 1 if each locks what others need."""


@dataclass(frozen=True)
class _Work(Generic[F]):
    """What is to be applied, and the rows that it puts right."""

    fact: F
    wrong: list[Stored]
    keys: tuple[Key, ...]
    """Of all rows that must exist for it."""


@dataclass(frozen=True)
class _Page(Generic[F]):
    following: str
    count: int
    work: list[_Work[F]]
    vanished: list[Stored]
    behind: list[tuple[Stored, int]] = field(default_factory=list)
    """Rows that are right, and of a lower version than the owner's."""


class Rebuild:
    """One run of the command, over some parts."""

    def __init__(self, database: Database, parts: Sequence[Part[Any]]) -> None:
        self._database = database
        self._progress = RebuildProgress(database.schema)
        self._parts = {part.name: part for part in parts}

    async def begin(self, *, restart: bool = False) -> list[Progress]:
        """Goes on with the latest rebuild, if it was of all these parts and has not ended; else begins one."""
        async with self._database.transaction() as tx:
            known = await self._progress.list(tx)
            found = [known[name] for name in self._parts if name in known]
            is_one_run = len(found) == len(self._parts) and len({each.run_id for each in found}) == 1
            if restart or not is_one_run or all(each.finished for each in found):
                await self._progress.begin(tx, uuid7(), list(self._parts))
                known = await self._progress.list(tx)
            return [known[name] for name in self._parts]

    async def run(self, progress: Progress) -> AsyncGenerator[Progress, None]:
        """Makes one part anew, from where it is, and tells after each page. Raises RebuildTakenOverError, or
        RowsKeepChangingError.
        """
        part = self._parts[progress.part]
        coming: asyncio.Future[_Page[Any]] | None = None
        try:
            while not progress.finished:
                page, coming = await self._do_page(part, progress.token, coming)
                async with self._database.transaction() as tx:
                    if not await self._progress.advance(tx, progress, page.following, page.count):
                        raise RebuildTakenOverError
                done = progress.members + page.count
                progress = replace(progress, token=page.following, members=done, finished=not page.following)
                yield progress
        finally:
            if coming:
                coming.cancel()

    async def _do_page(
        self, part: Part[F], token: str, coming: asyncio.Future[_Page[F]] | None
    ) -> tuple[_Page[F], asyncio.Future[_Page[F]] | None]:
        """Reads and applies a page. Returns it, and the next one, which comes while this one is applied."""
        for attempt in range(1, MAX_ATTEMPTS + 1):
            following: asyncio.Future[_Page[F]] | None = None
            try:
                page = await (coming or self._read(part, token))
                if page.following:
                    following = asyncio.ensure_future(self._read(part, page.following))
                if not await self._apply(part, page):
                    kept, following = following, None
                    return page, kept
            except Exception as error:
                if attempt == MAX_ATTEMPTS or not is_transient(error):
                    raise
                await asyncio.sleep(RETRY_DELAY)
            finally:  # also when a signal cancels it: what is read must not outlive the connection to Postgres
                coming = None
                if following:
                    following.cancel()
        raise RowsKeepChangingError(part.name)

    async def _read(self, part: Part[F], token: str) -> _Page[F]:
        async with self._database.session() as session:
            stored = await part.copy.read(session, id_after(token), part.size)
        told, following = await part.ask(token, part.size)
        ends = [UUID(following)] if following else []
        if len(stored) >= part.size:
            ends.append(stored[-1].key[0])
        last = min(ends, default=None)
        return _compare(part, stored, told, last)

    async def _apply(self, part: Part[F], page: _Page[F]) -> int:
        """Returns how many rows have changed since they were read, and may still be wrong."""
        changed = 0
        if page.behind or page.vanished:
            async with self._database.transaction() as tx:
                await part.copy.raise_versions(tx, page.behind)
                changed += await part.copy.vanish(tx, page.vanished)
        for start in range(0, len(page.work), part.at_once):
            work = page.work[start : start + part.at_once]
            told: Sequence[F] = [each.fact for each in work]
            if part.prepare:
                told = await part.prepare(told)
            async with self._database.transaction() as tx:
                members = [_members(part, each) for each in work]
                erased = await erased_among(tx, self._database.schema, list(set[UUID]().union(*members)))
                left = [
                    (each, fact)
                    for each, fact, about in zip(work, told, members, strict=True)
                    if erased.isdisjoint(about)
                ]
                if left:
                    changed += await part.copy.forget(tx, [row for each, _ in left for row in each.wrong])
                    await part.apply(tx, [fact for _, fact in left])
        return changed


def _compare(part: Part[F], stored: Sequence[Stored], told: Sequence[F], last: UUID | None) -> _Page[F]:
    """What is wrong of the rows up to the first id `last`, where the page ends; None is the end of all."""
    known = {each.key: each for each in stored if last is None or each.key[0] <= last}
    page: _Page[F] = _Page(str(last) if last else "", 0, [], [])
    count, expected = 0, set[Key]()
    for fact in told:
        rows = [row for row in part.rows(fact) if last is None or row.key[0] <= last]
        if not rows:
            continue
        count += 1
        expected.update(row.key for row in rows)
        found = [(known.get(row.key), row) for row in rows]
        wrong = [each for each, row in found if each and is_wrong(each, row)]
        missing = any(each is None for each, _ in found) and not (part.silent(fact) and not any(e for e, _ in found))
        if wrong or missing or (part.all_told and any(each for each, _ in found)):
            page.work.append(_Work(fact, wrong, tuple(row.key for row in rows)))
        else:
            page.behind.extend((each, row.version) for each, row in found if each and each.version < row.version)
    for key, each in known.items():
        if key in expected or (part.untold is not None and not is_wrong(each, Row(key, part.untold))):
            continue
        if part.unknown:
            page.work.append(_Work(part.unknown(key), [each], (key,)))
        else:
            page.vanished.append(each)
    return replace(page, count=count)


def is_wrong(stored: Stored, row: Row) -> bool:
    """Whether a row has other facts than its owner, or a newer version."""
    return stored.version > row.version or any(
        wanted != found for wanted, found in zip(row.facts, stored.facts, strict=True)
    )


def _members(part: Part[F], work: _Work[F]) -> set[UUID]:
    """The members whom rows concern: nothing about them may come back once they are erased. Other ids do no harm."""
    if part.members:
        return set(part.members(work.fact))
    return {key[0] for key in work.keys if len(key) == 1}
