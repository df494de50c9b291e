"""The bridge behind the page, through the gateway of a stack of real processes."""

from __future__ import annotations

import asyncio
import os
import signal
import socket
from collections.abc import AsyncIterator, Iterator
from contextlib import AsyncExitStack
from datetime import datetime, timedelta
from urllib.parse import urlsplit
from uuid import uuid4

import asyncpg
import httpx
import pytest
from unora_local.keyboard.people import Login
from unora_local.keyboard.seed import seed
from unora_local.photos.portraits import portrait
from unora_local.progress import Progress
from unora_testing.deadlines import eventually

from tests.e2e.stack import Stack
from tests.integration.local.browser import Browser, Json

SEEDED = 12
NUMBER = "+14155550147"
NUMBER_IN_QUERY = NUMBER.replace("+", "%2B")
JSON = {"Content-Type": "application/json"}
MOVE = b'{"move": "+2h"}'
AROUND = {"identity", "discovery"}
"""Contexts of which a member may still hear something when nothing happens to them: of a batch a moment ago."""


@pytest.fixture(scope="module")
def stack(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Stack]:
    made = Stack(tmp_path_factory.mktemp("page") / "run")
    try:
        with made.up():
            yield made
    finally:
        made.run("clean")


@pytest.fixture(scope="module")
async def browser(stack: Stack) -> AsyncIterator[Browser]:
    made = Browser(stack.folder)
    async with made.web:
        yield made


@pytest.fixture(scope="module")
async def people(browser: Browser) -> dict[str, Login]:
    await seed(browser.env, browser.people, SEEDED, Progress())
    return {name: login for name, login in browser.people.all().items() if name != "moderator"}


@pytest.fixture
async def held_clock(browser: Browser) -> AsyncIterator[asyncpg.Connection[asyncpg.Record]]:
    """A transaction that holds up every move of the clock until it ends."""
    superuser = await asyncpg.connect(browser.env.postgres)
    held = superuser.transaction()
    await held.start()
    await superuser.execute("SELECT FROM clock.shift FOR UPDATE")
    yield superuser
    await superuser.close()


async def is_held_up(superuser: asyncpg.Connection[asyncpg.Record]) -> bool:
    """Whether a move of the clock waits for the transaction."""
    waiting = "SELECT count(*) FROM pg_locks WHERE NOT granted AND transactionid = pg_current_xact_id()::xid"
    return bool(await superuser.fetchval(waiting))


def test_the_address_of_the_page_is_told_and_its_process_is_in_the_table(stack: Stack) -> None:
    browser = Browser(stack.folder)
    url = browser.env.values["UNORA_PAGE_URL"]
    assert url == f"{browser.url}/local/"
    assert url in stack.output.read_text()
    said = stack.run("status").stdout
    assert url in said
    assert f"page       {stack.row('page').address}" in said


async def test_the_page_is_served_with_a_policy_that_lets_nothing_foreign_in(browser: Browser) -> None:
    answer = await browser.get("/local/")
    assert answer.status_code == 200
    policy = answer.headers["content-security-policy"]
    assert "default-src 'none'" in policy
    assert "frame-ancestors 'none'" in policy
    assert "access-control-allow-origin" not in answer.headers


@pytest.mark.parametrize(
    "path",
    ["/local/api/nope", "/local/nope.js", "/local/../v1/nope", "/local/%2e%2e/server.py", "/local/api/pictures/0.jpg"],
)
async def test_what_is_not_there_is_refused_in_the_one_shape(browser: Browser, path: str) -> None:
    answer = await browser.get(path)
    assert (answer.status_code, answer.json()["code"]) == (404, "NOT_FOUND")
    assert sorted(answer.json()) == ["code", "message", "metadata", "reason", "violations"]


