"""What a member's reveals show (RE-09, RE-10): fetched or framed, then matching and safety are asked, then it opens."""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Sequence
from uuid import UUID

from unora.reveal.v1.reveal_service_pb2 import OpenRevealResponse, Reveal
from unora_common.database import Tx
from unora_common.errors import Unavailable
from unora_common.runtime import Runtime

from unora_reveal.clients import Bonds, Directory
from unora_reveal.config import RevealConfig
from unora_reveal.domain.facts import Facts, Framed
from unora_reveal.domain.glimpse import GLIMPSE
from unora_reveal.domain.purchases import next_for_sale
from unora_reveal.domain.reveals import IDENTITY, ConnectionEnded, Status, require_openable
from unora_reveal.messages import to_identity, to_reveal
from unora_reveal.providers.framer import Framer
from unora_reveal.resources import Resources
from unora_reveal.store import reveals as store
from unora_reveal.store.reveals import Stored
from unora_reveal.use_cases.framing import frame, frame_glimpse

Then = Callable[[Tx, Stored], Awaitable[None]]


class Opening:
    """Opens the reveals of members, and shows those that are open."""

    def __init__(self, runtime: Runtime[RevealConfig, Resources], framer: Framer) -> None:
        self._database = runtime.database
        self._reading = runtime.config.reading
        self._directory = Directory(runtime.clients)
        self._bonds = Bonds(runtime.clients)
        self._framer = framer

    async def list(self, streak_id: UUID, member: UUID) -> list[Reveal]:
        """RE-01. The states always; the texts while the two are together (RE-10). Raises StreakNotFound."""
        async with self._database.session() as session:
            reveals = await store.of_member(session, streak_id, member)
        texts = await self._texts(reveals)
        for_sale = None if reveals[0].ended else next_for_sale([reveal.offer for reveal in reveals])
        return [_told(reveal, texts.get(reveal.number), for_sale=reveal.number == for_sale) for reveal in reveals]

    async def open(self, streak_id: UUID, member: UUID, number: int) -> OpenRevealResponse:
        """Raises StreakNotFound, RevealLocked, ConnectionEnded; Unavailable while identity has not heard of Day 15 yet.

        A repeat opens what is open, so it needs no memory of the call.
        """
        async with self._database.session() as session:
            found = await store.one(session, streak_id, member, number)
        _require_openable(found)
        if number == IDENTITY:
            return await self._identity(found)
        return await (self._glimpse(found) if number == GLIMPSE else self._framed(found))

    async def _texts(self, reveals: Sequence[Stored]) -> dict[int, Framed]:
        """Of those that are open, by number."""
        open_ = [each for each in reveals if each.status is Status.UNLOCKED and each.number != IDENTITY]
        if not open_ or open_[0].ended:
            return {}
        glimpse = next((each for each in open_ if each.number == GLIMPSE), None)
        try:
            now = {GLIMPSE: await self._glimpsed(glimpse, await self._facts(glimpse))} if glimpse else {}
            await self._require_together(open_[0])
        except ConnectionEnded:
            return {}
        return now | {each.number: each.framed for each in open_ if each.framed}

    async def _framed(self, found: Stored) -> OpenRevealResponse:
        """RE-09: of several that open at once the first is kept, and all get its text."""
        framed = found.framed or await frame(self._framer, await self._facts(found), found.id, found.number)
        await self._require_together(found)
        if found.framed is None:
            found = await self._unlock(found, lambda tx, reveal: store.keep_text(tx, reveal, framed))
        return OpenRevealResponse(reveal=_told(found, found.framed))

    async def _glimpse(self, found: Stored) -> OpenRevealResponse:
        """PE-04: framed for this answer, and kept nowhere."""
        framed = await self._glimpsed(found, await self._facts(found))
        await self._require_together(found)
        if found.status is not Status.UNLOCKED:
            found = await self._unlock(found)
        return OpenRevealResponse(reveal=_told(found, framed))

    async def _identity(self, found: Stored) -> OpenRevealResponse:
        """RE-04: fetched for this answer, and kept nowhere."""
        disclosure = await self._directory.disclosure(found.look)
        await self._require_together(found)
        if disclosure is None:
            raise Unavailable
        photos = [UUID(photo.photo_id) for photo in disclosure.photos]
        found = await self._unlock(found, always=lambda tx, reveal: store.link_photos(tx, reveal, photos))
        return OpenRevealResponse(reveal=_told(found), identity=to_identity(disclosure))

    async def _unlock(self, found: Stored, first: Then | None = None, always: Then | None = None) -> Stored:
        """Opens it unless it is open meanwhile; `first` comes with the opening, `always` with each look."""
        async with self._database.transaction() as tx:
            reveal = _of(await store.lock(tx, found.streak_id, found.user_id), found.number)
            _require_openable(reveal)
            if reveal.status is not Status.UNLOCKED:
                await store.unlock(tx, reveal)
                if first:
                    await first(tx, reveal)
                reveal = await store.one(tx, found.streak_id, found.user_id, found.number)
            if always:
                await always(tx, reveal)
        return reveal

    async def _glimpsed(self, reveal: Stored, facts: Facts) -> Framed:
        return await frame_glimpse(self._framer, facts, reveal.scores, self._reading, reveal.id, reveal.now)

    async def _facts(self, reveal: Stored) -> Facts:
        facts = await self._directory.facts(reveal.look)
        if facts is None:  # an erased account ends its connections
            raise ConnectionEnded
        return facts

    async def _require_together(self, reveal: Stored) -> None:
        if not await self._bonds.hold(reveal.look):
            raise ConnectionEnded


def _of(reveals: Sequence[Stored], number: int) -> Stored:
    (found,) = (reveal for reveal in reveals if reveal.number == number)
    return found


def _told(reveal: Stored, framed: Framed | None = None, *, for_sale: bool = False) -> Reveal:
    return to_reveal(reveal.number, reveal.status, reveal.unlocked_at, framed, for_sale=for_sale)


def _require_openable(reveal: Stored) -> None:
    require_openable(reveal.number, reveal.status, reveal.completed_days, ended=reveal.ended)
