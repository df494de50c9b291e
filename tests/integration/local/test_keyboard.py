"""The tools at the keyboard, as a person types them, on a stack of real processes in a folder whose name has spaces."""

from __future__ import annotations

import asyncio
import io
import json
import os
import signal
import subprocess
from collections.abc import Iterator
from contextlib import contextmanager, redirect_stderr, redirect_stdout
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any
from uuid import uuid4

import pytest
from nats.errors import Error as NatsError
from nats.js.errors import ServiceUnavailableError
from unora_common.streams import MAX_ACK_PENDING_OUTSIDE
from unora_local.cli import main
from unora_local.clock import Clock
from unora_local.env import Env
from unora_local.keyboard.people import Login, People
from unora_testing import invariants
from unora_testing.deadlines import GENEROUS, eventually, wait_until, within

from tests.e2e.stack import Stack
from tests.integration.local.outside import connected, hold, pull_of, refusals, refusing, subscriber, take
from tests.support import run_apart

SEEDED = 8
SEED_WITHIN = 5 * GENEROUS
NUMBER = "+14155550123"
pytestmark = pytest.mark.usefixtures("stack")


class Keyboard(Stack):
    """A stack, and what one types on it."""

    def type(self, *words: str, typed: str = "", **variables: str) -> subprocess.CompletedProcess[str]:
        """Run a command in this process: a new one for each would take most of the time."""
        out, told = io.StringIO(), io.StringIO()
        with pytest.MonkeyPatch.context() as patch, redirect_stdout(out), redirect_stderr(told):
            patch.setenv("TOKEN", variables.get("TOKEN", ""))
            patch.setattr("sys.stdin", io.StringIO(typed))
            status = main(["--run", str(self.folder.path), *words])
        return subprocess.CompletedProcess(words, status, out.getvalue(), told.getvalue())

    def says(self, *words: str, typed: str = "", **variables: str) -> str:
        """What a command prints that works."""
        done = self.type(*words, typed=typed, **variables)
        assert done.returncode == 0, done.stderr
        return done.stdout

    def call(self, method: str, member: str | None = None, **fields: Any) -> Any:
        who = ["--as", member] if member else []
        return json.loads(self.says("call", method, json.dumps(fields), *who))

    def refuses(self, *words: str, **variables: str) -> str:
        """What a command prints that does not work: nothing to standard output, exit status 1, no traceback."""
        done = self.type(*words, **variables)
        assert (done.returncode, done.stdout) == (1, ""), done.stdout
        assert "Traceback" not in done.stderr
        return done.stderr

    @contextmanager
    def tail(self, *events: str) -> Iterator[Path]:
        """The file of what `tail` prints; it ends by Ctrl-C, cleanly."""
        out, told = self.output.with_name("tail"), self.output.with_name("told")
        with out.open("w") as lines, told.open("w") as errors:
            process = subprocess.Popen(
                self.command("tail", *events),
                stdout=lines,
                stderr=errors,
                preexec_fn=lambda: signal.signal(signal.SIGINT, signal.default_int_handler),
            )
        try:
            wait_until(lambda: "events from now on" in told.read_text(), told.read_text)
            yield out
        finally:
            process.send_signal(signal.SIGINT)
            assert process.wait(GENEROUS) == 130
        assert "Traceback" not in told.read_text()

    @property
    def people(self) -> dict[str, Login]:
        return People(self.folder.path).all()

    def couples(self) -> list[Login]:
        """One of each couple."""
        return [login for login in self.people.values() if login.partner and login.login < login.partner]

    def streak(self, login: str) -> Any:
        (streak,) = self.call("GetDashboard", login)["streaks"]
        return streak

    def completed_days(self) -> dict[str, int]:
        """Of each member of a couple."""
        partners = [login for login, its in self.people.items() if its.partner]
        return {login: self.streak(login)["completed_days"] for login in partners}

    def check_in(self, login: str) -> None:
        self.call("CheckIn", login, streak_id=self.streak(login)["streak_id"], effort_signal="high")

    def moment(self, shown: str) -> datetime:
        """The time that `clock` shows."""
        return datetime.strptime(shown.partition(" UTC")[0], "%Y-%m-%d %H:%M:%S").replace(tzinfo=UTC)

    def who_can_check_in(self) -> list[str]:
        partners = [login for login, its in self.people.items() if its.partner]
        return [login for login in partners if "STREAK_ACTION_CHECK_IN" in self.streak(login)["actions"]]


