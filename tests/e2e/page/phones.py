"""What a person does on the page, by role and name as a screen reader tells them."""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import Final

from playwright.async_api import Locator, Page, expect
from unora_local import members
from unora_testing.deadlines import GENEROUS

SEEDED_WITHIN: Final = 4 * GENEROUS


def button(place: Page | Locator, name: str) -> Locator:
    """A button by what it says, or by the beginning of that."""
    return place.get_by_role("button", name=re.compile(f"^{re.escape(name)}"))


@dataclass(frozen=True)
class Phone:
    """One of the two phones."""

    page: Page
    side: str

    @property
    def place(self) -> Locator:
        return self.page.get_by_role("region", name=f"{self.side} phone")

    async def press(self, name: str) -> None:
        """Press the button when it can be pressed."""
        await button(self.place, name).first.click()

    async def shows(self, heading: str) -> None:
        """Wait for a screen."""
        await expect(self.place.get_by_role("heading", name=heading, exact=True)).to_be_visible()

    async def says(self, text: str) -> None:
        """Wait for a text."""
        await expect(self.place.get_by_text(text).first).to_be_visible()

    async def sign_in(self, number: str = "", then: str = "About you") -> None:
        """A number, and the code that comes as a message."""
        field = self.place.get_by_label("Phone number")
        await field.fill(number or members.invented_number())
        await self.press("Send me a code")
        await self.press("Fill in")
        await self.press("Sign in")
        await self.shows(then)

    async def prepare(self) -> None:
        """One press fills in what Discovery needs."""
        await self.press("Prepare this member")
        await self.shows("A few questions")

    async def join(self) -> None:
        """The server in which the phones meet."""
        await self.shows("Where do you want to meet people?")
        await self.press("Join Partner")
        await self.shows("Today's people")

    async def deal(self) -> None:
        """Five cards; if too few members wait there, the page makes more."""
        await self.press("Show me five people")
        first = self.place.get_by_role("article", name="Card 1", exact=True)
        more = button(self.place, "Add 12 members")
        await expect(first.or_(more)).to_be_visible()
        if await more.is_visible():
            await more.click()
        await expect(first).to_be_visible(timeout=SEEDED_WITHIN * 1000)
        await expect(self.place.get_by_role("article", name=re.compile("^Card [1-5]$"))).to_have_count(5)

    async def like(self, other: Phone) -> None:
        """Send an interest on the card of the other phone's member."""
        card = self.place.get_by_role("article").filter(has_text=f"{other.side} phone")
        await card.get_by_role("button").click()

    async def check_in(self, effort: str = "Some") -> None:
        """Check in, and see that it counts."""
        await self.place.get_by_label(effort, exact=True).check()
        await self.press("Check in")
        done = self.place.get_by_text("You have checked in").or_(self.place.get_by_text("Fifteen days"))
        await expect(done).to_be_visible()

    async def open_reveals(self) -> int:
        """Open and read what is there to be opened; how many that were."""
        opened = 0
        while await (closed := button(self.place, "Open reveal")).count():
            texts = self.place.get_by_label("Reveals").get_by_role("paragraph")
            known = await texts.count()
            await closed.first.click()
            await expect(texts).to_have_count(known + 1)
            assert len(await texts.nth(known).inner_text()) > len("a few words")
            opened += 1
        return opened


async def move_clock(page: Page, name: str) -> None:
    """Press a button of the clock, and wait until all that fell due is done and the phones show it."""
    clock = page.get_by_role("region", name="Clock")
    await button(clock, name).click()
    await expect(clock.get_by_role("status")).to_have_text(re.compile("^It is "), timeout=GENEROUS * 2000)
