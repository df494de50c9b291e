"""What the bridge does goes on when its caller is gone, and a page that does not read holds up no other."""

from __future__ import annotations

import asyncio
import time

import pytest
from unora_local.env import Env
from unora_local.page.broadcast import WAITING, Broadcast, Listener
from unora_local.page.events import END, send
from unora_local.page.refusals import ClockBusy, EventsAway
from unora_local.page.work import Work
from unora_testing.deadlines import within


class Job:
    """Work that ends when it may."""

    def __init__(self) -> None:
        self.began, self.may_end = asyncio.Event(), asyncio.Event()
        self.done = 0

    async def __call__(self) -> int:
        self.began.set()
        await self.may_end.wait()
        self.done += 1
        return self.done


async def test_work_whose_caller_is_gone_goes_on_to_its_end() -> None:
    work, job = Work(), Job()
    caller = asyncio.create_task(work.alone("clock", job, ClockBusy))
    await within(job.began.wait())
    caller.cancel()
    with pytest.raises(asyncio.CancelledError):
        await caller
    with pytest.raises(ClockBusy):
        await work.alone("clock", job, ClockBusy)
    job.may_end.set()
    await within(work.stop())
    assert job.done == 1
    assert await within(work.alone("clock", job, ClockBusy)) == 2


async def test_work_that_fails_lets_the_next_begin() -> None:
    async def fails() -> None:
        raise ValueError("broken")

    work = Work()
    for _ in range(2):
        with pytest.raises(ValueError, match="broken"):
            await work.alone("clock", fails, ClockBusy)


async def test_who_comes_while_shared_work_is_under_way_gets_its_result() -> None:
    work, job = Work(), Job()
    first = asyncio.create_task(work.shared("moderator", job))
    await within(job.began.wait())
    second = asyncio.create_task(work.shared("moderator", job))
    first.cancel()
    job.may_end.set()
    assert await within(second) == 1


async def test_a_page_that_does_not_read_is_cut_off() -> None:
    slow, other = Listener("a"), Listener("a")
    for number in range(WAITING + 1):
        slow.put(b"%d" % number)
        other.put(b"%d" % number)
        assert await other.next(0) == b"%d" % number
    assert slow.is_cut
    assert await slow.next(0) is None
    assert not other.is_cut


async def test_a_page_that_waits_learns_at_once_that_it_is_cut_off() -> None:
    listener = Listener("a")
    waiting = asyncio.create_task(listener.next(3600))
    await asyncio.sleep(0)
    listener.cut()
    assert await within(waiting) is None
    assert listener.is_cut


async def test_a_stream_ends_with_its_token_and_sends_first_what_waits() -> None:
    written: list[bytes] = []

    async def write(data: bytes) -> None:
        written.append(data)

    async def lives() -> bool:
        return True

    listener = Listener("a")
    listener.put(b"frame")
    await within(send(write, listener, time.time() + 0.05, lives))
    assert written == [b"frame", END]


async def test_nobody_listens_while_events_are_not_heard() -> None:
    with pytest.raises(EventsAway), Broadcast(Env({})).listener("a"):
        pass