@pytest.fixture(scope="module")
def stack(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Keyboard]:
    made = Keyboard(tmp_path_factory.mktemp("a stack with spaces") / "the run")
    try:
        with made.up():
            said = made.says("seed", str(SEEDED))
            assert f"{SEEDED} of {SEEDED}" in said
            yield made
    finally:
        made.run("clean")


def test_seed_makes_members_ready_for_everything_some_in_the_middle_of_a_streak(stack: Keyboard) -> None:
    login = stack.couples()[0]
    assert stack.call("GetOnboarding", login.login)["discovery_ready"] is True
    photos = stack.call("ListPhotos", login.login)["photos"]
    assert len(photos) == 3
    assert any(photo["has_face"] for photo in photos)
    streak = stack.streak(login.login)
    assert streak["completed_days"] >= 3
    assert (streak["state"], streak["partner_id"]) == ("STREAK_STATE_ACTIVE", stack.people[login.partner].user_id)
    assert stack.who_can_check_in()
    alone = [login for login in stack.people.values() if not login.partner]
    assert alone
    assert stack.call("GetDashboard", alone[0].login)["streaks"] == []
    servers = stack.call("ListServers", alone[0].login)["servers"]
    assert [each["server_type"] for each in servers if each["joined"]] == ["SERVER_TYPE_PARTNER"]


def test_a_further_seed_adds_members_and_breaks_no_streak(stack: Keyboard) -> None:
    before = {login.login: stack.streak(login.login)["completed_days"] for login in stack.couples()}
    known = set(stack.people)
    said = stack.says("seed", "2")
    added = set(stack.people) - known
    assert len(added) == 2
    assert all(login in said for login in added)
    for login, days in before.items():
        streak = stack.streak(login)
        assert streak["state"] == "STREAK_STATE_ACTIVE"
        assert streak["completed_days"] > days


def test_as_gives_a_fresh_token_each_time_that_call_takes_from_the_shell(stack: Keyboard) -> None:
    login = next(iter(stack.people.values()))
    one, other = (stack.says("as", login.login).strip() for _ in range(2))
    assert one != other
    for token in (one, other):
        account = json.loads(stack.says("call", "GetAccount", TOKEN=token))["account"]
        assert account["user_id"] == login.user_id
    assert all(name in stack.says("as") for name in stack.people)


def test_as_begins_anew_by_a_code_if_the_session_has_ended(stack: Keyboard) -> None:
    login = list(stack.people)[-1]
    for session in stack.call("ListSessions", login)["sessions"]:
        stack.call("RevokeSession", login, session_id=session["session_id"])
    assert stack.call("GetAccount", login)["account"]["user_id"] == stack.people[login].user_id


def test_one_signs_in_by_hand_with_the_code_in_the_inbox(stack: Keyboard) -> None:
    challenge = stack.call("StartPhoneVerification", phone_number=NUMBER)["challenge_id"]
    code = stack.says("inbox", NUMBER, "--code").strip()
    assert stack.says("inbox", NUMBER).splitlines()[-1].split()[1:] == [NUMBER, code]
    body = json.dumps({"challenge_id": challenge, "code": code})
    tokens = json.loads(stack.says("call", "VerifyPhone", "-", typed=body))["tokens"]
    account = json.loads(stack.says("call", "GetAccount", TOKEN=tokens["access_token"]))["account"]
    assert account["user_id"]
    login = next(iter(stack.people.values()))
    assert login.phone_number in stack.says("inbox", login.login)
    assert "no code was sent" in stack.refuses("inbox", "+14155550199", "--code")


@pytest.mark.rule("ID-15")
def test_one_of_the_people_becomes_an_admin_who_calls_with_the_second_factor(stack: Keyboard) -> None:
    login = list(stack.people)[-2]
    assert "PERMISSION_DENIED" in stack.refuses("call", "ListCases", "--as", login)
    assert "secret" in stack.says("make-admin", login)
    assert stack.call("ListCases", login)["cases"] == []
    assert "admin already" in stack.refuses("make-admin", login)
    first = stack.people[login].totp_secret
    assert "secret" in stack.says("make-admin", login, "--new-secret")
    assert stack.people[login].totp_secret != first
    assert stack.call("ListCases", login)["cases"] == []
    stack.says("revoke-admin", login)
    assert "PERMISSION_DENIED" in stack.refuses("call", "ListCases", "--as", login)
    assert "nobody is called" in stack.refuses("make-admin", "frog")


