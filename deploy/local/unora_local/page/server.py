"""The bridge as one server: its routes, by theme, and what they share."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Final

from aiohttp import web
from unora_gateway.paths import LOCAL

from unora_local.page.broadcast import Broadcast
from unora_local.page.events import Events
from unora_local.page.files import Files
from unora_local.page.guard import EVENTS, add_headers, guard
from unora_local.page.inbox import Inbox
from unora_local.page.members import Members
from unora_local.page.payments import Payments
from unora_local.page.pictures import Pictures
from unora_local.page.rule_clock import RuleClock
from unora_local.page.stack import RunningStack
from unora_local.page.work import Work

API: Final = f"{LOCAL}api/"
LARGEST_BODY: Final = 64 << 10
"""Bytes: the form of an upload, which is the largest, has two thousand."""
STOPS_WITHIN: Final = 1.0
"""Seconds that open connections get; streams of events would stay open for ever."""


def application(stack: RunningStack, work: Work, broadcast: Broadcast) -> web.Application:
    """All routes."""
    app = web.Application(middlewares=[guard], client_max_size=LARGEST_BODY)
    app.on_response_prepare.append(add_headers)
    clock, inbox, members = RuleClock(stack, work), Inbox(stack), Members(stack, work)
    pictures, payments, files = Pictures(stack), Payments(stack), Files()
    events = Events(stack, broadcast)
    app.add_routes(
        [
            web.get(f"{API}clock", clock.show),
            web.post(f"{API}clock", clock.move),
            web.get(f"{API}inbox", inbox.newest),
            web.post(f"{API}seed", members.seed),
            web.post(f"{API}moderator", members.moderator),
            web.get(f"{API}pictures", pictures.names),
            web.get(f"{API}pictures/{{name}}", pictures.show),
            web.post(f"{API}uploads", pictures.upload),
            web.post(f"{API}payments/{{provider_payment_id}}", payments.confirm),
            web.get(EVENTS, events.stream),
            web.get(f"{LOCAL}{{path:(?!api/).*}}", files.serve),
        ]
    )
    return app


@asynccontextmanager
async def serve(stack: RunningStack, port: int) -> AsyncIterator[None]:
    """Serves on loopback inside the block; then what is under way goes on to its end."""
    work, broadcast = Work(), Broadcast(stack.env)
    runner = web.AppRunner(application(stack, work, broadcast), access_log=None, shutdown_timeout=STOPS_WITHIN)
    await runner.setup()
    await web.TCPSite(runner, "127.0.0.1", port).start()
    hearing = asyncio.create_task(broadcast.run())
    print(f"serving on 127.0.0.1:{port}", flush=True)
    try:
        yield
    finally:
        await work.stop()
        hearing.cancel()
        await asyncio.gather(hearing, return_exceptions=True)
        await runner.cleanup()
