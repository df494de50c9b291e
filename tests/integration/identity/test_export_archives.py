"""ID-10: archives are made once whatever dies on the way, and deleted when their time is over."""

from __future__ import annotations

import asyncio
from dataclasses import replace
from datetime import timedelta
from typing import Any

import pytest
from unora.identity.v1.export_service_pb2 import EXPORT_STATE_FAILED, EXPORT_STATE_MAKING, EXPORT_STATE_READY
from unora_common.errors import Unavailable
from unora_common.runtime import Runtime
from unora_identity.config import IdentityConfig
from unora_identity.domain.exports import STEPS
from unora_identity.jobs.exports import ARCHIVE_BATCH
from unora_identity.providers.machine_clock import machine_now
from unora_identity.providers.parts_upload import PartsUpload, begin_upload
from unora_identity.resources import Resources
from unora_identity.store import exports
from unora_identity.use_cases import export_archives
from unora_identity.use_cases.export_archives import delete_archives, make_next_archive
from unora_testing.world import World

from tests.integration.identity.archives import Exporters, objects, open_uploads
from tests.integration.identity.objects import fetch
from tests.integration.identity.people import People, Signed, picture
from tests.support import refusal

pytestmark = pytest.mark.rule("ID-10")


@pytest.fixture
def exporters(world: World) -> Exporters:
    return Exporters(world)


def prefix_of(signed: Signed) -> str:
    return f"exports/{signed.member.id}/"


async def key_of(signed: Signed, exporters: Exporters) -> str:
    return f"{prefix_of(signed)}{(await exporters.get(signed)).export.export_id}.zip"


async def test_many_processes_make_an_archive_once(world: World, people: People, exporters: Exporters) -> None:
    signed = await people.sign_in()
    await exporters.ask(signed)
    made = await asyncio.gather(*(make_next_archive(world.apps["identity"].runtime) for _ in range(6)))
    assert sorted(made) == [0, 0, 0, 0, 0, 1]
    assert (await exporters.get(signed)).export.state == EXPORT_STATE_READY


class Killed(BaseException):
    """The process is gone: nothing that it has not stored is done, and no error is handled."""


class Killer:
    """Lets so many steps pass, and kills before the next one."""

    def __init__(self, steps: int) -> None:
        self.left = steps

    def patch(self, patch: pytest.MonkeyPatch) -> None:
        for owner, name in (
            (export_archives, "begin_upload"),
            (export_archives, "abort_uploads"),
            (exports, "renew"),
            (exports, "finish"),
            (PartsUpload, "add"),
            (PartsUpload, "complete"),
        ):
            patch.setattr(owner, name, self._counted(getattr(owner, name)))

    def _counted(self, step: Any) -> Any:
        async def counted(*arguments: Any, **options: Any) -> Any:
            if self.left == 0:
                raise Killed
            self.left -= 1
            return await step(*arguments, **options)

        return counted


async def test_it_goes_on_after_a_kill_at_any_step_and_leaves_nothing_behind(
    world: World, people: People, exporters: Exporters, monkeypatch: pytest.MonkeyPatch
) -> None:
    store = people.resources.photo_store
    for steps in range(100):
        signed = await people.sign_in()
        await exporters.ask(signed)
        with monkeypatch.context() as patch:
            Killer(steps).patch(patch)
            try:
                await make_next_archive(world.apps["identity"].runtime)
            except Killed:
                killed = True
            else:
                killed = False
        assert await make_next_archive(world.apps["identity"].runtime) == 0, "its claim holds as long as it may live"
        await exporters.lose_claims()
        await world.drain()
        assert (await exporters.archive(signed)).testzip() is None
        assert await objects(store, prefix_of(signed)) == [await key_of(signed, exporters)]
        assert await open_uploads(store, prefix_of(signed)) == []
        if not killed:
            break
    assert steps > STEPS, "too few steps were killed"
    assert not killed


