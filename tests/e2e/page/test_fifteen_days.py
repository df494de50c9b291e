"""Two members are played from sign-up to Day 15 by clicking on the page, and nothing else."""

from __future__ import annotations

import asyncio
import re

import pytest
from playwright.async_api import Browser, Locator, Page, Route, expect
from unora_local import members
from unora_testing.deadlines import within

from tests.e2e.page.browser import Window, window
from tests.e2e.page.phones import Phone, button, move_clock

MISSED = 6
"""The day on which the right phone does not check in."""
DAYS = 15
QUARTERS = 3
"""Moves of six hours from a midnight until the day is at risk."""
QUESTIONS = 3
REVEALS = 2
"""Earned before Day 15 by a member without a subscription."""


@pytest.mark.rule("ID-02", "PR-06", "DI-02", "DI-08", "MA-01", "ST-05", "ST-06", "ST-08", "ST-11", "ST-13", "RE-04")
async def test_two_members_are_played_from_sign_up_to_day_15(browser: Browser, address: str) -> None:
    async with window(browser, address) as shown:
        page = shown.page
        left, right = Phone(page, "Left"), Phone(page, "Right")
        await look(shown, "sign-in")
        await left.sign_in()
        await by_hand(left, shown)
        number = members.invented_number()
        await right.sign_in(number)
        await right.prepare()
        await right.press("Skip")
        await move_clock(page, "Next midnight")
        await meet(left, right, shown)
        await expect(page.get_by_role("log")).to_contain_text("Matching: connection formed")

        await left.check_in()
        await to_risk(left, right)
        await look(shown, "first-day-at-risk")
        for day in range(1, MISSED):
            await keep(page, left, right, day)
        await page.reload()
        await left.says(f"Day {MISSED} of {DAYS}")
        await right.says(f"Day {MISSED} of {DAYS}")
        await miss_and_recover(left, right, shown)
        await at_risk_again(left, right)
        for day in range(MISSED, DAYS):
            await keep(page, left, right, day)
        for phone in (left, right):
            await expect(phone.place.get_by_label("Reveals").get_by_role("paragraph")).to_have_count(REVEALS)
        await left.check_in("A lot")
        await right.check_in("A little")

        for phone, partner in ((left, "Beatrix"), (right, "Iolanda")):
            await phone.shows("Day 15")
            await phone.press("See who it is")
            await phone.says(partner)
            await expect(phone.place.get_by_alt_text(f"{partner}, photo 3")).not_to_have_js_property("naturalWidth", 0)
            await phone.says("Chat is open since")
        await look(shown, "day-15")
        await report(left)
        await left.press("Block the partner")
        for phone in (left, right):
            await phone.shows("Today's people")
        await suspend(shown)
        await right.shows("Welcome to Unora")
        await right.says("Sign in again")
        await left.says("Today's people")
        await expect(decided_case(page)).to_be_visible()  # though the member has left the phone
        await right.sign_in(number, then="Suspended")
        await page.reload()
        await right.says("Your account is suspended")
        await look(shown, "suspended")
        assert shown.faults == []


async def look(shown: Window, name: str) -> None:
    """Note what axe finds on this screen, in light and in dark."""
    for scheme in ("dark", "light"):
        shown.faults += [f"{name}, {scheme}: {each}" for each in await shown.look(scheme, name)]


async def by_hand(phone: Phone, shown: Window) -> None:
    """Onboarding through its forms; what is wrong is said beside its field."""
    place = phone.place
    await place.get_by_label("Name").fill("Iolanda")
    await place.get_by_label("City").fill("Lisb")
    await phone.press("Search cities")
    await place.get_by_label("Lisbon, PT").check()
    await expect(place.get_by_label("Time zone")).to_have_value("Europe/Lisbon")
    await place.get_by_label("Date of birth").fill("2024-02-20")
    await phone.press("Continue")
    await expect(place.get_by_role("alert").filter(has_text=re.compile("18"))).to_be_visible()
    await place.get_by_label("Date of birth").fill("1993-02-20")
    await phone.press("Continue")

    await phone.shows("What you love doing")
    await place.get_by_label("Hobby 1", exact=True).select_option("Climbing")
    await place.get_by_label("What hobby 1 is to you").fill("up before I look down")
    await place.get_by_label("Hobby 2", exact=True).select_option("Coffee")
    words = place.get_by_label("What hobby 2 is to you")
    await words.fill("ok")
    await phone.press("Continue")
    await expect(words).to_have_accessible_description("This must be at least 3 characters.")
    await look(shown, "hobbies")
    await words.fill("slow, and by hand")
    await phone.press("Continue")

    await phone.shows("Three photos")
    for at in (1, 2, 3):
        await place.get_by_role("checkbox", name=f"Sample portrait {at}").check()
    await phone.press("Add photos")

    await phone.shows("A few questions")
    questions = place.get_by_role("group")
    await expect(questions).to_have_count(QUESTIONS)
    for question in await questions.all():
        await question.get_by_label("agree", exact=True).check()
    await phone.press("Continue")


