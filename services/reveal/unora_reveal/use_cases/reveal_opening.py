"""RE-09, RE-10: reveals are framed or fetched first, then matching and safety are asked, then the reveal is opened."""

from __future__ import annotations

from collections.abc import Sequence
from uuid import UUID

from unora_common.errors import Unavailable
from unora_common.pair_facts import are_connected
from unora_common.runtime import Runtime

from unora_reveal.clients import find_facts, find_identity
from unora_reveal.config import RevealConfig
from unora_reveal.domain.facts import Facts, FramedText
from unora_reveal.domain.glimpse import GLIMPSE
from unora_reveal.domain.purchases import next_for_sale
from unora_reveal.domain.reveals import (
    IDENTITY,
    ConnectionEnded,
    Reveal,
    RevealView,
    Status,
    get_by_number,
    require_openable,
    unlock,
)
from unora_reveal.messages import to_message
from unora_reveal.resources import Resources
from unora_reveal.store import contents, reveals
from unora_reveal.use_cases.framing import frame, frame_glimpse


class RevealOpening:
    """Opens the reveals of members, and lists them."""

    def __init__(self, runtime: Runtime[RevealConfig, Resources]) -> None:
        self.runtime = runtime
        self.framer = runtime.resources.framer
        self.policy = runtime.config.scoring_policy

    async def list_by_member(self, streak_id: UUID, user_id: UUID) -> list[RevealView]:
        """RE-01: always with the states; with the texts while the two are connected (RE-10). Raises StreakNotFound."""
        async with self.runtime.database.session() as session:
            member_reveals = await reveals.list_by_member(session, streak_id, user_id)
        texts = await self._texts(member_reveals)
        for_sale = None if member_reveals[0].ended else next_for_sale(member_reveals)
        return [
            RevealView(reveal=reveal, framed=texts.get(reveal.number), for_sale=reveal.number == for_sale)
            for reveal in member_reveals
        ]

    async def open(self, streak_id: UUID, user_id: UUID, number: int) -> RevealView:
        """A repeat opens what is open already, so no answer needs to be stored for it.

        Raises StreakNotFound, RevealLocked, ConnectionEnded, and Unavailable while identity does not know of Day 15.
        """
        async with self.runtime.database.session() as session:
            reveal = await reveals.get(session, streak_id, user_id, number)
        require_openable(reveal)
        if number == IDENTITY:
            return await self._open_identity(reveal)
        if number == GLIMPSE:
            return await self._open_glimpse(reveal)
        return await self._open_text(reveal)

    async def _texts(self, member_reveals: Sequence[Reveal]) -> dict[int, FramedText]:
        """The texts of the unlocked reveals, by number."""
        unlocked = [each for each in member_reveals if each.status is Status.UNLOCKED and each.number != IDENTITY]
        if not unlocked or unlocked[0].ended:
            return {}
        texts = {each.number: each.framed for each in unlocked if each.framed}
        glimpse = next((each for each in unlocked if each.number == GLIMPSE), None)
        try:
            if glimpse:
                texts[GLIMPSE] = await self._frame_glimpse(glimpse)
            await self._require_connected(unlocked[0])
        except ConnectionEnded:
            return {}
        return texts

    async def _open_text(self, reveal: Reveal) -> RevealView:
        """RE-09: of several calls at the same time the first text is stored, and all calls return it."""
        framed = reveal.framed or await frame(self.framer, await self._facts(reveal), reveal.id, reveal.number)
        await self._require_connected(reveal)
        if reveal.framed is None:
            reveal = await self._unlock(reveal, framed=framed)
        return RevealView(reveal=reveal, framed=reveal.framed)

    async def _open_glimpse(self, reveal: Reveal) -> RevealView:
        """PE-04: the text is framed for this answer, and not stored."""
        framed = await self._frame_glimpse(reveal)
        await self._require_connected(reveal)
        if reveal.status is not Status.UNLOCKED:
            reveal = await self._unlock(reveal)
        return RevealView(reveal=reveal, framed=framed)

    async def _open_identity(self, reveal: Reveal) -> RevealView:
        """RE-04: the identity is fetched for this answer, and not stored."""
        identity = await find_identity(self.runtime.clients, reveal.streak_id, reveal.user_id, reveal.partner_id)
        await self._require_connected(reveal)
        if identity is None:
            raise Unavailable
        reveal = await self._unlock(reveal, photo_ids=[photo.id for photo in identity.photos])
        return RevealView(reveal=reveal, identity=identity)

    async def _unlock(
        self, reveal: Reveal, *, framed: FramedText | None = None, photo_ids: Sequence[UUID] | None = None
    ) -> Reveal:
        """Opens the reveal with its text, unless another call has opened it meanwhile. Photos are added every time."""
        async with self.runtime.database.transaction() as tx:
            reveal = get_by_number(await reveals.lock(tx, reveal.streak_id, reveal.user_id), reveal.number)
            require_openable(reveal)
            if reveal.status is not Status.UNLOCKED:
                reveal, event = unlock(reveal, framed, tx.now)
                await reveals.save_unlocked(tx, reveal)
                if framed is not None:
                    await contents.insert_text(tx, reveal, framed)
                tx.emit(to_message(event))
            if photo_ids is not None:
                await contents.add_photos(tx, reveal, photo_ids)
        return reveal

    async def _frame_glimpse(self, reveal: Reveal) -> FramedText:
        facts = await self._facts(reveal)
        return await frame_glimpse(self.framer, facts, reveal.scores, self.policy, reveal.id, reveal.read_at)

    async def _facts(self, reveal: Reveal) -> Facts:
        facts = await find_facts(self.runtime.clients, reveal.partner_id)
        if facts is None:  # the partner's account was erased, which ends its connections
            raise ConnectionEnded
        return facts

    async def _require_connected(self, reveal: Reveal) -> None:
        if not await are_connected(self.runtime.clients, reveal.connection_id, reveal.user_id, reveal.partner_id):
            raise ConnectionEnded