async def test_what_the_gateway_refuses_before_the_bridge_does_not_say_that_the_bridge_is_away(
    browser: Browser,
) -> None:
    answer = await browser.get("/local/%2Fx")
    assert (answer.status_code, answer.json()["reason"]) == (400, "REQUEST_MALFORMED")
    assert sorted(answer.json()) == ["code", "message", "metadata", "reason", "violations"]
    typed = await browser.get("/local")
    assert (typed.status_code, typed.headers["location"]) == (301, f"{browser.url}/local/")


@pytest.mark.parametrize(
    ("body", "status", "reason"),
    [
        (b"{", 400, "JSON_INVALID"),
        (b"[" * 60_000, 400, "JSON_INVALID"),
        (b'"+6h"', 400, "JSON_INVALID"),
        (b"\xff", 400, "JSON_INVALID"),
        (b"{}", 400, "INVALID_ARGUMENT"),
        (b'{"move": 6}', 400, "INVALID_ARGUMENT"),
        (b'{"move": "+6h", "by": "me"}', 400, "INVALID_ARGUMENT"),
        (b'{"move": "yesterday"}', 400, "NOT_POSSIBLE"),
        (b'{"move": "2026-05-01T18:00:00"}', 400, "NOT_POSSIBLE"),
        (b'{"move": "+9999d"}', 400, "NOT_POSSIBLE"),
        (b'{"move": "%s"}' % (b"x" * 5_000), 400, "INVALID_ARGUMENT"),
        (b'{"move": "%s"}' % (b"x" * 100_000), 413, "BODY_TOO_LARGE"),
    ],
)
async def test_a_body_that_is_no_move_moves_nothing(browser: Browser, body: bytes, status: int, reason: str) -> None:
    before = await browser.seconds_ahead()
    answer = await browser.web.post("/local/api/clock", content=body, headers=JSON)
    assert (answer.status_code, answer.json()["reason"]) == (status, reason)
    assert await browser.seconds_ahead() == before


async def test_other_verbs_and_other_kinds_of_bodies_are_refused(browser: Browser) -> None:
    wrong = await browser.web.delete("/local/api/clock")
    assert (wrong.status_code, wrong.json()["metadata"]["allow"]) == (405, "GET, HEAD, POST")
    form = await browser.web.post("/local/api/clock", data={"move": "+6h"})
    assert (form.status_code, form.json()["reason"]) == (415, "MEDIA_TYPE_UNSUPPORTED")


@pytest.mark.parametrize(
    "headers",
    [
        {"Host": "evil.example"},
        {"Host": "127.0.0.1.evil.example"},
        {"Host": "evil.example", "Origin": "http://evil.example"},
        {"Origin": "http://evil.example"},
        {"Origin": "null"},
        {"Origin": "http://127.0.0.1:1"},
        {"Origin": "http://evil.example", "Unora-Page-Origin": "http://127.0.0.1"},
        {"Sec-Fetch-Site": "cross-site"},
        {"Sec-Fetch-Site": "same-site"},
    ],
)
async def test_a_page_of_another_site_can_do_nothing(browser: Browser, headers: dict[str, str]) -> None:
    before = await browser.seconds_ahead()
    for path in ("clock", "seed", "moderator", "uploads", "payments/pi_1"):
        answer = await browser.web.post(f"/local/api/{path}", content=MOVE, headers=JSON | headers)
        assert (answer.status_code, answer.json()["reason"]) == (403, "FOREIGN_ORIGIN"), path
    events = await browser.get("/local/api/events", **headers)
    assert (events.status_code, events.json()["reason"]) == (403, "FOREIGN_ORIGIN")
    assert await browser.seconds_ahead() == before


async def test_the_page_of_this_machine_may(browser: Browser) -> None:
    own = JSON | {"Origin": browser.url, "Sec-Fetch-Site": "same-origin"}
    answer = await browser.web.post("/local/api/clock", content=b'{"move": "now"}', headers=own)
    assert answer.status_code == 200
    asked = own | {"Access-Control-Request-Method": "POST"}
    preflight = await browser.web.request("OPTIONS", "/local/api/clock", headers=asked)
    assert "access-control-allow-origin" not in preflight.headers


