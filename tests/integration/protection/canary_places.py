"""Where planted texts are searched for: tables, streams, logs of servers, stored photos."""

from __future__ import annotations

from pathlib import Path

from unora.identity.v1.profile_service_pb2 import ListPhotosRequest
from unora_common.config import CONTEXTS
from unora_common.stream_settings import DEAD_LETTERS
from unora_sdk.names import stream
from unora_testing.deadlines import GENEROUS
from unora_testing.testbed import Testbed
from unora_testing.world import World

from tests.integration.identity.objects import fetch
from tests.integration.protection.canaries import Canaries
from tests.integration.protection.scenario import Member, Scenario


def read_server_logs(testbed: Testbed) -> dict[str, bytes]:
    """The logs of Postgres, NATS and the object store."""
    return {log.name: log.read_bytes() for log in Path(testbed.folder).glob("*.log")}


async def read_streams(world: World) -> bytes:
    """Every message of every stream of NATS, with its subject and its headers."""
    admin = await world.testbed.admin(world.worker)
    found = bytearray()
    try:
        manager = admin.jetstream(timeout=GENEROUS)
        for name in (*map(stream, CONTEXTS), DEAD_LETTERS):
            state = (await manager.stream_info(name)).state
            for number in range(state.first_seq or 1, (state.last_seq or 0) + 1):
                message = await manager.get_msg(name, number)
                found += f"{message.subject} {message.headers}".encode() + (message.data or b"")
    finally:
        await admin.close()
    assert len(found) > 10_000  # proves that there are messages to search
    return bytes(found)


async def search_tables(world: World, canaries: Canaries) -> dict[str, set[tuple[str, str]]]:
    """The tables that contain each planted text."""
    found: dict[str, set[tuple[str, str]]] = {what: set() for what in canaries.planted}
    tables = await world.superuser.fetch(
        "SELECT schemaname, tablename FROM pg_tables WHERE schemaname = ANY ($1) ORDER BY 1, 2", list(CONTEXTS)
    )
    for schema, table in tables:
        for row in await world.superuser.fetch(f'SELECT t::text AS whole FROM {schema}."{table}" t'):
            for what in canaries.found_in(row["whole"].encode()):
                found[what].add((schema, table))
    return found


async def search_photos(scenario: Scenario, canaries: Canaries, member: Member) -> None:
    """PR-07, PR-09: no stored size of a photo has any of the uploaded metadata."""
    photos = (await scenario.arrivals.profiles.ListPhotos(ListPhotosRequest(), metadata=member.metadata)).photos
    for photo in photos:
        for link in (photo.url, photo.card_url, photo.thumbnail_url):
            status, data = await fetch(link)
            assert (status, canaries.found_in(data)) == (200, set())
