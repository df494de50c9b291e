"""Opening a reveal (RE-09, RE-10): what it shows is fetched or framed first, then matching is asked, then it opens."""

from __future__ import annotations

from uuid import UUID

from unora.reveal.v1.reveal_service_pb2 import OpenRevealResponse
from unora_common.config import Config
from unora_common.errors import Unavailable
from unora_common.service import App

from unora_reveal.clients import Directory, Look, Pairs
from unora_reveal.domain import IDENTITY, ConnectionEnded, Framed, Status, require_openable
from unora_reveal.framing import frame
from unora_reveal.messages import to_identity, to_reveal
from unora_reveal.providers.framer import Framer
from unora_reveal.store import reveals as store


class Opening:
    """Opens the reveals of members."""

    def __init__(self, app: App[Config], framer: Framer) -> None:
        self._database = app.database
        self._directory = Directory(app.clients)
        self._pairs = Pairs(app.clients)
        self._framer = framer

    async def open(self, streak_id: UUID, member: UUID, number: int) -> OpenRevealResponse:
        """Raises StreakNotFound, RevealLocked, ConnectionEnded; Unavailable while identity has not heard of Day 15 yet.

        A repeat opens what is open, so it needs no memory of the call.
        """
        async with self._database.session() as session:
            found = await store.one(session, streak_id, member, number)
        _require_openable(found)
        return await (self._identity(found) if number == IDENTITY else self._framed(found))

    async def _framed(self, found: store.Stored) -> OpenRevealResponse:
        look = _look(found)
        framed = found.framed
        if framed is None:
            facts = await self._directory.facts(look)
            if facts is None:  # an erased account ends its connections
                raise ConnectionEnded
            framed = await frame(self._framer, facts, found.id, found.number)
        await self._require_active(look)
        if found.framed is None:
            found = await self._open_framed(found, framed)
        return OpenRevealResponse(reveal=to_reveal(found.number, found.status, found.unlocked_at, found.framed))

    async def _open_framed(self, found: store.Stored, framed: Framed) -> store.Stored:
        """Of several that open at once the first is kept, and all get its text."""
        key = (found.streak_id, found.user_id, found.number)
        async with self._database.transaction() as tx:
            reveal = await store.lock(tx, *key)
            _require_openable(reveal)
            if reveal.status is not Status.UNLOCKED:
                await store.unlock(tx, reveal)
                await store.keep_text(tx, reveal, framed)
                reveal = await store.one(tx, *key)
        return reveal

    async def _identity(self, found: store.Stored) -> OpenRevealResponse:
        """RE-04: fetched for this answer, and kept nowhere."""
        look = _look(found)
        disclosure = await self._directory.disclosure(look)
        await self._require_active(look)
        if disclosure is None:
            raise Unavailable
        key = (found.streak_id, found.user_id, found.number)
        async with self._database.transaction() as tx:
            reveal = await store.lock(tx, *key)
            _require_openable(reveal)
            if reveal.status is not Status.UNLOCKED:
                await store.unlock(tx, reveal)
                reveal = await store.one(tx, *key)
            await store.link_photos(tx, reveal, [UUID(photo.photo_id) for photo in disclosure.photos])
        return OpenRevealResponse(
            reveal=to_reveal(reveal.number, reveal.status, reveal.unlocked_at), identity=to_identity(disclosure)
        )

    async def _require_active(self, look: Look) -> None:
        if not await self._pairs.active(look):
            raise ConnectionEnded


def _require_openable(reveal: store.Stored) -> None:
    require_openable(reveal.number, reveal.status, reveal.completed_days, ended=reveal.ended)


def _look(reveal: store.Stored) -> Look:
    return Look(reveal.streak_id, reveal.connection_id, reveal.user_id, reveal.partner_id)
