"""One server of NATS for each file, and an empty stream for each test."""

from __future__ import annotations

from collections.abc import AsyncIterator
from pathlib import Path
from uuid import uuid4

import asyncpg
import pytest
from unora_testing.testbed import Testbed

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


@pytest.fixture
async def dsn(testbed: Testbed) -> AsyncIterator[str]:
    """An empty database."""
    name = f"sdk_{uuid4().hex}"
    connection = await asyncpg.connect(f"{testbed.postgres}/postgres")
    await connection.execute(f"CREATE DATABASE {name}")
    yield f"{testbed.postgres}/{name}"
    await connection.execute(f"DROP DATABASE {name} WITH (FORCE)")
    await connection.close()
