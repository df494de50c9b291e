"""What the page does besides the story: the keyboard alone, a small screen, lost answers, old tokens."""

from __future__ import annotations

import asyncio
import json
from datetime import datetime, timedelta
from uuid import uuid4

import httpx
from playwright.async_api import Browser, Page, Route, expect
from unora_local import members
from unora_testing.deadlines import within

from tests.e2e.page.browser import HANDHELD, window
from tests.e2e.page.phones import Phone, button, move_clock


async def test_a_member_signs_in_by_keyboard_alone(browser: Browser, address: str) -> None:
    async with window(browser, address) as shown:
        page, phone = shown.page, Phone(shown.page, "Left")
        await phone.shows("Welcome to Unora")
        await tab_to(page, "Phone number")
        await page.keyboard.press("Enter")
        await expect(button(phone.place, "Fill in")).to_be_focused()
        await page.keyboard.press("Enter")
        await tab_to(page, "Sign in")
        outline = await page.evaluate("getComputedStyle(document.activeElement).outlineStyle")
        assert outline == "solid"
        await page.keyboard.press("Enter")
        await phone.shows("About you")
        await expect(phone.place.get_by_role("heading", name="About you")).to_be_focused()
        await tab_to(page, "Prepare this member")
        await page.keyboard.press("Enter")
        await phone.shows("A few questions")


async def tab_to(page: Page, name: str) -> None:
    """Press Tab until the control of this name has the focus."""
    for _ in range(40):
        await page.keyboard.press("Tab")
        if await page.evaluate(FOCUSED) == name:
            return
    raise AssertionError(f"Tab does not lead to {name}")


FOCUSED = """() => {
    const focused = document.activeElement
    return focused.labels?.[0]?.innerText ?? focused.getAttribute("aria-label") ?? focused.innerText
}"""


async def test_all_is_one_column_on_a_small_screen(browser: Browser, address: str) -> None:
    async with window(browser, address, HANDHELD) as shown:
        left, right = Phone(shown.page, "Left"), Phone(shown.page, "Right")
        await left.shows("Welcome to Unora")
        above, below = await left.place.bounding_box(), await right.place.bounding_box()
        assert above is not None
        assert below is not None
        assert above["x"] == below["x"]
        assert above["y"] + above["height"] <= below["y"]
        assert await shown.page.evaluate("document.documentElement.scrollWidth") <= HANDHELD[0]
        assert await shown.look("light", "small") == []


async def test_a_page_that_goes_away_mid_call_leaves_nothing_half_done(browser: Browser, address: str) -> None:
    """No answer comes, and the page is loaded again: the same press sends the same request, so one code is sent."""
    async with window(browser, address) as shown:
        page, phone = shown.page, Phone(shown.page, "Left")
        number = phone.place.get_by_label("Phone number")
        ids: list[str] = []
        done = asyncio.Event()

        async def answer_the_second_time(route: Route) -> None:
            ids.append(request_id(route))
            if len(ids) == 1:
                await route.fetch()
                done.set()
            else:
                await route.continue_()

        await page.route("**/v1/phone-verifications", answer_the_second_time)
        asked = members.invented_number()
        await number.fill(asked)
        await phone.press("Send me a code")
        await expect(button(phone.place, "One moment")).to_have_attribute("aria-disabled", "true")
        await within(done.wait())
        await page.reload()
        await phone.sign_in(asked)
        assert (len(ids), len(set(ids))) == (2, 1)


async def test_a_call_is_given_up_when_the_phone_changes_its_member(browser: Browser, address: str) -> None:
    async with window(browser, address) as shown:
        page, phone = shown.page, Phone(shown.page, "Left")
        await phone.sign_in()

        async def answer_nothing(route: Route) -> None:
            await within(gone.wait())

        gone = asyncio.Event()
        page.on("requestfailed", lambda request: gone.set() if request.url.endswith("/v1/profile") else None)
        await page.route("**/v1/profile", answer_nothing)
        await phone.press("Continue")
        await expect(button(phone.place, "One moment")).to_be_visible()
        await phone.press("Change member")
        await within(gone.wait())
        await phone.shows("Welcome to Unora")
        await page.unroute_all(behavior="ignoreErrors")
        await phone.sign_in()


