"""Publishes events of the outbox again: `python -m unora_<context> republish`.

It reads the outbox by pages and publishes them itself, so the relay of a running service goes on beside it: what is not
published yet is left to the relay. Nothing is stored. A run that was interrupted begins anew, and consumers skip what
they have applied.
"""

from __future__ import annotations

import asyncio
import json
import sys
from contextlib import suppress
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from typing import Final

from nats.errors import Error as NatsError
from unora_sdk.again import Again
from unora_sdk.names import stream

from unora_common.config import Config
from unora_common.event_names import event_subject
from unora_common.logs import describe
from unora_common.messaging import Messaging
from unora_common.meter import Meter
from unora_common.publisher import Publisher, Row
from unora_common.republish_options import NotRepublishableError, Wanted, rfc3339
from unora_common.runtime import Runtime
from unora_common.streams import is_all, read_by
from unora_common.transient import is_transient

PAGE: Final = 1000
"""How many rows of the outbox are read at once; with a narrow range or type most of them are not wanted."""
BEGINNING: Final = (datetime(1970, 1, 1, tzinfo=UTC), 0)
WANTED_ROWS: Final = """
    published_at < $1 AND ($2::timestamptz IS NULL OR occurred_at >= $2)
    AND ($3::timestamptz IS NULL OR occurred_at < $3) AND ($4::text IS NULL OR subject = $4)"""
"""What was published before the run began. What is published later is no repeat, and the stream has it anyway."""


