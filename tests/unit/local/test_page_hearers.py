"""Who hears of which event through the page: two members, and a third whom nothing of theirs concerns."""

from __future__ import annotations

import json

import pytest
from google.protobuf.message import Message
from nats.aio.client import Client
from nats.aio.msg import Msg
from unora.billing.v1.events_pb2 import PaymentSucceeded
from unora.matching.v1.events_pb2 import ConnectionEnded, InterestsWiped
from unora.streak.v1.events_pb2 import CheckedIn, NudgeSent, RecoveryHeld, RecoveryReleased
from unora_local.keyboard import contract
from unora_local.page import heard
from unora_local.page.hearers import ALWAYS_WITHOUT, HEARERS, Known, Nobody, To
from unora_sdk.again import HEADER
from unora_sdk.names import subject_of

A, B, THIRD = "aaaa", "bbbb", "cccc"
OF_A_MEMBER = (
    *("user_id", "user_a_id", "sender_id", "breaker_user_id", "missing_user_id", "payer_id", "ended_by_id"),
    *("blocker_id", "reporter_id", "moderator_id"),
)
OF_THE_OTHER = ("user_b_id", "receiver_id", "partner_id", "blocked_id", "reported_id", "new_user_id")
EVENTS = sorted(contract.events())
SAID = {name: entry for name, entry in HEARERS.items() if isinstance(entry, To)}


def played(name: str) -> Message:
    """An event with every text filled in: the member A has done it, and it concerns B."""
    event = contract.events()[name]()
    for field in event.DESCRIPTOR.fields:
        if field.type == field.TYPE_STRING:
            value = A if field.name in OF_A_MEMBER else B if field.name in OF_THE_OTHER else f"some {field.name}"
            setattr(event, field.name, value)
    return event


async def asks(known: Known, identifier: str) -> frozenset[str]:
    """What the database would say."""
    return frozenset({A, B}) if known == "pair of connection" else frozenset({A})


def shown(event: Message, member: str) -> dict[str, object]:
    """What a member's page gets of it."""
    message = Msg(Client(), subject=subject_of(event), data=b"", headers={"ce-id": "1", "ce-time": "now"})
    lines = heard.frame(message, event, member).decode().splitlines()
    data: dict[str, object] = json.loads(lines[2].removeprefix("data: "))
    fields = data["event"]
    assert isinstance(fields, dict)
    return fields


def test_every_event_of_the_contract_has_an_entry_and_no_other() -> None:
    assert sorted(HEARERS) == EVENTS, "say in unora_local/page/hearers.py who hears of it"


@pytest.mark.parametrize("name", sorted(SAID))
def test_an_entry_names_fields_that_the_event_has(name: str) -> None:
    entry, fields = SAID[name], contract.events()[name].DESCRIPTOR.fields_by_name
    named = {*entry.members, *entry.without, *entry.private, *entry.private.values(), ALWAYS_WITHOUT}
    assert named | ({entry.by} if entry.asked else set()) <= set(fields)
    assert bool(entry.members) != bool(entry.asked)
    assert set(entry.private.values()) <= set(entry.members) | {"user_id", "breaker_user_id"}


@pytest.mark.parametrize("name", EVENTS)
async def test_no_event_reaches_a_third_and_what_is_for_nobody_reaches_nobody(name: str) -> None:
    hearers = await heard.hearers_of(played(name), asks)
    assert hearers <= {A, B}
    assert (hearers == frozenset()) == isinstance(HEARERS[name], Nobody)


@pytest.mark.parametrize("name", sorted(name for name, entry in SAID.items() if entry.members == ("user_id",)))
async def test_what_is_one_members_own_reaches_that_one_alone(name: str) -> None:
    assert await heard.hearers_of(played(name), asks) == {A}


@pytest.mark.rule("MA-10", "SA-02", "SA-03", "SA-07")
@pytest.mark.parametrize("name", [name for name in EVENTS if ".safety." in name or ".InterestS" in name])
async def test_blocks_reports_cases_and_interests_reach_nobody(name: str) -> None:
    assert await heard.hearers_of(played(name), asks) == frozenset()


@pytest.mark.parametrize("name", sorted(SAID))
async def test_no_page_gets_digests_versions_or_what_tells_who_ended_a_connection(name: str) -> None:
    event = played(name)
    for member in await heard.hearers_of(event, asks):
        kept = {"version", "phone_digest", "device_digest", "ended_by_id", "cause", "new_user_id"} & set(
            shown(event, member)
        )
        assert not kept


@pytest.mark.rule("MA-09", "MA-12")
async def test_an_ending_looks_the_same_to_both() -> None:
    event = played(ConnectionEnded.DESCRIPTOR.full_name)
    assert await heard.hearers_of(event, asks) == {A, B}
    assert shown(event, A) == shown(event, B)
    assert "acted_at" not in shown(event, A)


@pytest.mark.rule("MA-11", "MA-12", "SA-03")
async def test_a_wipe_does_not_count_the_interests_since_void_ones_are_not_among_them() -> None:
    event = InterestsWiped(user_id=A, version=7, wiped_count=2)
    assert await heard.hearers_of(event, asks) == {A}
    assert shown(event, A)["user_id"] == A
    assert "wiped_count" not in shown(event, A)


@pytest.mark.parametrize(("kind", "private"), [(CheckedIn, "effort_signal"), (NudgeSent, "payment_id")])
async def test_a_partner_gets_an_event_without_what_is_its_makers_own(kind: type[Message], private: str) -> None:
    event = played(kind.DESCRIPTOR.full_name)
    assert await heard.hearers_of(event, asks) == {A, B}
    assert private in shown(event, A)
    assert set(shown(event, A)) - set(shown(event, B)) == {private}


@pytest.mark.rule("ST-20")
@pytest.mark.parametrize("kind", [RecoveryHeld, RecoveryReleased, PaymentSucceeded])
async def test_a_payment_is_its_payers_own(kind: type[Message]) -> None:
    assert await heard.hearers_of(played(kind.DESCRIPTOR.full_name), asks) == {A}


def test_what_is_published_again_is_not_heard_again() -> None:
    event = CheckedIn(user_id=A)
    for headers, found in ((None, event), ({HEADER: "streak-notifier"}, None)):
        message = Msg(Client(), subject=subject_of(event), data=event.SerializeToString(), headers=headers)
        assert heard.read(message) == found


async def test_an_event_whose_members_are_unknown_reaches_nobody() -> None:
    async def nothing(known: Known, identifier: str) -> frozenset[str]:
        return frozenset()

    assert await heard.hearers_of(RecoveryReleased(payment_id="gone"), nothing) == frozenset()
    assert await heard.hearers_of(CheckedIn(), nothing) == frozenset()