async def test_a_member_signs_up_by_the_code_that_the_inbox_shows(browser: Browser) -> None:
    none = await browser.get(f"/local/api/inbox?phone={NUMBER_IN_QUERY}")
    assert (none.status_code, none.json()["reason"]) == (404, "NO_CODE")
    token = await browser.signed_up(NUMBER)
    assert (await browser.ask("account", token))["account"]["user_id"]
    spaced = "%2B1 415 555-0147"
    assert await browser.bridge(f"inbox?phone={spaced}") == await browser.bridge(f"inbox?phone={NUMBER_IN_QUERY}")
    wrong = await browser.get("/local/api/inbox?phone=me")
    assert (wrong.status_code, wrong.json()["violations"][0]["field"]) == (400, "phone")


async def test_a_picture_goes_to_the_object_store_and_nowhere_else(browser: Browser) -> None:
    token = await browser.signed_up(NUMBER)
    names = (await browser.bridge("pictures"))["pictures"]
    assert len(set(names)) == 36
    assert (await browser.get(f"/local/api/pictures/{names[1]}")).content == portrait(0, 1)
    offer = await browser.call("photos", token, content_type="image/jpeg")
    form = {"form_fields": offer["form_fields"], "picture": names[1]}
    for url in (
        browser.url,
        "http://evil.example/",
        offer["url"].replace("//", "//evil.example@"),
        "http://[",
        "file:///",
    ):
        refused = await browser.post("/local/api/uploads", url=url, **form)
        assert (refused.status_code, refused.json()["violations"][0]["field"]) == (400, "url"), url
    forged = await browser.post("/local/api/uploads", url=offer["url"], form_fields={"key": "k"}, picture=names[1])
    assert (forged.status_code, forged.json()["reason"]) == (400, "UPLOAD_REFUSED")
    split = form | {"form_fields": offer["form_fields"] | {"x": 'a"\r\n'}}
    assert (await browser.post("/local/api/uploads", url=offer["url"], **split)).status_code == 400
    assert await browser.bridge("uploads", url=offer["url"], **form) == {"status": 204}
    done = await browser.call(f"photos/{offer['photo_id']}:complete", token)
    assert done["photo"]["has_face"] is True


async def test_a_payment_is_confirmed_in_the_sandbox_or_refused_with_the_reason(browser: Browser) -> None:
    token = await browser.signed_up(NUMBER)
    declined = (await browser.call("subscription", token, tier="TIER_PLUS"))["confirmation"]
    for secret, method, why in (
        ("forged", "pm_card_visa", "api_key_invalid"),
        (declined["client_secret"], "nothing", "resource_missing"),
        (declined["client_secret"], "pm_card_chargeDeclined", "card_declined"),
    ):
        refused = await browser.confirm(declined | {"client_secret": secret}, method)
        assert (refused.status_code, refused.json()["metadata"]["why"]) == (400, why)

    async def another() -> Json | None:
        """Billing takes the next one when it has heard that the first was declined."""
        answer = await browser.post("/v1/subscription", token, request_id=str(uuid4()), tier="TIER_PLUS")
        return answer.json()["confirmation"] if answer.status_code == 200 else None

    paid = await eventually(another, "the next payment begins")
    assert paid is not None
    assert (await browser.confirm(paid, "pm_card_visa")).json() == {"status": "succeeded"}
    beside = await browser.post("/local/api/payments/..%5Ctest", client_secret="x", payment_method="pm_card_visa")
    assert beside.status_code == 400


async def test_a_move_to_a_moment_is_made_once(browser: Browser) -> None:
    """Its answer may be lost: who asks again moves nothing."""
    meant = datetime.fromisoformat((await browser.bridge("clock"))["now"]) + timedelta(hours=1)
    await browser.bridge("clock", move=meant.isoformat())
    moved = await browser.seconds_ahead()
    await browser.bridge("clock", move=meant.isoformat())
    assert await browser.seconds_ahead() == moved


