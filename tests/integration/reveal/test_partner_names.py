"""RE-13: once reveal 5 is open, lists show the partner's first name and thumbnail, under reveal 5's own conditions."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import pytest
from google.protobuf.message import Message
from unora.identity.v1.directory_service_pb2 import (
    GetPartnerNamesRequest,
    GetPartnerNamesResponse,
    PartnerToName,
)
from unora.identity.v1.directory_service_pb2_grpc import DirectoryServiceStub
from unora.matching.v1.pair_service_pb2 import GetPairRequest
from unora.reveal.v1.reveal_service_pb2 import ListPartnerNamesRequest, PartnerName
from unora.safety.v1.restriction_service_pb2 import GetBlockRequest
from unora_common.errors import Unavailable
from unora_common.ids import uuid7
from unora_testing.world import Caller, World

from tests.integration.reveal.reveal_pair import (
    NAME,
    RevealPair,
    insert_connection,
    insert_member,
    insert_photo,
    make_reveal_pair,
)
from tests.support import as_uuid, refusal

FIRST_NAME = NAME.split()[0]


async def names(world: World, viewer: Caller, pair: RevealPair) -> Sequence[PartnerName]:
    answer = await pair.reveals.ListPartnerNames(ListPartnerNamesRequest(), metadata=viewer.metadata)
    return answer.partners


@pytest.fixture
async def pair(world: World) -> RevealPair:
    """They have completed Day 15, and nobody has opened reveal 5."""
    made = await make_reveal_pair(world)
    await made.apply(made.day_completed(14))
    await world.publish(made.streak_completed())
    return made


async def another(world: World, a: Caller) -> RevealPair:
    """Another partner of a, with whom Day 15 is completed."""
    one, other = sorted([a, await insert_member(world, "Zoë Quill")], key=lambda each: each.user)
    made = RevealPair(world, one, other, uuid7(), uuid7())
    await insert_connection(world, made.connection_id, one, other)
    await made.apply(made.streak_started())
    await world.publish(made.streak_completed())
    return made


@pytest.mark.rule("RE-13", "RE-03")
async def test_who_has_opened_reveal_5_and_nobody_else_sees_the_first_name_and_a_thumbnail(
    world: World, pair: RevealPair
) -> None:
    assert list(await names(world, pair.a, pair)) == []
    opened = await pair.open(pair.a, 5)
    (seen,) = await names(world, pair.a, pair)
    assert (seen.streak_id, seen.connection_id) == (str(pair.streak_id), str(pair.connection_id))
    assert seen.first_name == FIRST_NAME
    assert seen.thumbnail_url.partition("?")[0] == opened.identity.photos[0].thumbnail_url.partition("?")[0]
    assert seen.HasField("url_expires_at")
    assert list(await names(world, pair.b, pair)) == []


@pytest.mark.rule("RE-13")
async def test_all_partners_come_in_one_call_in_the_order_of_their_openings(world: World, pair: RevealPair) -> None:
    other = await another(world, pair.a)
    await pair.open(pair.a, 5)
    await other.open(pair.a, 5)
    seen = await names(world, pair.a, pair)
    assert [(each.first_name, each.streak_id) for each in seen] == [
        (FIRST_NAME, str(pair.streak_id)),
        ("Zoë", str(other.streak_id)),
    ]


@pytest.mark.rule("RE-13", "RE-10", "XX-04")
@pytest.mark.parametrize("end", ["ended in matching", "blocked", "blocked by the viewer", "event of the end"])
async def test_an_end_or_a_block_that_any_context_knows_of_hides_the_name_at_once(
    world: World, pair: RevealPair, end: str
) -> None:
    other = await another(world, pair.a)
    await pair.open(pair.a, 5)
    await other.open(pair.a, 5)
    match end:
        case "ended in matching":
            await pair.end_in_matching()
        case "blocked":
            await pair.block(pair.b)
        case "blocked by the viewer":
            await pair.block(pair.a)
        case _:
            await pair.apply(pair.connection_ended())
    assert [each.first_name for each in await names(world, pair.a, pair)] == ["Zoë"]


@pytest.mark.rule("RE-04", "RE-13")
async def test_identity_names_nobody_without_its_own_record(world: World, pair: RevealPair) -> None:
    await pair.open(pair.a, 5)
    directory = world.stub(DirectoryServiceStub, "identity", "reveal")

    async def ask(viewer: Caller, subject: Caller, streak: object = pair.streak_id) -> GetPartnerNamesResponse:
        asked = PartnerToName(streak_id=str(streak), subject_id=subject.id)
        return await directory.GetPartnerNames(GetPartnerNamesRequest(viewer_id=viewer.id, partners=[asked]))

    (named,) = (await ask(pair.a, pair.b)).names
    assert (named.first_name, named.thumbnail_url) == (FIRST_NAME, "")  # no photo was said to have been shown
    stranger = await insert_member(world)
    for viewer, subject, streak in (
        (stranger, pair.b, pair.streak_id),
        (pair.a, stranger, pair.streak_id),
        (pair.a, pair.a, pair.streak_id),
        (pair.a, pair.b, uuid7()),
    ):
        assert list((await ask(viewer, subject, streak)).names) == []


@pytest.mark.rule("RE-12", "RE-13")
async def test_a_photo_that_the_reveal_has_not_shown_is_not_shown_by_a_list(world: World, pair: RevealPair) -> None:
    opened = await pair.open(pair.a, 5)
    photos = [as_uuid(each.photo_id) for each in opened.identity.photos]
    await world.superuser.execute("UPDATE identity.photos SET deleted_at = clock.now() WHERE id = $1", photos[0])
    new = await insert_photo(world, pair.b, 1)
    (seen,) = await names(world, pair.a, pair)
    assert str(photos[1]) in seen.thumbnail_url
    assert str(new) not in seen.thumbnail_url
    await world.superuser.execute(
        "UPDATE identity.photos SET deleted_at = clock.now() WHERE id = ANY ($1::uuid[])", photos[1:]
    )
    (seen,) = await names(world, pair.a, pair)
    assert (seen.first_name, seen.thumbnail_url, seen.HasField("url_expires_at")) == (FIRST_NAME, "", False)
    await pair.open(pair.a, 5)
    (seen,) = await names(world, pair.a, pair)
    assert str(new) in seen.thumbnail_url


@pytest.mark.rule("RE-10", "RE-13")
@pytest.mark.parametrize("silent", [GetPairRequest, GetBlockRequest])
async def test_without_the_answer_of_matching_and_safety_nobody_is_named(
    world: World, pair: RevealPair, silent: type[Message], monkeypatch: pytest.MonkeyPatch
) -> None:
    await pair.open(pair.a, 5)
    clients = world.apps["identity"].clients
    call = clients.call

    async def answer(method: Any, request: Message) -> Any:
        if isinstance(request, silent):
            raise Unavailable
        return await call(method, request)

    monkeypatch.setattr(clients, "call", answer)
    assert (await refusal(names(world, pair.a, pair))).code == "UNAVAILABLE"
