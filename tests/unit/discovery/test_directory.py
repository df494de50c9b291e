"""What discovery makes of identity's answers."""

from __future__ import annotations

from typing import Any, cast
from uuid import uuid4

import pytest
from unora.identity.v1.directory_service_pb2 import (
    DiscoveryProfile,
    GetDiscoveryProfilesRequest,
    GetDiscoveryProfilesResponse,
)
from unora_common.clients import Clients
from unora_discovery.clients import Directory

pytestmark = pytest.mark.rule("XX-08")


class Identity:
    """Answers about the first few members of each request."""

    def __init__(self, answered: int) -> None:
        self.answered = answered
        self.GetDiscoveryProfiles = "GetDiscoveryProfiles"

    def stub(self, *_: object) -> Identity:
        return self

    async def call(self, _: object, request: GetDiscoveryProfilesRequest) -> GetDiscoveryProfilesResponse:
        profiles = [DiscoveryProfile(user_id=user_id) for user_id in request.user_ids[: self.answered]]
        return GetDiscoveryProfilesResponse(profiles=profiles)


async def found(answered: int, members: int) -> int:
    return len(await Directory(cast("Clients", cast("Any", Identity(answered)))).get_profiles([uuid4()] * members))


async def test_members_that_an_answer_has_no_room_for_are_asked_about_again() -> None:
    assert await found(answered=7, members=20) == 20


async def test_an_answer_about_nobody_ends_the_asking() -> None:
    with pytest.raises(RuntimeError, match="none of 20 members"):
        await found(answered=0, members=20)
