"""One server of NATS for each file, and an empty stream for each test."""

from __future__ import annotations

from collections.abc import AsyncIterator
from pathlib import Path

import pytest

from tests.integration.sdk.platform import Platform, Seen


@pytest.fixture(scope="module")
async def server(tmp_path_factory: pytest.TempPathFactory) -> AsyncIterator[Platform]:
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("UNORA_REDELIVERY_SECONDS", "2")  # who is killed leaves its events for so long
        made = Platform(tmp_path_factory.mktemp("platform"))
        await made.start()
        yield made
        await made.stop()


@pytest.fixture
async def platform(server: Platform) -> Platform:
    await server.empty()
    return server


@pytest.fixture
def seen(tmp_path: Path) -> Seen:
    return Seen(tmp_path / "events.db")