async def test_tokens_that_are_over_are_renewed_once_for_all_calls(browser: Browser, address: str) -> None:
    async with window(browser, address) as shown:
        page, phone = shown.page, Phone(shown.page, "Left")
        await phone.sign_in()
        await phone.prepare()
        old = await page.evaluate(TOKEN)
        renewals: list[str] = []
        refused: list[str] = []

        async def refuse_the_old(route: Route) -> None:
            if route.request.url.endswith("/v1/sessions:refresh"):
                renewals.append(route.request.url)
            elif route.request.headers.get("authorization") == f"Bearer {old}":
                refused.append(route.request.url)
                await route.fulfill(status=401, json=OVER)
                return
            await route.continue_()

        await page.route("**/v1/**", refuse_the_old)
        await page.reload()
        await phone.shows("A few questions")
        await phone.press("Skip")
        await phone.join()
        assert refused
        assert len(renewals) == 1
        assert await page.evaluate(TOKEN) != old


async def test_a_move_of_the_clock_whose_answer_is_lost_is_not_made_twice(browser: Browser, address: str) -> None:
    async with window(browser, address) as shown:
        page = shown.page
        clock = page.get_by_role("region", name="Clock")
        before = await clock_of(address)
        moves: list[str] = []

        async def lose_the_answer(route: Route) -> None:
            if route.request.method == "POST":
                moves.append(json.loads(route.request.post_data or "{}")["move"])
                await route.fetch()
            await route.abort()

        await page.route("**/local/api/clock", lose_the_answer)
        for _ in range(2):
            await button(clock, "6 hours later").click()
            await expect(clock.get_by_role("alert").filter(has_text="It may have been done")).to_be_visible()
        meant = [datetime.fromisoformat(each) for each in moves]
        assert meant[1] - meant[0] < timedelta(hours=1)
        assert await clock_of(address) - before < timedelta(hours=7)

        await page.unroute_all(behavior="ignoreErrors")
        await move_clock(page, "Settle now")
        reading = await clock_of(address)
        assert await clock_of(address) >= reading


async def clock_of(address: str) -> datetime:
    async with httpx.AsyncClient(base_url=address) as web:
        return datetime.fromisoformat((await web.get("/local/api/clock")).json()["now"])


async def test_a_phone_reads_its_screen_again_when_its_events_come_again(browser: Browser, address: str) -> None:
    async with window(browser, address) as shown:
        page, phone = shown.page, Phone(shown.page, "Left")
        asked = asyncio.Event()

        async def is_away(route: Route) -> None:
            asked.set()
            await route.abort()

        await page.route("**/local/api/events", is_away)
        await phone.sign_in()
        await phone.prepare()
        await phone.press("Skip")
        await phone.shows("Where do you want to meet people?")
        await within(asked.wait())
        async with httpx.AsyncClient(base_url=address) as web:
            joined = await web.post(
                "/v1/servers/SERVER_TYPE_PARTNER:join",
                json={"request_id": str(uuid4())},
                headers={"Authorization": f"Bearer {await page.evaluate(TOKEN)}"},
            )
        assert joined.status_code == 200, joined.text
        await page.unroute_all(behavior="ignoreErrors")
        await phone.shows("Today's people")


async def test_a_screen_that_could_not_be_read_is_read_again(browser: Browser, address: str) -> None:
    """What one phone says is not taken back by the other."""
    async with window(browser, address) as shown:
        page, left, right = shown.page, Phone(shown.page, "Left"), Phone(shown.page, "Right")
        await left.sign_in()
        await right.sign_in()
        token = await page.evaluate(TOKEN)

        async def refuse_the_left(route: Route) -> None:
            is_left = route.request.headers.get("authorization") == f"Bearer {token}"
            await (route.fulfill(status=503, json=AWAY) if is_left else route.continue_())

        await page.route("**/v1/onboarding", refuse_the_left)
        await page.reload()
        await right.shows("About you")
        await left.says("Not now.")
        await page.unroute_all(behavior="ignoreErrors")
        await left.shows("About you")
        await expect(left.place.get_by_text("Not now.")).to_have_count(0)


AWAY = {"code": "UNAVAILABLE", "reason": "X", "message": "Not now.", "metadata": {}, "violations": []}
OVER = {"code": "UNAUTHENTICATED", "reason": "TOKEN_EXPIRED", "message": "", "metadata": {}, "violations": []}
TOKEN = "() => JSON.parse(sessionStorage.getItem('phone-left')).tokens.access_token"


def request_id(route: Route) -> str:
    """The id that a call carries."""
    return str(json.loads(route.request.post_data or "{}")["request_id"])
