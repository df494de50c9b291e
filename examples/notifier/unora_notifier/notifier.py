"""From an event to its push messages."""

from __future__ import annotations

import logging
import sqlite3
from collections.abc import Awaitable, Callable, Sequence
from datetime import UTC, datetime
from typing import Any, Final
from uuid import NAMESPACE_OID, uuid5

from unora.identity.v1.notification_directory_service_pb2 import PushTarget, Recipient
from unora_sdk import Event, RetryLater

from unora_notifier.carriers import Carrier, DeadTokenError, NotTakenError, Push, RefusedError
from unora_notifier.directory import Directory
from unora_notifier.kinds import Kind
from unora_notifier.pushed import Pushed
from unora_notifier.texts import text

Handler = Callable[[Event[Any], sqlite3.Connection], Awaitable[None]]
SOONEST: Final = 1.0
"""Seconds until an event is tried again, at least."""

log = logging.getLogger("unora_notifier")


class Notifier:
    """Tells the members of an event, each device once."""

    def __init__(
        self, directory: Directory, carriers: Sequence[Carrier], pushed: Pushed, ask_again: float = 300.0
    ) -> None:
        """`ask_again`: seconds after which an event that is kept is looked at again, at the latest."""
        self._directory = directory
        self._carriers = {platform: carrier for carrier in carriers for platform in carrier.platforms}
        self._pushed = pushed
        self._ask_again = ask_again
        self._latest = datetime.min.replace(tzinfo=UTC)

    def handler(self, kind: Kind) -> Handler:
        """What a subscriber calls with the events of a kind."""

        async def handle(event: Event[Any], _: sqlite3.Connection) -> None:
            await self.tell(kind, event)

        return handle

    async def tell(self, kind: Kind, event: Event[Any]) -> None:
        """Pushes, or drops what is over. Raises RetryLater while a member is in quiet hours, or identity or a carrier
        is away, and RefusedError.
        """
        now, until = self._now(event), kind.until(event.message, event.time)
        if now >= until:
            self._drop(kind, event)
            return
        members = [getattr(event.message, field) for field in kind.members]
        left: list[Exception] = []
        for recipient in await self._directory.recipients(members, kind.category):
            begin = recipient.not_before.ToDatetime(UTC) if recipient.HasField("not_before") else now
            if begin >= until:
                self._drop(kind, event)
            elif begin > now:
                left.append(RetryLater("quiet hours", self._bounded((begin - now).total_seconds())))
            else:
                left += await self._push_all(kind, event, recipient, until)
        if waits := [each for each in left if isinstance(each, RetryLater)]:
            raise min(waits, key=lambda each: each.delay)
        if left:
            raise left[0]

    async def _push_all(self, kind: Kind, event: Event[Any], recipient: Recipient, until: datetime) -> list[Exception]:
        """Tells one member; returns what went wrong. One device holds up no other."""
        apart = getattr(event.message, kind.not_on) if kind.not_on else ""
        left: list[Exception] = []
        for target in recipient.targets:
            carrier = self._carriers.get(target.platform)
            if carrier is None or (apart and target.session_id == apart):
                continue
            words = text(kind.name, target.locale)
            lasts = until - self._now(event)
            push = Push(recipient.user_id, target.platform, target.token, kind.name, words, lasts)
            try:
                await self._push(event, target, push, carrier)
            except NotTakenError as error:
                log.warning("event %s waits: %s", event.id, error)
                left.append(RetryLater(str(error), self._bounded(error.delay)))
            except (RetryLater, RefusedError) as error:
                left.append(error)
        return left

    async def _push(self, event: Event[Any], target: PushTarget, push: Push, carrier: Carrier) -> None:
        """Notes the push first: if the process dies before it is sent, it is lost, but none is sent twice."""
        if not self._pushed.claim(event.id, target.device_id, push.user_id, push.kind):
            return
        try:
            await carrier.send(push)
        except DeadTokenError:
            await self._report(event, target)
        except (NotTakenError, RefusedError):
            self._pushed.release(event.id, target.device_id)
            raise
        except Exception:  # it may have arrived, so it is not sent again
            log.exception("a push of event %s to device %s may be lost", event.id, target.device_id)

    async def _report(self, event: Event[Any], target: PushTarget) -> None:
        """Removes a dead token. Otherwise the next try must find it again, so the note of the push goes."""
        try:
            call = str(uuid5(NAMESPACE_OID, f"{event.id} {target.device_id}"))
            await self._directory.report_invalid(target.token, call)
        finally:
            self._pushed.release(event.id, target.device_id)

    def _drop(self, kind: Kind, event: Event[Any]) -> None:
        log.info("event %s (%s) is over, and is not told", event.id, kind.name)
        self._pushed.drop(event.id, kind.name)

    def _now(self, event: Event[Any]) -> datetime:
        """By the machine's clock, or by the newest event: a stack of one machine may have a clock that was moved."""
        recorded = getattr(event.message, "recorded_at", None)
        written = recorded.ToDatetime(UTC) if recorded is not None else event.time
        self._latest = max(self._latest, event.time, written)
        return max(self._latest, datetime.now(UTC))

    def _bounded(self, delay: float) -> float:
        return min(max(delay, SOONEST), self._ask_again)
