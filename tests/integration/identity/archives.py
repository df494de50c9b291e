"""Members who export, their archives, and what is in the object store (ID-10)."""

from __future__ import annotations

import asyncio
import io
import json
from typing import Any
from zipfile import ZipFile

from unora.identity.v1.export_service_pb2 import (
    ExportAccountRequest,
    ExportAccountResponse,
    GetExportRequest,
    GetExportResponse,
)
from unora.identity.v1.export_service_pb2_grpc import ExportServiceStub
from unora_identity.providers.photo_store import PhotoStore
from unora_testing.world import Caller, World

from tests.integration.identity.objects import fetch
from tests.integration.identity.people import Signed
from tests.support import request_id


class Exporters:
    """Members who export."""

    def __init__(self, world: World) -> None:
        self.world = world
        self.stub = world.stub(ExportServiceStub, "identity")

    async def ask(self, signed: Signed | Caller, request: str = "") -> ExportAccountResponse:
        asked = ExportAccountRequest(request_id=request or request_id())
        return await self.stub.ExportAccount(asked, metadata=signed.metadata)

    async def get(self, signed: Signed | Caller) -> GetExportResponse:
        return await self.stub.GetExport(GetExportRequest(), metadata=signed.metadata)

    async def archive(self, signed: Signed | Caller) -> ZipFile:
        status, data = await fetch((await self.get(signed)).link)
        assert status == 200
        return ZipFile(io.BytesIO(data))

    async def lose_claims(self) -> None:
        """The time of all claims runs out, and waiting ends."""
        await self.world.superuser.execute(
            "UPDATE identity.exports SET claimed_until = clock_timestamp() - interval '1 second' WHERE state = 'making'"
        )


def read(archive: ZipFile, context: str) -> dict[str, list[dict[str, Any]]]:
    """The sections of one context."""
    content = json.loads(archive.read(f"{context}.json"))
    assert content["context"] == context
    sections: dict[str, list[dict[str, Any]]] = content["sections"]
    return sections


async def objects(store: PhotoStore, prefix: str) -> list[str]:
    """The keys of all objects under a prefix."""
    found = await asyncio.to_thread(store.client.list_objects_v2, Bucket=store.bucket, Prefix=prefix)
    return [each["Key"] for each in found.get("Contents", [])]


async def open_uploads(store: PhotoStore, prefix: str) -> list[str]:
    """The keys of all objects under a prefix that are begun and not completed."""
    found = await asyncio.to_thread(store.client.list_multipart_uploads, Bucket=store.bucket, Prefix=prefix)
    return [each["Key"] for each in found.get("Uploads", [])]
