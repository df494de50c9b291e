"""What the page does besides the story: the keyboard alone, a small screen, broken connections, tokens that are over."""

from __future__ import annotations

import asyncio
import json

from playwright.async_api import Browser, Page, Route, expect

from tests.e2e.page.browser import HANDHELD, window
from tests.e2e.page.phones import Phone, button


async def test_a_member_signs_in_by_keyboard_alone(browser: Browser, address: str) -> None:
    async with window(browser, address) as shown:
        page, phone = shown.page, Phone(shown.page, "Left")
        await phone.shows("Welcome to Unora")
        await tab_to(page, "Phone number")
        await page.keyboard.press("Enter")
        await tab_to(page, "Fill in")
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
    """The answer never comes and the page is loaded again: the same press sends the same request, which is done once."""
    async with window(browser, address) as shown:
        page, phone = shown.page, Phone(shown.page, "Left")
        await phone.sign_in()
        await phone.prepare()
        await phone.press("Skip")
        sent: list[str] = []
        arrived = asyncio.Event()

        async def swallow(route: Route) -> None:
            sent.append(json.loads(route.request.post_data or "")["request_id"])
            await route.fetch()
            arrived.set()

        await page.route("**/v1/servers/*:join", swallow)
        await phone.press("Join Friend")
        await expect(button(phone.place, "One moment")).to_have_attribute("aria-disabled", "true")
        await arrived.wait()
        await page.unroute("**/v1/servers/*:join")
        page.on("request", lambda request: sent.append(json.loads(request.post_data or "{}").get("request_id", "")) if request.url.endswith(":join") else None)
        await page.reload()
        await phone.press("Skip")
        await expect(phone.place.get_by_text("Joined")).to_have_count(1)
        await phone.press("Join Partner")
        await phone.shows("Today's people")
        assert len(set(sent)) == 2
