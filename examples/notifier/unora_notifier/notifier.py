"""From an event to its push messages."""

from __future__ import annotations

import asyncio
import logging
import sqlite3
from collections.abc import Awaitable, Callable, Sequence
from contextlib import suppress
from datetime import UTC, datetime, timedelta
from typing import Any, Final
from uuid import NAMESPACE_OID, uuid5

from unora.identity.v1.notification_directory_service_pb2 import PushTarget, Recipient
from unora_sdk import Event, RetryLater

from unora_notifier.carriers import Carrier, DeadTokenError, NotTakenError, Push, RefusedError
from unora_notifier.clock import Clock
from unora_notifier.directory import Directory
from unora_notifier.kinds import Kind
from unora_notifier.pushed import Pushed
from unora_notifier.texts import text
from unora_notifier.waiting import News, Waiting

Handler = Callable[[Event[Any], sqlite3.Connection], Awaitable[None]]
SOONEST: Final = 1.0
"""Seconds until an event is tried again, at least."""
POLL_SECONDS: Final = 1.0
"""Seconds between two looks for what has waited."""
AT_ONCE: Final = 10
"""How many of those that have waited are told at once."""

log = logging.getLogger("unora_notifier")


class Notifier:
    """Tells the members of an event, each device once."""

    def __init__(
        self,
        directory: Directory,
        carriers: Sequence[Carrier],
        pushed: Pushed,
        waiting: Waiting,
        clock: Clock,
        ask_again: float = 300.0,
    ) -> None:
        """`ask_again`: seconds until identity or a carrier that was away is asked again, at most."""
        self._directory = directory
        self._carriers = {platform: carrier for carrier in carriers for platform in carrier.platforms}
        self._pushed = pushed
        self._waiting = waiting
        self._clock = clock
        self._ask_again = ask_again

    def handler(self, kind: Kind) -> Handler:
        """What a subscriber calls with the events of a kind."""

        async def handle(event: Event[Any], _: sqlite3.Connection) -> None:
            self._clock.hear(event.time, event.message)
            await self.tell(News.of(kind, event))

        return handle

    async def run(self, stopping: asyncio.Event) -> None:
        """Tells what has waited when it is due. Ends when `stopping` is set, after those in work."""
        while not stopping.is_set():
            try:
                while not stopping.is_set() and await self.tell_due():
                    pass
            except sqlite3.Error as error:
                log.warning("what waits cannot be read: %s; trying again", error)
            with suppress(TimeoutError):
                await asyncio.wait_for(stopping.wait(), POLL_SECONDS)

    async def tell_due(self) -> bool:
        """Tells some of those that have waited and are due; False if there are none."""
        due = self._waiting.due(self._clock.now(), AT_ONCE)
        await asyncio.gather(*map(self._tell_again, due))
        return bool(due)

    async def _tell_again(self, news: News) -> None:
        """The stream has it no more: what fails is tried again until it is over."""
        try:
            await self.tell(news)
        except RetryLater as error:
            log.info("event %s waits: %s", news.id, error)
            self._put_off(news, error.delay)
        except Exception:
            log.exception("event %s failed, and is tried again in %d s", news.id, self._ask_again)
            self._put_off(news, self._ask_again)

    def _put_off(self, news: News, seconds: float) -> None:
        self._waiting.keep(news, self._clock.now() + timedelta(seconds=seconds))

    async def tell(self, news: News) -> None:
        """Pushes, keeps until quiet hours end, or drops what is over. Raises RetryLater while identity or a carrier is
        away, and RefusedError.
        """
        now, until = self._clock.now(), news.until
        if now >= until:
            self._drop(news)
            self._waiting.remove(news)
            return
        members = [getattr(news.message, field) for field in news.kind.members]
        left: list[Exception] = []
        waits: list[datetime] = []
        for recipient in await self._directory.recipients(members, news.kind.category):
            begin = recipient.not_before.ToDatetime(UTC) if recipient.HasField("not_before") else now
            if begin >= until:
                self._drop(news)
            elif begin > now:
                waits.append(begin)
            else:
                left += await self._push_all(news, recipient)
        if waits:
            self._waiting.keep(news, min(waits))
        elif not left:
            self._waiting.remove(news)
        _raise_first(left)

    async def _push_all(self, news: News, recipient: Recipient) -> list[Exception]:
        """Tells one member; returns what went wrong. One device holds up no other."""
        kind = news.kind
        apart = getattr(news.message, kind.not_on) if kind.not_on else ""
        left: list[Exception] = []
        for target in recipient.targets:
            carrier = self._carriers.get(target.platform)
            if carrier is None or (apart and target.session_id == apart):
                continue
            words = text(kind.name, target.locale)
            lasts = news.until - self._clock.now()
            push = Push(recipient.user_id, target.platform, target.token, kind.name, words, lasts)
            try:
                await self._push(news, target, push, carrier)
            except NotTakenError as error:
                log.warning("event %s waits: %s", news.id, error)
                left.append(RetryLater(str(error), self._bounded(error.delay)))
            except (RetryLater, RefusedError) as error:
                left.append(error)
        return left

    async def _push(self, news: News, target: PushTarget, push: Push, carrier: Carrier) -> None:
        """Notes the push first: if the process dies before it is sent, it is lost, but none is sent twice."""
        if not self._pushed.claim(news.id, target.device_id, push.user_id, push.kind):
            return
        try:
            await carrier.send(push)
        except DeadTokenError:
            await self._report(news, target)
        except (NotTakenError, RefusedError):
            self._pushed.release(news.id, target.device_id)
            raise
        except Exception:  # it may have arrived, so it is not sent again
            log.exception("a push of event %s to device %s may be lost", news.id, target.device_id)

    async def _report(self, news: News, target: PushTarget) -> None:
        """Removes a dead token. Otherwise the next try must find it again, so the note of the push goes."""
        try:
            call = str(uuid5(NAMESPACE_OID, f"{news.id} {target.device_id}"))
            await self._directory.report_invalid(target.token, call)
        finally:
            self._pushed.release(news.id, target.device_id)

    def _drop(self, news: News) -> None:
        log.info("event %s (%s) is over, and is not told", news.id, news.kind.name)
        self._pushed.drop(news.id, news.kind.name)

    def _bounded(self, delay: float) -> float:
        return min(max(delay, SOONEST), self._ask_again)


def _raise_first(left: Sequence[Exception]) -> None:
    """Raises what is to be tried again the soonest, else what is refused, if there is any."""
    if waits := [each for each in left if isinstance(each, RetryLater)]:
        raise min(waits, key=lambda each: each.delay)
    if left:
        raise left[0]