def test_a_refusal_is_told_in_words(stack: Keyboard) -> None:
    login = next(iter(stack.people))
    missing = json.dumps({"streak_id": str(uuid4())})
    assert "NOT_FOUND STREAK_NOT_FOUND" in stack.refuses("call", "GetStreak", missing, "--as", login)
    told = stack.refuses("call", "GetStreak", '{"streak_id": "nope"}', "--as", login)
    assert "field streak_id: must be a valid UUID" in told
    assert "PERMISSION_DENIED" in stack.refuses("call", "ListCases", "--as", login)
    assert "UNAUTHENTICATED" in stack.refuses("call", "GetAccount", TOKEN="nonsense")
    assert "TOKEN holds no token" in stack.refuses("call", "GetAccount", TOKEN="two\nlines")
    assert "--as NAME or the variable TOKEN" in stack.refuses("call", "GetAccount")
    assert "nobody is called nobody" in stack.refuses("call", "GetAccount", "--as", "nobody")


def test_a_method_for_services_is_called_with_the_certificate_of_one(stack: Keyboard) -> None:
    assert json.loads(stack.says("call", "ListRestrictions", "--caller", "matching"))["restrictions"] == []
    assert "--caller (billing, discovery" in stack.refuses("call", "ListRestrictions")
    assert "PERMISSION_DENIED" in stack.refuses("call", "ListRestrictions", "--caller", "streak")
    assert "there is no certificate of" in stack.refuses("call", "ListRestrictions", "--caller", "../ca")


def test_the_clock_moves_and_what_happens_is_told_as_it_happens(stack: Keyboard) -> None:
    shown = stack.says("clock")
    login = stack.who_can_check_in()[0]
    with stack.tail("streak.CheckedIn") as out:
        stack.says("clock", "+1h")
        stack.check_in(login)
        wait_until(lambda: out.read_text().endswith("\n"), out.read_text)
    (event,) = map(json.loads, out.read_text().splitlines())
    assert event["event"] == "streak.CheckedIn"
    assert event["data"]["user_id"] == stack.people[login].user_id
    assert set(event) == {"event", "id", "at", "data"}
    later = stack.says("clock")
    assert stack.moment(later) - stack.moment(shown) >= timedelta(hours=1)
    stack.refuses("clock", "yesterday")


def test_when_the_clock_has_moved_what_was_due_is_done(stack: Keyboard) -> None:
    for login in stack.who_can_check_in():
        stack.check_in(login)
    days = {login.login: stack.streak(login.login)["current_day"] for login in stack.couples()}
    stack.says("clock", "next-day")  # past midnight also for a couple of two zones, whose days are UTC's (ST-03)
    for login, day in days.items():
        streak = stack.streak(login)
        assert (streak["state"], streak["current_day"]) == ("STREAK_STATE_ACTIVE", day + 1)


@pytest.mark.rule("MA-10")
async def test_a_subscriber_consumes_the_events_that_it_was_given_and_nothing_else(stack: Keyboard) -> None:
    assert "may not read interests" in await asyncio.to_thread(stack.refuses, "subscriber", "push", "InterestSent")
    with stack.tail():  # who is connected stays so
        said = await asyncio.to_thread(stack.says, "subscriber", "push", "CheckedIn", "ConnectionFormed")
    assert "push may consume:" in said
    env = Env.read(stack.folder.path / "subscribers" / "push.env")
    client = await subscriber(env)
    stream = client.jetstream(timeout=GENEROUS)
    consumers = [each.split("/") for each in env.values["UNORA_NATS_CONSUMERS"].split()]
    assert consumers == [["unora_streak", "push__checked_in"], ["unora_matching", "push__connection_formed"]]
    for name, durable in consumers:
        pull = await stream.pull_subscribe_bind(durable, name)
        (message,) = await within(pull.fetch(1, timeout=GENEROUS))
        assert message.subject.endswith(durable.removeprefix("push__"))
        await message.ack_sync(timeout=GENEROUS)
    with pytest.raises(NatsError):
        await client.jetstream(timeout=1).consumer_info("unora_matching", "streak__connection_formed")
    await client.publish("unora.streak.v1.checked_in", b"")
    await eventually(lambda: any("ermissions" in refusal for refusal in refusals), "the publication is refused")
    await client.close()
    await asyncio.to_thread(stack.says, "clock", "+1m")  # what a subscriber has not read keeps nobody waiting


