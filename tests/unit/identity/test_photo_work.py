"""XX-07: turns for work on pictures."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from contextlib import AsyncExitStack, asynccontextmanager
from datetime import timedelta
from uuid import UUID, uuid4

import pytest
from unora_identity.providers.photo_work import PhotoWork, PhotoWorkBusy

pytestmark = pytest.mark.rule("XX-07")


def photo_work(*, at_once: int = 2, per_member: int = 2, queue: int = 3, seconds: float = 60.0) -> PhotoWork:
    return PhotoWork(at_once=at_once, per_member=per_member, queue=queue, wait=timedelta(seconds=seconds))


class Upload:
    """One picture of a member: it asks for a turn, and has it until `end`."""

    def __init__(self, work: PhotoWork, user: UUID) -> None:
        self.started, self._finish = asyncio.Event(), asyncio.Event()
        self.task = asyncio.create_task(self._run(work, user))

    async def _run(self, work: PhotoWork, user: UUID) -> None:
        async with work.turn(user):
            self.started.set()
            await self._finish.wait()

    async def end(self) -> None:
        self._finish.set()
        await self.task


async def settle() -> None:
    for _ in range(10):
        await asyncio.sleep(0)


@asynccontextmanager
async def uploads(work: PhotoWork, *users: UUID) -> AsyncIterator[list[Upload]]:
    """One after the other, each asking before the next; all are over at the end."""
    made = []
    async with AsyncExitStack() as stack:
        for user in users:
            made.append(Upload(work, user))
            stack.callback(made[-1].task.cancel)
            await settle()
        yield made
    await asyncio.gather(*(upload.task for upload in made), return_exceptions=True)


async def require_all_turns_are_there(work: PhotoWork, at_once: int = 2) -> None:
    async with uploads(work, *(uuid4() for _ in range(at_once))) as more:
        assert all(upload.started.is_set() for upload in more)


async def test_only_so_many_pictures_are_in_work_and_the_next_waits() -> None:
    work = photo_work()
    async with uploads(work, uuid4(), uuid4(), uuid4()) as (first, second, third):
        assert (first.started.is_set(), second.started.is_set(), third.started.is_set()) == (True, True, False)
        await first.end()
        await settle()
        assert third.started.is_set()


async def test_a_member_without_a_turn_lately_goes_before_those_who_had_one() -> None:
    work = photo_work(queue=10)
    greedy = [uuid4() for _ in range(4)]
    async with uploads(work, *greedy, *greedy, uuid4(), uuid4()) as made:
        first, second, third, fourth, *again, one, another = made
        assert [upload.started.is_set() for upload in made] == [True, True] + [False] * 8
        await first.end()
        await settle()
        assert third.started.is_set()  # as long ago as for all: the first who asked
        for ending in (second, third, fourth):
            await ending.end()
            await settle()
        assert one.started.is_set()
        assert another.started.is_set()
        assert not any(upload.started.is_set() for upload in again)


async def test_a_full_queue_refuses_at_once_and_says_when_to_come_back() -> None:
    work = photo_work(queue=3, seconds=7.2)
    async with uploads(work, *(uuid4() for _ in range(5))):
        with pytest.raises(PhotoWorkBusy) as refused:
            async with asyncio.timeout(1), work.turn(uuid4()):
                pytest.fail("had a turn")
    assert (refused.value.code, refused.value.reason) == ("RESOURCE_EXHAUSTED", "PHOTO_WORK_BUSY")
    assert refused.value.metadata == {"retry_after": "7.2"}
    await require_all_turns_are_there(work)


async def test_a_member_who_has_two_is_refused_at_once_while_others_are_let_in() -> None:
    work, member = photo_work(at_once=4), uuid4()
    async with uploads(work, member, member):
        with pytest.raises(PhotoWorkBusy):
            async with work.turn(member):
                pytest.fail("had a turn")
        async with work.turn(uuid4()):
            pass
    async with work.turn(member):
        pass


async def test_one_member_never_has_all_turns() -> None:
    work, member = photo_work(), uuid4()
    async with uploads(work, member, member, uuid4()) as (first, second, other):
        # The member's second picture leaves a turn free, and waits in the queue without holding up another member.
        assert (first.started.is_set(), second.started.is_set(), other.started.is_set()) == (True, False, True)
        await first.end()
        await settle()
        assert second.started.is_set()


async def test_a_single_turn_serves_all_in_their_order() -> None:
    work = photo_work(at_once=1)
    async with uploads(work, uuid4(), uuid4(), uuid4()) as made:
        for number, upload in enumerate(made):
            await settle()
            assert [each.started.is_set() for each in made[number:]] == [True] + [False] * (len(made) - number - 1)
            await upload.end()


async def test_who_waited_too_long_is_refused() -> None:
    work = photo_work(seconds=0.01)
    async with uploads(work, uuid4(), uuid4()):
        with pytest.raises(PhotoWorkBusy):
            async with work.turn(uuid4()):
                pytest.fail("had a turn")
    await require_all_turns_are_there(work)


async def test_a_waiter_who_leaves_makes_room() -> None:
    work = photo_work(queue=1)
    async with uploads(work, uuid4(), uuid4(), uuid4()) as (first, _, waiting):
        waiting.task.cancel()
        await settle()
        async with uploads(work, uuid4()) as (next_one,):
            await first.end()
            await settle()
            assert next_one.started.is_set()
    await require_all_turns_are_there(work)


async def test_a_turn_given_to_a_caller_who_is_cancelled_in_that_moment_is_not_lost() -> None:
    work = photo_work(at_once=1)
    async with uploads(work, uuid4(), uuid4(), uuid4()) as (first, second, third):
        first._finish.set()
        await asyncio.wait([first.task])  # the second has its turn now, and has not run yet
        second.task.cancel()
        await settle()
        assert second.task.cancelled()
        assert third.started.is_set()
    await require_all_turns_are_there(work, 1)


async def test_work_that_fails_gives_its_turn_back() -> None:
    work = photo_work(at_once=1)
    for _ in range(5):
        with pytest.raises(ZeroDivisionError):
            async with work.turn(uuid4()):
                raise ZeroDivisionError
    await require_all_turns_are_there(work, 1)