class Republish:
    """One run."""

    def __init__(self, runtime: Runtime[Config, object], messaging: Messaging, silence: float) -> None:
        """After `silence` seconds without an answer, NATS does not answer."""
        self._context = runtime.context
        self._database = runtime.database
        self._days = runtime.config.outbox_days
        self._client = messaging.client
        self._silence = silence
        self._last = BEGINNING
        """The row up to which all is published again. Rows are read in the order in which they were written, by the
        clock of the database, since an index has it. It is the order of each aggregate's versions as long as that clock
        was not set back; consumers compare versions in any case.
        """
        outbox = f"{runtime.context}.outbox"
        self._count = f"SELECT count(*) FROM {outbox} WHERE {WANTED_ROWS}"
        self._held = f"SELECT count(*) AS number, min(occurred_at) AS first, max(occurred_at) AS last FROM {outbox}"
        self._left = f"SELECT min(occurred_at) FROM {outbox} WHERE {WANTED_ROWS} AND (created_at, seq) > ($5, $6)"
        self._page = f"""
            SELECT id, aggregate_id, subject, CASE WHEN wanted THEN payload END AS payload, occurred_at, trace,
                created_at, seq, wanted
            FROM (
                SELECT *, ({WANTED_ROWS}) AS wanted FROM {outbox}
                WHERE published_at IS NOT NULL AND created_at >= $5 AND (created_at, seq) > ($5, $6)
                ORDER BY created_at, seq LIMIT {PAGE}) AS page
            ORDER BY created_at, seq"""

    async def run(self, wanted: Wanted) -> int:
        """Publishes again what is wanted, says how far it is and what it did, and returns the exit status. Ended by a
        signal or by an error that may pass, it says how to go on. Raises NotRepublishableError.
        """
        wanted = await self._to_known_consumer(wanted)
        async with self._database.session() as session:
            began: datetime = await session.value("SELECT clock_timestamp()")
            arguments = (began, wanted.since, wanted.until, wanted.subject)
            number: int = await session.value(self._count, *arguments)
        self._say_if_too_old(wanted)
        if not number:
            print(await self._nothing(wanted))
            return 0
        again = Again(rfc3339(began), wanted.consumer)
        publisher = Publisher(self._context, self._client, self._silence, again)
        try:
            done = await self._publish(publisher, arguments, number)
        except (asyncio.CancelledError, Exception) as error:
            if not isinstance(error, asyncio.CancelledError) and not _may_pass(error):
                raise
            await self._say_how_to_go_on(arguments, error)
            if isinstance(error, asyncio.CancelledError):
                raise
            return 1
        self._say_what_was_done(wanted, done, publisher.repeats)
        return 0

    async def _publish(self, publisher: Publisher, arguments: tuple[object, ...], number: int) -> int:
        """Publishes page by page. Returns the number of events. Raises NatsError if the stream does not take one."""
        done, meter = 0, Meter()
        while page := await self._next_page(arguments):
            rows = [row for row in page if row["wanted"]]
            published, refused = await publisher.publish(rows) if rows else ([], [])
            done += len(published)
            meter.show(f"{done} of {number} events of {self._context} published again")
            if refused:
                row, reason = refused[0]
                raise NatsError(f"the stream did not take {row['subject']} {row['id']}: {reason}")
            self._last = page[-1]["created_at"], page[-1]["seq"]
        return done

    async def _next_page(self, arguments: tuple[object, ...]) -> list[Row]:
        async with self._database.session() as session:
            return list(await session.rows(self._page, *arguments, *self._last))

    async def _to_known_consumer(self, wanted: Wanted) -> Wanted:
        """What is wanted, with the only type that the consumer reads. Raises NotRepublishableError."""
        if wanted.consumer is None:
            return wanted
        known = await self._consumers()
        if wanted.consumer not in known:
            names = ", ".join(known) or "none"
            raise NotRepublishableError(f"{self._context} has no consumer {wanted.consumer}; it has {names}")
        if is_all(wanted.consumer):
            return wanted
        reads = event_subject(self._context, read_by(wanted.consumer))
        if wanted.subject not in (None, reads):
            raise NotRepublishableError(f"{wanted.consumer} reads {reads} only, and no {wanted.subject}")
        return replace(wanted, subject=reads)

    async def _consumers(self) -> list[str]:
        """The names of all durable consumers of the context's events."""
        asked = f"$JS.API.CONSUMER.NAMES.{stream(self._context)}"
        names: list[str] = []
        while True:
            body = json.dumps({"offset": len(names)}).encode()
            try:
                answer = json.loads((await self._client.request(asked, body, timeout=self._silence)).data)
            except NatsError as error:
                raise NatsError(
                    f"NATS does not say which consumers there are ({describe(error)}): may the user of "
                    f"{self._context} ask {asked}?"
                ) from error
            if "error" in answer:
                raise NotRepublishableError(f"NATS: {answer['error'].get('description')}; run unora_common.streams")
            found = answer.get("consumers") or []
            names += found
            if not found or len(names) >= answer["total"]:
                return sorted(name for name in names if "__" in name)

    def _say_if_too_old(self, wanted: Wanted) -> None:
        kept = timedelta(days=self._days)
        if wanted.since and wanted.since < datetime.now(UTC) - kept:
            _say(f"the outbox of {self._context} holds {self._days} days: what is older is not published again")

    async def _nothing(self, wanted: Wanted) -> str:
        async with self._database.session() as session:
            (held,) = await session.rows(self._held)
        said = f"no event of {self._context} {wanted}".rstrip()
        if not held["number"]:
            return f"{said}: its outbox is empty"
        span = f"{rfc3339(held['first'])} to {rfc3339(held['last'])}"
        return f"{said} was published before; its outbox holds {held['number']} events, from {span}"

    async def _say_how_to_go_on(self, arguments: tuple[object, ...], error: BaseException) -> None:
        """Finds the time from which on events are left: the order of pages is not that of the times."""
        left: datetime | None = None
        with suppress(Exception):  # Postgres may be what is away
            async with self._database.session() as session:
                left = await session.value(self._left, *arguments, *self._last)
        why = "" if isinstance(error, asyncio.CancelledError) else f"interrupted ({describe(error)}); "
        how = f" and --from {rfc3339(left)}" if left else ""
        _say(f"{why}to go on, run it again with the same options{how}")

    def _say_what_was_done(self, wanted: Wanted, done: int, repeats: int) -> None:
        to = wanted.consumer or "all consumers"
        print(f"{done - repeats} events of {self._context} published again to {to}")
        if repeats:
            print(
                f"{repeats} more were published again less than two minutes ago, so the stream dropped the repeat: "
                "wait, and run it again if it is wanted"
            )


def _may_pass(error: BaseException) -> bool:
    return isinstance(error, NatsError) or is_transient(error)


def _say(text: str) -> None:
    print(f"\nrepublish: {text}" if sys.stderr.isatty() else f"republish: {text}", file=sys.stderr, flush=True)
