"""The saga of an erasure, as identity leads it (ID-09)."""

from __future__ import annotations

import asyncio
import contextlib
import io
from collections.abc import Sequence
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from unora.identity.v1.account_service_pb2 import CloseAccountRequest
from unora.identity.v1.events_pb2 import AccountErased, AccountErasureRequested
from unora_common.common_metrics import COMMON_METRICS
from unora_common.ids import uuid7
from unora_common.logs import logger
from unora_common.metrics import Metrics
from unora_identity.domain.erasures import SOURCES, Erasure
from unora_identity.jobs.erasures import ErasureJobs
from unora_identity.metrics import METRICS
from unora_identity.providers.photo_store import StoreUnavailable
from unora_identity.store import members
from unora_testing.world import World

from tests.integration.identity.people import People, Signed
from tests.measures import count, value
from tests.support import request_id

pytestmark = pytest.mark.rule("ID-09")
KEPT_FOR = timedelta(days=30)


@pytest.fixture
async def jobs(world: World) -> ErasureJobs:
    """The jobs of another replica."""
    return ErasureJobs(replica(world))


def replica(world: World) -> Any:
    """A runtime with metrics of its own."""
    return replace(world.apps["identity"].runtime, metrics=Metrics((*COMMON_METRICS, *METRICS)))


async def close(people: People, signed: Signed) -> None:
    await people.accounts.CloseAccount(CloseAccountRequest(request_id=request_id()), metadata=signed.metadata)


async def make_due(world: World, *closed: Signed) -> None:
    """The thirty days of these members alone are over."""
    await world.superuser.execute(
        "UPDATE identity.users SET erase_after = clock.now() - interval '1 minute' WHERE id = ANY ($1)",
        [each.member.user for each in closed],
    )


async def erasure_of(world: World, signed: Signed) -> Any:
    return await world.superuser.fetchrow("SELECT * FROM identity.erasures WHERE user_id = $1", signed.member.user)


async def account_of(world: World, signed: Signed) -> Any:
    return await world.superuser.fetchrow("SELECT * FROM identity.users WHERE id = $1", signed.member.user)


def test_an_erasure_is_done_with_the_last_of_eight_receipts_and_only_once() -> None:
    now = datetime(2026, 3, 1, tzinfo=UTC)
    erasure = Erasure(id=uuid7(), user_id=uuid7(), version=7)
    for source in SOURCES[:-1]:
        erasure = erasure.with_receipt(source, now)
        assert erasure.with_receipt(source, now) is erasure
        assert (erasure.erased_at, erasure.version) == (None, 7)
    done = erasure.with_receipt(SOURCES[-1], now)
    assert (done.erased_at, done.version) == (now, 8)
    assert done.with_receipt("streak", now + timedelta(days=1)) is done


async def test_an_account_is_erased_when_its_thirty_days_are_over_and_not_before(world: World, people: People) -> None:
    signed = await people.ready()
    await close(people, signed)
    await world.move_clock(KEPT_FOR - timedelta(minutes=1))
    assert (await account_of(world, signed))["deleted_at"] is None
    assert await erasure_of(world, signed) is None
    await world.move_clock(timedelta(minutes=2))
    assert await account_of(world, signed) is None
    erasure = await erasure_of(world, signed)
    assert sorted(erasure["receipts"]) == sorted(SOURCES)
    (asked,) = await world.events(AccountErasureRequested, signed.member.id)
    (erased,) = await world.events(AccountErased, signed.member.id)
    assert asked.erasure_id == erased.erasure_id == str(erasure["id"])
    assert erased.version == asked.version + 1


async def test_number_and_key_are_gone_from_the_first_moment_on(
    world: World, people: People, jobs: ErasureJobs
) -> None:
    number = people.number()
    signed = await people.sign_in(number)
    await close(people, signed)
    await make_due(world, signed)
    await jobs.begin_erasures()
    row = await account_of(world, signed)
    assert (row["phone_hash"], row["phone_sealed"], row["data_key"]) == (None, None, None)
    other = await people.sign_in(number)
    assert other.created
    assert other.member.id != signed.member.id
    await world.drain()
    assert await account_of(world, other) is not None


async def test_whoever_locks_the_account_first_decides_whether_it_is_opened_or_erased(
    world: World, people: People, jobs: ErasureJobs
) -> None:
    """As ReopenAccount does: it locks the member, and finds nobody once the erasure has begun."""
    signed = await people.sign_in()
    await close(people, signed)
    await make_due(world, signed)
    database = world.apps["identity"].database
    async with database.transaction() as tx:
        assert await members.lock(tx, signed.member.user) is not None
        assert await jobs.begin_erasures() == 0, "who is being opened again is left alone"
        await tx.run("UPDATE identity.users SET closed_at = NULL, erase_after = NULL WHERE id = $1", signed.member.user)
    assert await jobs.begin_erasures() == 0
    await world.superuser.execute(
        "UPDATE identity.users SET closed_at = clock.now(), erase_after = clock.now() WHERE id = $1", signed.member.user
    )
    assert await jobs.begin_erasures() == 1
    async with database.transaction() as tx:
        assert await members.lock(tx, signed.member.user) is None
    await world.drain()


