"""A real Chromium that opens the page of a running stack, and what it must never do meanwhile."""

from __future__ import annotations

import os
import shutil
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Final, Literal

from playwright.async_api import Browser, BrowserContext, ConsoleMessage, Page, Request, async_playwright, expect
from unora_testing.deadlines import GENEROUS

CHROMIUM: Final = shutil.which("chromium") or shutil.which("chromium-browser")
AXE: Final = Path(__file__).resolve().parents[3] / "deploy/local/page/node_modules/axe-core/axe.min.js"
PICTURES: Final = Path(__file__).resolve().parents[3] / "docs" / "pictures"
KEEP: Final = "UNORA_PAGE_PICTURES"
"""The variable that asks for new pictures of the page in docs/; without it a run changes no file."""
SHOWN_DARK: Final = "payment-window"
"""The screen that docs/ shows in both schemes."""
ARGUMENTS: Final = (
    "--headless",
    "--no-sandbox",
    "--disable-gpu",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
    "--no-first-run",
)
DESKTOP: Final = (1280, 900)
HANDHELD: Final = (390, 844)
expect.set_options(timeout=GENEROUS * 1000)
Scheme = Literal["light", "dark"]


@asynccontextmanager
async def chromium() -> AsyncIterator[Browser]:
    """Debian's Chromium, with a folder of its own that is gone afterwards."""
    async with async_playwright() as playwright:
        browser = await playwright.chromium.launch(executable_path=CHROMIUM, args=list(ARGUMENTS))
        try:
            yield browser
        finally:
            await browser.close()


class Window:
    """A window of the browser with the page in it."""

    def __init__(self, context: BrowserContext, page: Page, address: str) -> None:
        self.context = context
        self.page = page
        self.address = address
        self.wrong: list[str] = []
        """What the console said, such as a breach of the content security policy, and requests to other places."""
        self.faults: list[str] = []
        """What axe has found, as the test notes it."""
        page.on("console", self._heard)
        page.on("pageerror", lambda error: self.wrong.append(str(error)))
        page.on("request", self._asked)

    async def look(self, scheme: Scheme, name: str) -> list[str]:
        """The faults that axe finds in this scheme; with KEEP, also a picture in docs/."""
        await self.page.emulate_media(color_scheme=scheme, reduced_motion="reduce")
        if os.environ.get(KEEP) and (scheme == "light" or name == SHOWN_DARK):
            PICTURES.mkdir(exist_ok=True)
            await self.page.screenshot(path=PICTURES / f"page-{name}-{scheme}.png", full_page=True)
        if not await self.page.evaluate("'axe' in window"):
            await self.page.evaluate(AXE.read_text())
        rules = ["wcag2a", "wcag2aa", "wcag21a", "wcag21aa", "best-practice"]
        found = await self.page.evaluate("rules => axe.run(document, {runOnly: rules})", rules)
        return [f"{each['id']}: {node['html']}" for each in found["violations"] for node in each["nodes"]]

    def _heard(self, message: ConsoleMessage) -> None:
        # The browser itself notes each answer of 4xx; what it means for people is on the screen.
        if message.type == "error" and not message.text.startswith("Failed to load resource"):
            self.wrong.append(message.text)

    def _asked(self, request: Request) -> None:
        if not request.url.startswith((self.address, "http://127.0.0.1:", "data:")):
            self.wrong.append(f"a request to {request.url}")


@asynccontextmanager
async def window(browser: Browser, address: str, size: tuple[int, int] = DESKTOP) -> AsyncIterator[Window]:
    """A window that nothing was opened in before; afterwards nothing may have been wrong in it."""
    context = await browser.new_context(viewport={"width": size[0], "height": size[1]}, locale="en-GB")
    context.set_default_timeout(GENEROUS * 1000)
    try:
        made = Window(context, await context.new_page(), address)
        await made.page.goto(f"{address}/local/")
        yield made
        assert made.wrong == []
    finally:
        await context.close()
