"""What a context may do on NATS, as it stands in the server's configuration."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest
from unora_common.config import CONTEXTS
from unora_common.declarations import consumed_subjects
from unora_common.stream_settings import DEAD_LETTERS
from unora_common.streams import durables
from unora_local.nats_config import Tls, permissions, services_of, write
from unora_local.subscribers import Subscriber, read
from unora_local.subscribers import write as keep

FORMED = "unora.matching.v1.connection_formed"
READS = consumed_subjects(CONTEXTS)


def written(folder: Path, *, accounts: tuple[str, ...] = (), others: tuple[Subscriber, ...] = ()) -> dict[str, Any]:
    file = folder / "nats.conf"
    passwords = dict.fromkeys((*CONTEXTS, "admin"), "secret")
    tls = Tls(folder / "ca.pem", folder / "cert.pem", folder / "key.pem")
    write(
        file,
        port=1,
        monitoring_port=2,
        store=folder,
        passwords=passwords,
        reads=READS,
        tls=tls,
        accounts=accounts,
        subscribers=others,
    )
    found: dict[str, Any] = json.loads(file.read_text())
    return found


def test_a_context_publishes_only_on_its_own_subjects() -> None:
    publish = permissions("streak", [])["publish"]["allow"]
    assert set(publish) == {
        "unora.streak.v1.*",
        "unora.streak.again.*.*",
        "$JS.API.CONSUMER.NAMES.unora_streak",
        "dead.streak.*",
        "wake.streak",
    }
    assert permissions("streak", [])["subscribe"]["allow"] == ["_INBOX.streak.>", "wake.streak"]


def test_a_context_only_takes_from_the_consumers_that_the_platform_made() -> None:
    name = "streak__connection_formed"
    publish = set(permissions("streak", [FORMED])["publish"]["allow"]) - set(
        permissions("streak", [])["publish"]["allow"]
    )
    assert publish == {
        f"$JS.{what}"
        for stream, consumer in (("unora_matching", name), ("dead_letters", f"{name}__replay"))
        for what in (
            f"API.CONSUMER.INFO.{stream}.{consumer}",
            f"API.CONSUMER.MSG.NEXT.{stream}.{consumer}",
            f"ACK.{stream}.{consumer}.>",
        )
    }


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


def test_only_the_administrator_enters_the_account_with_the_streams(tmp_path: Path) -> None:
    accounts = written(tmp_path)["accounts"]
    assert set(accounts) == {"unora", *CONTEXTS}
    assert [user["user"] for user in accounts["unora"]["users"]] == ["admin"]
    for context in CONTEXTS:
        (user,) = accounts[context]["users"]
        assert user["user"] == context
        assert user["permissions"] == permissions(context, READS[context])
        assert "jetstream" not in accounts[context]
        assert "exports" not in accounts[context]


def test_an_account_imports_what_its_user_may_ask_and_each_export_is_for_one_account(tmp_path: Path) -> None:
    accounts = written(tmp_path)["accounts"]
    exported = {each["service"]: each.get("accounts") for each in accounts["unora"]["exports"]}
    assert len(exported) == len(accounts["unora"]["exports"])
    for context in CONTEXTS:
        imported = {each["service"]["subject"] for each in accounts[context]["imports"]} - {"$JS.API.INFO"}
        allowed = set(permissions(context, READS[context])["publish"]["allow"])
        assert imported == allowed - {f"wake.{context}"}
        assert {subject for subject, to in exported.items() if to == [context]} == imported
        assert "$JS.API.INFO" not in allowed
    assert exported["$JS.API.INFO"] is None


def test_the_server_speaks_only_tls_and_asks_for_a_certificate(tmp_path: Path) -> None:
    tls = written(tmp_path)["tls"]
    assert (tls["verify"], tls["handshake_first"], tls["min_version"]) == (True, True, "1.3")
    assert tls["ca_file"] == str(tmp_path / "ca.pem")


def test_each_worker_of_a_test_run_has_accounts_and_users_of_its_own(tmp_path: Path) -> None:
    accounts = written(tmp_path, accounts=("w0", "w1"))["accounts"]
    assert set(accounts) == {name for worker in ("w0", "w1") for name in (worker, *(f"{worker}-{c}" for c in CONTEXTS))}
    assert [user["user"] for user in accounts["w1"]["users"]] == ["w1-admin"]
    assert [user["user"] for user in accounts["w1-streak"]["users"]] == ["w1-streak"]
    assert {each["service"]["account"] for each in accounts["w1-streak"]["imports"]} == {"w1"}


PUSH = Subscriber("push", "its secret", ("unora.streak.v1.checked_in", FORMED))


def test_a_subscriber_may_take_from_its_own_consumers_and_nothing_else(tmp_path: Path) -> None:
    found = written(tmp_path, others=(PUSH,))["accounts"]
    (user,) = found["push"]["users"]
    asked = {
        f"$JS.{what}"
        for stream, consumer in (("unora_streak", "push__checked_in"), ("unora_matching", "push__connection_formed"))
        for what in (
            f"API.CONSUMER.INFO.{stream}.{consumer}",
            f"API.CONSUMER.MSG.NEXT.{stream}.{consumer}",
            f"API.CONSUMER.RESET.{stream}.{consumer}",
            f"ACK.{stream}.{consumer}.>",
        )
    }
    assert (user["user"], user["password"]) == ("push", "its secret")
    assert user["permissions"] == {"publish": {"allow": services_of(PUSH)}, "subscribe": {"allow": ["_INBOX.push.>"]}}
    assert set(services_of(PUSH)) == asked
    assert {each["service"]["subject"] for each in found["push"]["imports"]} == asked | {"$JS.API.INFO"}
    assert {each["service"] for each in found["unora"]["exports"] if each.get("accounts") == ["push"]} == asked
    assert found["push"]["limits"] == {"max_connections": 20, "max_subscriptions": 200, "max_payload": 4096}
    without = written(tmp_path)["accounts"]
    assert {context: found[context] for context in CONTEXTS} == {context: without[context] for context in CONTEXTS}


@pytest.mark.rule("MA-10")
def test_a_subscriber_may_not_read_interests() -> None:
    with pytest.raises(ValueError, match="may not read interests"):
        services_of(Subscriber("push", "", ("unora.matching.v1.interest_sent",)))


def test_subscribers_are_kept_in_a_file(tmp_path: Path) -> None:
    file = tmp_path / "subscribers.json"
    assert read(file) == []
    keep(file, [PUSH])
    assert read(file) == [PUSH]
    assert file.stat().st_mode & 0o077 == 0


@pytest.mark.rule("MA-10")
def test_a_consumer_reads_its_events_and_what_is_published_again_to_it_alone() -> None:
    """The second subject holds its own name, and no other events than the first."""
    found = [each for context in CONTEXTS for each in durables(context, READS[context])] + PUSH.durables()
    events = [each for each in found if each.stream != DEAD_LETTERS]
    assert len(events) > 50
    for each in events:
        first, again = each.filters
        assert first == each.subject
        _, context, _, event = first.split(".")
        assert again == f"unora.{context}.again.{each.name}.{'*' if event == '>' else event}"
    assert len({again for each in events for again in each.filters[1:]}) == len(events)
    assert all(each.filters == [each.subject] for each in found if each.stream == DEAD_LETTERS)
    readers = {each.name.partition("__")[0] for each in events if any("interest" in word for word in each.filters)}
    assert readers <= {"discovery", "safety"}