async def test_a_process_that_lost_its_claim_does_not_disturb_the_one_that_has_it(
    world: World, people: People, exporters: Exporters, monkeypatch: pytest.MonkeyPatch
) -> None:
    signed = await people.sign_in()
    await exporters.ask(signed)
    runtime = world.apps["identity"].runtime
    slow, go_on = asyncio.Event(), asyncio.Event()
    add = PartsUpload.add

    async def held(self: PartsUpload, part: bytes) -> None:
        if not slow.is_set():
            slow.set()
            await go_on.wait()
        await add(self, part)

    monkeypatch.setattr(PartsUpload, "add", held)
    first = asyncio.create_task(make_next_archive(runtime))
    await slow.wait()
    await exporters.lose_claims()
    await make_next_archive(runtime)
    ready = (await exporters.get(signed)).export
    assert ready.state == EXPORT_STATE_READY
    go_on.set()
    with pytest.raises(Exception):  # noqa: B017, PT011  # its upload is gone; whatever it raises, a job reports
        await first
    assert (await exporters.get(signed)).export == ready
    assert (await exporters.archive(signed)).testzip() is None


@pytest.mark.parametrize(
    "end", ["DELETE FROM identity.exports", "UPDATE identity.exports SET kept_until = clock_timestamp()"]
)
@pytest.mark.parametrize("step", ["add", "complete"])
async def test_an_export_that_ends_while_it_is_made_leaves_nothing(
    world: World, people: People, exporters: Exporters, monkeypatch: pytest.MonkeyPatch, step: str, end: str
) -> None:
    """As when the member's account is erased meanwhile."""
    signed = await people.sign_in()
    await exporters.ask(signed)
    taken = getattr(PartsUpload, step)

    async def ended(self: PartsUpload, *arguments: Any) -> None:
        await taken(self, *arguments)
        await world.superuser.execute(f"{end} WHERE user_id = $1", signed.member.user)

    monkeypatch.setattr(PartsUpload, step, ended)
    await make_next_archive(world.apps["identity"].runtime)
    monkeypatch.undo()
    assert await objects(people.resources.photo_store, prefix_of(signed)) == []
    assert await open_uploads(people.resources.photo_store, prefix_of(signed)) == []
    await exporters.lose_claims()
    assert await make_next_archive(world.apps["identity"].runtime) == 0
    await world.drain()
    assert await people.rows("exports", user_id=signed.member.user) == []


async def test_a_context_that_does_not_answer_delays_an_archive_and_is_not_counted(
    world: World, people: People, exporters: Exporters, monkeypatch: pytest.MonkeyPatch
) -> None:
    signed = await people.sign_in()
    await exporters.ask(signed)

    async def silent(*_: object) -> None:
        raise Unavailable

    with monkeypatch.context() as patch:
        patch.setattr(export_archives, "export_member", silent)
        for _ in range(7):
            await exporters.lose_claims()
            with pytest.raises(Unavailable):
                await make_next_archive(world.apps["identity"].runtime)
    assert (await exporters.get(signed)).export.state == EXPORT_STATE_MAKING
    assert await make_next_archive(world.apps["identity"].runtime) == 0, "the next try waits a moment"
    await exporters.lose_claims()
    await world.drain()
    assert (await exporters.get(signed)).export.state == EXPORT_STATE_READY


async def test_an_archive_that_cannot_be_made_fails_after_five_tries_and_can_be_asked_for_again(
    world: World, people: People, exporters: Exporters, monkeypatch: pytest.MonkeyPatch
) -> None:
    signed = await people.sign_in()
    failed = (await exporters.ask(signed)).export

    async def broken(*_: object) -> None:
        raise ValueError("not a row")

    with monkeypatch.context() as patch:
        patch.setattr(export_archives, "export_member", broken)
        for _ in range(5):
            await exporters.lose_claims()
            with pytest.raises(ValueError, match="not a row"):
                await make_next_archive(world.apps["identity"].runtime)
        await exporters.lose_claims()
        assert await make_next_archive(world.apps["identity"].runtime) == 1
    got = await exporters.get(signed)
    assert (got.export.state, got.link, got.sign_in_needed) == (EXPORT_STATE_FAILED, "", False)
    assert await open_uploads(people.resources.photo_store, prefix_of(signed)) == []
    assert (await exporters.ask(signed)).export.export_id != failed.export_id
    await world.drain()
    assert (await exporters.get(signed)).export.state == EXPORT_STATE_READY