async def test_of_two_moves_at_once_one_is_refused_and_the_other_done(
    browser: Browser, held_clock: asyncpg.Connection[asyncpg.Record]
) -> None:
    before = await browser.seconds_ahead()
    first = asyncio.create_task(browser.bridge("clock", move="+1h"))
    await eventually(lambda: is_held_up(held_clock), "the first move is under way")
    second = await browser.post("/local/api/clock", move="+1h")
    assert (second.status_code, second.json()["reason"]) == (409, "CLOCK_BUSY")
    seed = await browser.post("/local/api/seed", count=1)
    assert (seed.status_code, seed.json()["reason"]) == (409, "CLOCK_BUSY")
    await held_clock.execute("COMMIT")
    await first
    assert await browser.seconds_ahead() - before == pytest.approx(timedelta(hours=1).total_seconds(), abs=1)


async def test_a_move_whose_page_is_closed_goes_on_to_its_end(
    browser: Browser, held_clock: asyncpg.Connection[asyncpg.Record]
) -> None:
    before = await browser.seconds_ahead()
    address = urlsplit(browser.url)
    with socket.create_connection((address.hostname, address.port)) as page:
        head = f"POST /local/api/clock HTTP/1.1\r\nHost: {address.netloc}\r\nContent-Type: application/json\r\n"
        page.sendall(f"{head}Content-Length: {len(MOVE)}\r\n\r\n".encode() + MOVE)
        await eventually(lambda: is_held_up(held_clock), "the move is under way")
    assert (await browser.post("/local/api/clock", move="now")).status_code == 409
    await held_clock.execute("COMMIT")

    async def is_free() -> bool:
        return (await browser.post("/local/api/clock", move="now")).status_code == 200

    await eventually(is_free, "the move has ended")
    assert await browser.seconds_ahead() - before == pytest.approx(timedelta(hours=2).total_seconds(), abs=1)


async def test_the_moderator_is_made_once_and_decides_as_one(browser: Browser) -> None:
    first, second = await asyncio.gather(*(browser.post("/local/api/moderator") for _ in range(2)))
    assert first.status_code == 200, first.text
    assert first.json() == second.json()
    again = (await browser.post("/local/api/moderator")).json()
    assert again["user_id"] == first.json()["user_id"]
    assert again["access_token"] != first.json()["access_token"]
    answer = await browser.get("/v1/moderation/cases", Authorization=f"Bearer {again['access_token']}")
    assert answer.status_code == 200, answer.text


async def test_a_seed_takes_a_number_that_is_possible(browser: Browser) -> None:
    for count in (0, -1, 10**9, True, "8", 1.5):
        refused = await browser.post("/local/api/seed", count=count)
        assert (refused.status_code, refused.json()["violations"][0]["field"]) == (400, "count")


async def test_members_are_added_and_no_time_passes(browser: Browser) -> None:
    before, known = await browser.seconds_ahead(), len(browser.people.all())
    assert await browser.bridge("seed", count=2) == {"members": 2}
    assert await browser.seconds_ahead() == before
    assert len(browser.people.all()) == known + 2


async def test_events_need_a_token_that_is_good(browser: Browser) -> None:
    for token, reason in (("", "TOKEN_MISSING"), ("nonsense", "TOKEN_INVALID"), ("a.b.c", "TOKEN_INVALID")):
        async with browser.listening(token) as ears:
            assert (ears.status, ears.refusal) == (401, reason)