async def meet(left: Phone, right: Phone, shown: Window) -> None:
    """A server, five cards, an interest from each side."""
    for phone in (left, right):
        await phone.join()
    for phone in (left, right):
        await phone.deal()
    await expect(left.place.get_by_role("article").get_by_role("img")).to_have_count(0)
    await look(shown, "cards")
    await left.like(right)
    await left.says("Interest sent on 1 of 5")
    await right.like(left)
    for phone in (left, right):
        await phone.shows("It is a match")
        await expect(phone.place.get_by_role("article", name="Your partner's card")).to_be_visible()
    await look(shown, "match")


async def to_risk(left: Phone, right: Phone) -> None:
    """The day, on which one has checked in, goes on until it is at risk."""
    for _ in range(QUARTERS):
        if not await left.place.get_by_role("heading", name="At risk").count():
            await move_clock(left.page, "6 hours later")
    for phone in (left, right):
        await phone.shows("At risk")


async def at_risk_again(left: Phone, right: Phone) -> None:
    """The day that was recovered has its number, but not its nudge."""
    await left.check_in()
    await to_risk(left, right)
    await expect(button(left.place, "Nudge your partner")).to_be_visible()
    for phone, said in ((left, "You have nudged your partner"), (right, "Your partner nudges you")):
        await expect(phone.place.get_by_text(said)).to_have_count(0)


async def keep(page: Page, left: Phone, right: Phone, day: int) -> None:
    """Both check in and read what is revealed; then the day ends."""
    for phone in (left, right):
        if await button(phone.place, "Check in").count():
            await phone.check_in()
    for phone in (left, right):
        await expect(phone.place.get_by_role("img", name=f"{day} of 15 days kept by both")).to_be_visible()
        await phone.open_reveals()
    await move_clock(page, "Next midnight")
    for phone in (left, right):
        await phone.says(f"Day {day + 1} of {DAYS}")


async def miss_and_recover(left: Phone, right: Phone, shown: Window) -> None:
    """One has checked in, the other has not: at risk, a nudge, the payment window, and a payment in the sandbox."""
    await left.check_in()
    await right.says("your partner has.")
    await to_risk(left, right)
    await left.press("Nudge your partner")
    await left.says("You have nudged your partner.")
    await right.says("Your partner nudges you")
    await look(shown, "at-risk")
    await move_clock(shown.page, "Next midnight")
    for phone in (left, right):
        await phone.shows("The streak is broken")
    await left.says("There is nothing for you to do but wait.")
    await right.says("$2.99")
    await look(shown, "payment-window")
    await go_away_before_it_is_confirmed(right)
    await right.says("A payment is under way until")
    await right.press("Go on with the payment")
    for phone in (left, right):
        await phone.shows("Your streak")
        await phone.says(f"Day {MISSED} of {DAYS}")
    await look(shown, "recovered")


async def go_away_before_it_is_confirmed(phone: Phone) -> None:
    """The payment is made and held, and the page is loaded again before the provider is told."""
    confirming = asyncio.Event()

    async def answer_nothing(route: Route) -> None:
        confirming.set()

    await phone.page.route("**/local/api/payments/**", answer_nothing)
    await phone.press("Recover the streak")
    await within(confirming.wait())
    await phone.page.reload()
    await phone.page.unroute_all(behavior="ignoreErrors")


async def report(phone: Phone) -> None:
    """A report becomes a case."""
    await phone.place.get_by_text("Report or block").click()
    await phone.place.get_by_label("In your own words").fill("Asked for money on the second day.")
    await phone.press("Report")
    await phone.says("A moderator will look at it.")


async def suspend(shown: Window) -> None:
    """The moderator reads the evidence, decides, and verifies the audit log."""
    desk = shown.page.get_by_role("region", name="Moderator's desk")
    await button(desk, "Open the desk").click()
    await button(desk, "Report about right member").click()
    await expect(desk.get_by_text("Asked for money on the second day.")).to_be_visible()
    await desk.get_by_label("Event, such as CheckedIn").fill("CheckedIn")
    await button(desk, "Search").click()
    await expect(desk.get_by_role("cell", name="checked in").first).to_be_visible()
    await button(desk, "Verify the chain").click()
    await expect(desk.get_by_text("Intact:")).to_be_visible()
    await look(shown, "desk")
    await desk.get_by_label("Reasons, for later readers").fill("First time; told how to report to the police.")
    await desk.get_by_label("Suspend", exact=True).check()
    await button(desk, "Decide").click()
    await expect(decided_case(shown.page)).to_be_visible()


def decided_case(page: Page) -> Locator:
    """The case of the one who was suspended, in the moderator's queue."""
    desk = page.get_by_role("region", name="Moderator's desk")
    return button(desk, "Report about right member · decided")