async def test_one_that_was_not_made_in_its_time_has_failed_when_the_next_is_asked_for(
    world: World, people: People, exporters: Exporters
) -> None:
    """As when the object store cannot be reached for a week: nothing is made, and nothing deleted."""
    signed = await people.sign_in()
    over = (await exporters.ask(signed)).export
    await world.superuser.execute(
        "UPDATE identity.exports SET kept_until = clock_timestamp() - interval '1 minute' WHERE user_id = $1",
        signed.member.user,
    )
    assert (await refusal(exporters.get(signed))).reason == "EXPORT_NOT_FOUND"
    answers = await asyncio.gather(*(exporters.ask(signed) for _ in range(4)))
    (new,) = {each.export.export_id for each in answers}
    assert new != over.export_id
    states = {str(row["id"]): row["state"] for row in await people.rows("exports", user_id=signed.member.user)}
    assert states == {over.export_id: "failed", new: "making"}
    await world.drain()
    got = (await exporters.get(signed)).export
    assert (got.export_id, got.state) == (new, EXPORT_STATE_READY)
    assert await objects(people.resources.photo_store, prefix_of(signed)) == [await key_of(signed, exporters)]
    assert [str(row["id"]) for row in await people.rows("exports", user_id=signed.member.user)] == [new]


async def test_who_is_making_one_whose_time_ends_completes_it_no_more(
    world: World, people: People, exporters: Exporters, monkeypatch: pytest.MonkeyPatch
) -> None:
    signed = await people.sign_in()
    await exporters.ask(signed)
    complete = PartsUpload.complete

    async def late(self: PartsUpload, *arguments: Any) -> None:
        await world.superuser.execute(
            "UPDATE identity.exports SET kept_until = clock_timestamp() WHERE user_id = $1", signed.member.user
        )
        await exporters.ask(signed)
        await complete(self, *arguments)

    with monkeypatch.context() as patch:
        patch.setattr(PartsUpload, "complete", late)
        await make_next_archive(world.apps["identity"].runtime)
    assert (await exporters.get(signed)).export.state == EXPORT_STATE_MAKING
    assert await objects(people.resources.photo_store, prefix_of(signed)) == []
    await world.drain()
    assert (await exporters.archive(signed)).testzip() is None


async def test_a_photo_that_is_deleted_meanwhile_is_left_out(
    world: World, people: People, exporters: Exporters
) -> None:
    signed = await people.ready()
    rows = await people.rows("photos", user_id=signed.member.user)
    await people.resources.photo_store.delete(rows[0]["object_key"])
    await exporters.ask(signed)
    await world.drain()
    archive = await exporters.archive(signed)
    assert f"photos/{rows[0]['id']}.jpg" not in archive.namelist()
    assert f"photos/{rows[1]['id']}.jpg" in archive.namelist()


async def test_an_archive_is_deleted_after_a_week_with_whatever_a_crash_left(
    world: World, people: People, exporters: Exporters
) -> None:
    store = people.resources.photo_store
    runtime: Runtime[IdentityConfig, Resources] = world.apps["identity"].runtime
    signed = await people.sign_in()
    await exporters.ask(signed)
    await world.drain()
    link = (await exporters.get(signed)).link
    left = await begin_upload(store, await key_of(signed, exporters), content_type="application/zip")
    await left.add(picture(0))

    def later(days: float) -> Runtime[IdentityConfig, Resources]:
        ahead = replace(runtime.resources, machine_now=lambda: machine_now() + timedelta(days=days))
        return replace(runtime, resources=ahead)

    assert await delete_archives(later(6.9), ARCHIVE_BATCH) == 0
    assert (await fetch(link))[0] == 200
    while await delete_archives(later(7.1), ARCHIVE_BATCH):
        pass  # those of other members too
    assert (await fetch(link))[0] == 404
    assert await open_uploads(store, prefix_of(signed)) == []
    assert (await refusal(exporters.get(signed))).reason == "EXPORT_NOT_FOUND"