async def test_two_replicas_begin_an_erasure_once(world: World, people: People) -> None:
    closed = [await people.sign_in() for _ in range(5)]
    for each in closed:
        await close(people, each)
    await make_due(world, *closed)
    replicas = [ErasureJobs(replica(world)) for _ in range(4)]
    done = await asyncio.gather(*(each.begin_erasures() for each in replicas))
    assert sum(done) == 5
    await world.drain()
    for each in closed:
        assert len(await world.events(AccountErasureRequested, each.member.id)) == 1
        assert len(await world.events(AccountErased, each.member.id)) == 1


async def test_all_objects_go_before_the_rows_that_name_them(
    world: World, people: People, jobs: ErasureJobs, monkeypatch: pytest.MonkeyPatch
) -> None:
    signed = await people.ready()
    await people.upload(signed, b"an upload that never became a photo")
    assert len(await objects(world, signed)) == 3 * 3 + 1
    await close(people, signed)
    await make_due(world, signed)
    store, deleted = world.apps["identity"].runtime.resources.photo_store, list[str]()
    delete = store.delete

    async def fails_midway(key: str) -> None:
        if len(deleted) == 4:
            raise StoreUnavailable
        deleted.append(key)
        await delete(key)

    monkeypatch.setattr(store, "delete", fails_midway)
    await world.drain()
    assert 0 < len(await objects(world, signed)) < 10
    erasure = await erasure_of(world, signed)
    assert set(erasure["receipts"]) == set(SOURCES) - {"objects", "identity"}
    assert await account_of(world, signed) is not None, "its rows say which objects are left"
    monkeypatch.setattr(store, "delete", delete)
    await world.drain()
    assert await objects(world, signed) == []
    assert await account_of(world, signed) is None
    assert (await erasure_of(world, signed))["erased_at"] is not None


async def test_an_object_that_comes_meanwhile_is_not_forgotten(world: World, people: People, jobs: ErasureJobs) -> None:
    """A photo is being sized as the erasure begins: its objects are recorded after those of the member were deleted."""
    signed = await people.sign_in()
    await close(people, signed)
    await make_due(world, signed)
    await jobs.begin_erasures()
    assert await jobs.erase_objects() >= 1
    offer = await world.superuser.fetchval(
        """INSERT INTO identity.photo_uploads (id, user_id, request_id, content_type, object_keys, expires_at)
           VALUES ($1, $2, $3, 'image/jpeg', ARRAY['photos/late'], clock_timestamp() + interval '1 hour')
           RETURNING id""",
        *(uuid7(), signed.member.user, uuid7()),
    )
    await world.drain()
    assert await account_of(world, signed) is not None
    await world.superuser.execute(
        "UPDATE identity.photo_uploads SET expires_at = clock_timestamp() - interval '2 hours' WHERE id = $1", offer
    )
    await world.drain()
    assert await account_of(world, signed) is None


async def test_who_owes_a_receipt_for_a_day_is_logged_and_counted_by_name(
    world: World, people: People, monkeypatch: pytest.MonkeyPatch
) -> None:
    signed = await people.sign_in()
    await close(people, signed)
    await make_due(world, signed)
    said = io.StringIO()
    with contextlib.redirect_stdout(said):
        watching = ErasureJobs(logged(replica(world)))

    async def nothing(*_: object) -> int:
        return 0

    stuck = next(each for each in world.apps["reveal"].jobs if each.name == "erase_members")
    with monkeypatch.context() as patch:
        patch.setattr(stuck, "_method", nothing)
        await world.drain()
    assert await overdue(world, "reveal") == 0
    await world.superuser.execute(
        "UPDATE identity.erasures SET noted_at = noted_at - interval '25 hours' WHERE user_id = $1", signed.member.user
    )
    await watching.watch_erasures()
    assert await overdue(world, "reveal") == 1
    assert await overdue(world, "streak") == 0
    assert '"source":"reveal"' in said.getvalue()
    await world.drain()
    assert await overdue(world, "reveal") == 0


def logged(runtime: Any) -> Any:
    return replace(runtime, log=logger("identity", "info"))


async def overdue(world: World, source: str) -> float | None:
    """How many erasures the metrics show for which this one owes a receipt."""
    app = world.apps["identity"]
    await count(app)
    return value(app, "unora_erasures_overdue", source=source)


async def objects(world: World, signed: Signed) -> Sequence[str]:
    """The objects of a member, by listing the store."""
    store = world.apps["identity"].runtime.resources.photo_store
    found = list[str]()
    for prefix in (f"uploads/{signed.member.id}/", f"photos/{signed.member.id}/"):
        listed = store.client.list_objects_v2(Bucket=store.bucket, Prefix=prefix)
        found += [each["Key"] for each in listed.get("Contents", [])]
    return found