async def test_a_subscriber_is_still_there_when_nats_has_started_again_until_it_is_removed(stack: Keyboard) -> None:
    await asyncio.to_thread(stack.says, "subscriber", "kept", "CheckedIn")
    env = Env.read(stack.folder.path / "subscribers" / "kept.env")
    server = stack.row("nats")
    os.kill(server.pid, signal.SIGKILL)
    await eventually(lambda: stack.runs_again(server), "NATS starts again")

    async def has_access() -> bool:
        try:
            client = await subscriber(env)
        except (NatsError, OSError):
            return False
        try:
            await client.jetstream(timeout=GENEROUS).consumer_info("unora_streak", "kept__checked_in")
        except ServiceUnavailableError:  # NATS begins
            return False
        finally:
            await client.close()
        return True

    assert await eventually(has_access, "the subscriber has access")
    assert "may consume nothing any more" in await asyncio.to_thread(stack.says, "subscriber", "kept", "--remove")

    assert not await has_access()
    assert not (stack.folder.path / "subscribers" / "kept.env").exists()
    assert "there is no subscriber kept" in await asyncio.to_thread(stack.refuses, "subscriber", "kept", "--remove")


@pytest.mark.rule("XX-02")
async def test_republish_tells_one_subscriber_what_it_asks_for_again_and_no_other(stack: Keyboard) -> None:
    """By the command of the context, in a process of its own; the contexts' own consumers change nothing."""
    envs = {}
    for name in ("asks", "quiet"):
        await asyncio.to_thread(stack.says, "subscriber", name, "CheckedIn")
        envs[name] = Env.read(stack.folder.path / "subscribers" / f"{name}.env")
    first = {name: await take(env) for name, env in envs.items()}
    assert len(first["asks"]) == len(first["quiet"]) > 2
    times = sorted(message.headers["ce-time"] for message in first["asks"])
    words = ("republish", "streak", "--consumer", "asks__checked_in", f"--from={times[1]}", f"--to={times[-1]}")
    done = await asyncio.to_thread(stack.run, *words)
    assert done.returncode == 0, done.stdout + done.stderr
    asked = {each.headers["ce-id"] for each in first["asks"] if times[1] <= each.headers["ce-time"] < times[-1]}
    assert f"{len(asked)} events of streak published again to asks__checked_in" in done.stdout + done.stderr
    again = await take(envs["asks"])
    assert {each.headers["ce-id"] for each in again} == asked
    assert all(each.headers["unora-again"] for each in again)
    assert await take(envs["quiet"]) == []
    before = await asyncio.to_thread(stack.completed_days)
    assert (await asyncio.to_thread(stack.run, "republish", "streak")).returncode == 0
    await asyncio.to_thread(stack.says, "clock", "+1m")
    assert await asyncio.to_thread(stack.completed_days) == before
    done = await asyncio.to_thread(stack.run, "republish", "streak", "--consumer", "nobody__checked_in")
    assert done.returncode == 2
    assert "asks__checked_in" in done.stdout + done.stderr
    for name in envs:
        await asyncio.to_thread(stack.says, "subscriber", name, "--remove")


@pytest.mark.rule("XX-02")
def test_what_subscribers_do_or_fail_to_do_holds_up_nothing(stack: Keyboard) -> None:
    """One never acknowledges, one was never there, one refuses all that it gets, at once and again and again.

    No coroutine: of a whole run these come first, and couples miss days here that other tests look at.
    """
    run_apart(_outside_subscribers(stack))


async def _outside_subscribers(stack: Keyboard) -> None:
    names = ("holds", "absent", "refuses")
    for name in names:
        await asyncio.to_thread(stack.says, "subscriber", name, "CheckedIn")
    envs = {name: Env.read(stack.folder.path / "subscribers" / f"{name}.env") for name in names}
    holding = await connected(envs["holds"])
    pull = await pull_of(holding, envs["holds"])
    await hold(pull)
    async with refusing(envs["refuses"]) as refused:
        await eventually(lambda: refused[0] > 20, "events are refused more than once")
        await asyncio.to_thread(stack.says, "clock", "next-day")
        login = (await asyncio.to_thread(stack.who_can_check_in))[0]
        days = (await asyncio.to_thread(stack.completed_days))[login]
        for each in (login, stack.people[login].partner):
            await asyncio.to_thread(stack.check_in, each)
        await asyncio.to_thread(stack.says, "clock", "next-midnight")
        assert (await asyncio.to_thread(stack.completed_days))[login] == days + 1
        async with Clock(Env.read(stack.folder.env), GENEROUS) as clock:
            await clock.wait_until_idle()
            assert await invariants.broken(clock.superuser) == {}
    info = await pull.consumer_info()
    assert info.num_ack_pending > 0
    assert info.config.max_ack_pending == MAX_ACK_PENDING_OUTSIDE
    assert info.num_pending > 0
    await holding.close()
    for name in names:
        await asyncio.to_thread(stack.says, "subscriber", name, "--remove")
