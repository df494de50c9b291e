"""The permissions of a context on NATS."""

import json
from pathlib import Path

import pytest
from unora_local.nats_config import permissions, write

FORMED = "unora.matching.v1.connection_formed"


def test_a_context_publishes_only_on_its_own_subjects() -> None:
    publish = permissions("streak", [])["publish"]["allow"]
    assert set(publish) == {
        "unora.streak.>",
        "dead.streak.>",
        "wake.streak",
        "$JS.API.INFO",
        "$JS.API.STREAM.INFO.unora_streak",
    }
    assert permissions("streak", [])["subscribe"]["allow"] == ["_INBOX.streak.>", "wake.streak"]


def test_a_consumer_is_bound_to_its_name_and_subject() -> None:
    publish = permissions("streak", [FORMED])["publish"]["allow"]
    assert f"$JS.API.CONSUMER.CREATE.unora_matching.streak__connection_formed.{FORMED}" in publish
    assert "$JS.API.CONSUMER.MSG.NEXT.unora_matching.streak__connection_formed" in publish
    replay = "streak__connection_formed__replay"
    assert f"$JS.API.CONSUMER.CREATE.dead_letters.{replay}.dead.streak.streak__connection_formed" in publish
    assert not any("*" in subject for subject in publish)


@pytest.mark.rule("MA-10")
@pytest.mark.parametrize("subject", ["unora.matching.v1.interest_sent", "unora.matching.v1.>"])
def test_only_discovery_and_safety_may_read_interests(subject: str) -> None:
    for context in ("discovery", "safety"):
        permissions(context, [subject])
    for context in ("identity", "matching", "streak", "reveal"):
        with pytest.raises(ValueError, match="may not read interests"):
            permissions(context, [subject])


@pytest.mark.parametrize(
    "subject", ["unora.>", "unora.*.v1.x", "unora.matching.v1.*", "other.matching.v1.x", "unora.a.v1"]
)
def test_a_subject_that_permissions_cannot_express_is_refused(subject: str) -> None:
    with pytest.raises(ValueError, match="neither an event"):
        permissions("safety", [subject])


def test_accounts_have_users_of_their_own(tmp_path: Path) -> None:
    file = tmp_path / "nats.conf"
    passwords = {"streak": "a", "admin": "b"}
    write(file, port=1, store=tmp_path, passwords=passwords, reads={}, accounts=["w0", "w1"])
    accounts = json.loads(file.read_text())["accounts"]
    assert [user["user"] for user in accounts["w1"]["users"]] == ["w1-streak", "w1-admin"]
    assert "permissions" not in accounts["w1"]["users"][1]
    write(file, port=1, store=tmp_path, passwords=passwords, reads={})
    assert [user["user"] for user in json.loads(file.read_text())["accounts"]["unora"]["users"]] == ["streak", "admin"]