async def test_a_stream_ends_when_its_session_does(browser: Browser) -> None:
    token = await browser.signed_up(NUMBER)
    sessions = (await browser.ask("sessions", token))["sessions"]
    (session,) = [each["session_id"] for each in sessions if each["current"]]
    async with browser.listening(token) as ears:
        await browser.call(f"sessions/{session}:revoke", token)
        assert (await ears.until("identity.session_revoked"))["event"]["session_id"] == session
        await eventually(lambda: ears.has_ended, "the stream ends")
    async with browser.listening(token) as ears:
        assert (ears.status, ears.refusal) == (401, "SESSION_REVOKED")


@pytest.mark.rule("MA-10")
async def test_who_gets_an_interest_hears_nothing_of_it_nor_does_anybody(
    browser: Browser, people: dict[str, Login]
) -> None:
    sender = next(login for login in people.values() if not login.partner and not login.meets)
    tokens = {login.user_id: await browser.token(login) for login in people.values()}
    screen = (await browser.call("servers/SERVER_TYPE_PARTNER:refresh", tokens[sender.user_id]))["screen"]
    async with AsyncExitStack() as streams:
        heard = {user: await streams.enter_async_context(browser.listening(token)) for user, token in tokens.items()}
        for card in screen["batch"]["cards"]:
            await browser.call("interests", tokens[sender.user_id], card_id=card["card_id"])
        await browser.hear_all({tokens[user]: ears for user, ears in heard.items()})
    assert len(screen["batch"]["cards"]) == 5
    assert {"identity"} <= {context for ears in heard.values() for context in ears.contexts()} <= AROUND


@pytest.mark.rule("MA-09", "MA-12", "SA-02")
async def test_each_hears_their_own_and_a_third_hears_nothing(browser: Browser, people: dict[str, Login]) -> None:
    one, streak = await browser.who_can_check_in(people)
    third = next(login for login in people.values() if not login.partner)
    a, b, c = [await browser.token(login) for login in (one, people[one.partner], third)]
    async with browser.listening(a) as hears_a, browser.listening(b) as hears_b, browser.listening(c) as hears_c:
        await browser.call(f"streaks/{streak}:checkIn", a, effort_signal="EFFORT_SIGNAL_HIGH")
        mine, others = await hears_a.until("streak.checked_in"), await hears_b.until("streak.checked_in")
        assert mine["event"]["effort_signal"] == "EFFORT_SIGNAL_HIGH"
        assert mine["event"]["user_id"] == one.user_id
        assert mine["aggregate_id"] == streak
        del mine["event"]["effort_signal"]
        assert mine == others
        (connection,) = (await browser.ask("connections", a))["connections"]
        await browser.call("blocks", a, target={"connection_id": connection["connection_id"]})
        await browser.hear_all({a: hears_a, b: hears_b, c: hears_c})
    for ears in (hears_a, hears_b):
        assert {"matching.connection_ended", "streak.streak_terminated"} <= set(ears.types())
        assert not [kind for kind in ears.types() if kind.startswith("safety.")]
        assert not [each for each in ears.events if {"ended_by_id", "cause", "acted_at"} & set(each["event"])]
    assert {each["event"]["user_id"] for each in hears_c.events} == {third.user_id}
    assert {"identity"} <= hears_c.contexts() <= AROUND


async def test_while_the_bridge_is_away_the_gateway_refuses_in_the_one_shape(browser: Browser, stack: Stack) -> None:
    before = stack.row("page")
    os.kill(before.pid, signal.SIGKILL)

    async def away() -> list[httpx.Response]:
        answer = await browser.get("/local/api/clock")
        return [answer] if answer.status_code == 503 else []

    (answer,) = await eventually(away, "the gateway says that the bridge is away")
    assert answer.json()["reason"] == "DEPENDENCY_UNAVAILABLE"
    assert sorted(answer.json()) == ["code", "message", "metadata", "reason", "violations"]
    assert not [name for name in answer.headers if name.startswith("x-unora")]

    async def is_back() -> bool:
        return stack.runs_again(before) and (await browser.get("/local/api/clock")).status_code == 200

    await eventually(is_back, "the bridge starts again")
