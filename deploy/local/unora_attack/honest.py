"""Honest members, in a process of their own: a call every 25 ms, whether earlier ones were answered or not.

When a call begins, that time is printed, and when it is over, a sample with the same time: a line of JSON each. The
process ends when its input ends.
"""

from __future__ import annotations

import asyncio
import sys
import time
from collections.abc import Callable, Coroutine
from itertools import count, cycle
from pathlib import Path
from typing import Any, Final

import grpc
import msgspec
import uvloop
from google.protobuf.field_mask_pb2 import FieldMask
from google.protobuf.message import Message
from unora.billing.v1.billing_service_pb2 import GetCreditsRequest, GetSubscriptionRequest
from unora.common.v1.types_pb2 import SERVER_TYPE_PARTNER
from unora.discovery.v1.discovery_service_pb2 import Filters, ListServersRequest, UpdateFiltersRequest
from unora.identity.v1.account_service_pb2 import GetAccountRequest
from unora.identity.v1.directory_service_pb2 import ListRevocationsRequest
from unora.identity.v1.profile_service_pb2 import (
    CompletePhotoUploadRequest,
    CompletePhotoUploadResponse,
    CreatePhotoUploadRequest,
    CreatePhotoUploadResponse,
    DeletePhotoRequest,
    GetProfileRequest,
    ListPhotosRequest,
    Profile,
    UpdateProfileRequest,
)
from unora.matching.v1.matching_service_pb2 import GetInventoryRequest, ListConnectionsRequest
from unora.reveal.v1.personality_service_pb2 import ListMyAnswersRequest
from unora.safety.v1.safety_service_pb2 import ListBlocksRequest
from unora.streak.v1.streak_service_pb2 import GetDashboardRequest
from unora_common.grpc_errors import reason_of
from unora_local import objects
from unora_local.client import request_id

from unora_attack.figures import DEADLINES, OK, Kind, Sample
from unora_attack.stack import Target, call

BETWEEN_CALLS: Final = 0.025
"""Seconds between two calls of members: enough calls for a 99th percentile within an attack, and little load."""
BETWEEN_CALLS_OF_CONTEXTS: Final = 0.25
"""Seconds between two calls that a context makes: contexts ask each other less often than members ask them."""
BETWEEN_UPLOADS: Final = 1.0
"""Seconds that each member who uploads rests between two photos."""
REVOCATIONS: Final = "identity.v1.DirectoryService/ListRevocations"


class Plan(msgspec.Struct):
    """What the process needs."""

    target: Target
    tokens: list[str]
    """Of the members who call."""
    uploaders: list[str] = []
    """Tokens of the members who upload photos."""
    photos: list[str] = []
    """Files that they upload."""


def _write() -> UpdateProfileRequest:
    bio = Profile(bio="Long walks, short messages, no rush.")
    return UpdateProfileRequest(request_id=request_id(), profile=bio, update_mask=FieldMask(paths=["bio"]))


def _filter() -> UpdateFiltersRequest:
    mask = FieldMask(paths=["same_city_only"])
    return UpdateFiltersRequest(
        request_id=request_id(), server_type=SERVER_TYPE_PARTNER, filters=Filters(same_city_only=True), update_mask=mask
    )


CALLS: Final[tuple[tuple[str, Callable[[], Message]], ...]] = (
    ("identity.v1.ProfileService/GetProfile", GetProfileRequest),
    ("streak.v1.StreakService/GetDashboard", GetDashboardRequest),
    ("matching.v1.MatchingService/ListConnections", lambda: ListConnectionsRequest(page_size=20)),
    ("billing.v1.BillingService/GetSubscription", GetSubscriptionRequest),
    ("identity.v1.ProfileService/UpdateProfile", _write),
    ("discovery.v1.DiscoveryService/ListServers", ListServersRequest),
    ("safety.v1.SafetyService/ListBlocks", ListBlocksRequest),
    ("identity.v1.ProfileService/ListPhotos", ListPhotosRequest),
    ("streak.v1.StreakService/GetDashboard", GetDashboardRequest),
    ("discovery.v1.DiscoveryService/UpdateFilters", _filter),
    ("matching.v1.MatchingService/GetInventory", GetInventoryRequest),
    ("billing.v1.BillingService/GetCredits", GetCreditsRequest),
    ("identity.v1.AccountService/GetAccount", GetAccountRequest),
    ("reveal.v1.PersonalityService/ListMyAnswers", ListMyAnswersRequest),
)
"""In turn: reads and writes of all contexts, most of them of identity, which is attacked most."""


