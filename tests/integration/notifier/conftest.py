"""What several tests of the examples need."""

from __future__ import annotations

from collections.abc import AsyncIterator

import pytest

from tests.integration.notifier.google import Google


@pytest.fixture
async def google() -> AsyncIterator[Google]:
    made = Google()
    await made.start()
    yield made
    await made.stop()
