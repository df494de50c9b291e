"""What a person at the keyboard means by the name of a method or an event."""

from __future__ import annotations

import pytest
from unora_local.keyboard import contract, tail
from unora_local.keyboard.names import outer, short, shortest
from unora_local.mistakes import Mistake


@pytest.mark.parametrize(
    "asked",
    [
        "CheckIn",
        "checkin",
        "check_in",
        "streak.CheckIn",
        "StreakService/CheckIn",
        "StreakService.checkin",
        "streak.v1.StreakService/CheckIn",
        "unora.streak.v1.StreakService/CheckIn",
        "/unora.streak.v1.StreakService/CheckIn",
    ],
)
def test_a_method_is_found_by_its_full_name_or_the_end_of_it(asked: str) -> None:
    assert contract.method_named(asked).path == "/unora.streak.v1.StreakService/CheckIn"


def test_every_method_and_every_event_is_found_by_its_shortest_name_and_by_its_full_one() -> None:
    for name, policy in contract.methods().items():
        assert contract.method_named(name) is policy
    for name in shortest(contract.methods()):
        assert short(contract.method_named(name).path) == short(name)
    for name, kind in contract.events().items():
        assert contract.event_named(name) is kind
    for subject, kind in contract.by_subject().items():
        assert contract.event_named(subject) is kind
    assert all(contract.event_named(name) in contract.events().values() for name in shortest(contract.events()))


def test_an_unknown_name_suggests_those_that_are_near() -> None:
    with pytest.raises(Mistake, match=r"no method is called GetAcount; near it: GetAccount"):
        contract.method_named("GetAcount")
    with pytest.raises(Mistake, match=r"no event is called streak\.chekedin; near it: CheckedIn"):
        contract.event_named("streak.chekedin")
    with pytest.raises(Mistake, match=r"^no method is called xyzzyxyzzy$"):
        contract.method_named("xyzzyxyzzy")


@pytest.mark.parametrize("asked", ["", "/", ".", "unora"])
def test_a_name_that_says_nothing_is_refused(asked: str) -> None:
    with pytest.raises(Mistake):
        contract.method_named(asked)


def test_of_several_methods_of_a_name_the_context_or_the_caller_says_which() -> None:
    with pytest.raises(Mistake, match=r"ExportMember can be .*streak\.ExportMember"):
        contract.method_named("ExportMember")
    assert contract.method_named("streak.ExportMember").path.startswith("/unora.streak.")
    with pytest.raises(Mistake, match="ExportMember can be"):
        contract.method_named("ExportMember", "identity")  # it may call all of them


def test_the_outer_name_is_the_context_and_the_last_word() -> None:
    assert outer("/unora.streak.v1.StreakService/CheckIn") == "streak.CheckIn"
    assert outer("unora.streak.v1.CheckedIn") == "streak.CheckedIn"


def test_tail_listens_to_all_events_or_to_those_that_are_named() -> None:
    assert tail.subjects([]) == ["unora.*.v1.>"]
    asked = ["CheckedIn", "CheckedIn", "matching.connection_formed"]
    assert tail.subjects(asked) == ["unora.streak.v1.checked_in", "unora.matching.v1.connection_formed"]
