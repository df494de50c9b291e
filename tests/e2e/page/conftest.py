"""One stack and one browser for all tests of the page. They end with the last of these tests, not with the run: also a
stack that is not used takes a tenth of a core.
"""

from __future__ import annotations

from collections.abc import AsyncIterator, Iterator

import pytest
from playwright.async_api import Browser
from unora_local.env import Env

from tests.e2e.page.browser import AXE, CHROMIUM, chromium
from tests.e2e.stack import Stack

if CHROMIUM is None:
    MISSING = "there is no Chromium: install it by `apt-get install chromium`"
elif not AXE.exists():
    MISSING = "axe, which looks at how accessible the page is, is not installed: run `make page`"
else:
    MISSING = ""


@pytest.fixture(scope="package")
def address(tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    """Of the gateway of a stack that runs."""
    if MISSING:
        pytest.skip(MISSING)
    stack = Stack(tmp_path_factory.mktemp("page") / "run")
    with stack.up(then="clean"):
        yield Env.read(stack.folder.env).plain_gateway


@pytest.fixture(scope="package")
async def browser(address: str) -> AsyncIterator[Browser]:
    async with chromium() as running:
        yield running