class Honest:
    """All that the process does."""

    def __init__(self, plan: Plan) -> None:
        self._plan = plan
        self._members = {context: plan.target.channel(context) for context in plan.target.addresses}
        self._context = plan.target.channel("identity", "matching")

    async def run(self) -> None:
        """Goes on until it is cancelled."""
        async with asyncio.TaskGroup() as group:
            group.create_task(self._call_steadily(group))
            group.create_task(self._ask_for_revocations(group))
            for number, token in enumerate(self._plan.uploaders):
                group.create_task(self._upload(token, self._plan.photos[number :: len(self._plan.uploaders)]))

    async def _call_steadily(self, group: asyncio.TaskGroup) -> None:
        tokens = cycle(self._plan.tokens)
        # Neither of the two numbers of members and methods divides the other, so each member calls each method.
        calls = cycle(CALLS)

        async def one() -> None:
            method, make = next(calls)
            await self._call(Kind.MEMBER, method, make(), next(tokens))

        await _steadily(group, BETWEEN_CALLS, one)

    async def _ask_for_revocations(self, group: asyncio.TaskGroup) -> None:
        async def one() -> None:
            await self._call(Kind.CONTEXT, REVOCATIONS, ListRevocationsRequest())

        await _steadily(group, BETWEEN_CALLS_OF_CONTEXTS, one)

    async def _upload(self, token: str, files: list[str]) -> None:
        for file in cycle(files):
            await self._upload_one(token, await asyncio.to_thread(Path(file).read_bytes))
            await asyncio.sleep(BETWEEN_UPLOADS)

    async def _upload_one(self, token: str, photo: bytes) -> None:
        """Offers, posts, completes; then deletes the photo, so that there is always room for the next."""
        profiles = "identity.v1.ProfileService/"
        offer = CreatePhotoUploadRequest(request_id=request_id(), content_type="image/jpeg")
        created = await self._call(Kind.MEMBER, f"{profiles}CreatePhotoUpload", offer, token)
        if created is None:
            return
        upload = CreatePhotoUploadResponse.FromString(created)
        await objects.post(upload.url, upload.form_fields, photo)
        complete = CompletePhotoUploadRequest(request_id=request_id(), photo_id=upload.photo_id)
        done = await self._call(Kind.UPLOAD, f"{profiles}CompletePhotoUpload", complete, token)
        if done is not None:
            photo_id = CompletePhotoUploadResponse.FromString(done).photo.photo_id
            delete = DeletePhotoRequest(request_id=request_id(), photo_id=photo_id)
            await self._call(Kind.MEMBER, f"{profiles}DeletePhoto", delete, token)

    async def _call(self, kind: Kind, method: str, request: Message, token: str = "") -> bytes | None:
        """One call, and its line of output. The answer's bytes; None if it was not answered."""
        channel = self._context if kind is Kind.CONTEXT else self._members[method.split(".")[0]]
        answer: bytes | None = None
        began, outcome = time.monotonic(), OK
        _print(began)
        try:
            answer = await call(channel, method, request.SerializeToString(), token=token, seconds=DEADLINES[kind])
        except grpc.aio.AioRpcError as error:
            outcome = f"{error.code().name} {reason_of(error)}".rstrip()
        _print(Sample(kind, method.split("/")[1], began, time.monotonic() - began, outcome))
        return answer


def _print(line: Sample | float) -> None:
    sys.stdout.buffer.write(msgspec.json.encode(line) + b"\n")
    sys.stdout.buffer.flush()


async def _steadily(group: asyncio.TaskGroup, seconds: float, one: Callable[[], Coroutine[Any, Any, None]]) -> None:
    """Begins one call after another at fixed times: a slow service is not called less often."""
    begin = asyncio.get_running_loop().time()
    for number in count():
        await asyncio.sleep(max(begin + number * seconds - asyncio.get_running_loop().time(), 0))
        group.create_task(one())


async def main(plan: Plan) -> None:
    """Calls until the input of this process ends."""
    calling = asyncio.create_task(Honest(plan).run())
    ended = asyncio.create_task(asyncio.to_thread(sys.stdin.buffer.read))
    await asyncio.wait({calling, ended}, return_when=asyncio.FIRST_COMPLETED)
    if calling.done():
        await calling


if __name__ == "__main__":
    with asyncio.Runner(loop_factory=uvloop.new_event_loop) as runner:
        runner.run(main(msgspec.json.decode(Path(sys.argv[1]).read_bytes(), type=Plan)))
