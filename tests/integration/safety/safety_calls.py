"""Members who met by a card or in a connection, and their calls of SafetyService."""

from __future__ import annotations

from unora.common.v1.types_pb2 import SERVER_TYPE_PARTNER
from unora.safety.v1.events_pb2 import REPORT_CATEGORY_HARASSMENT
from unora.safety.v1.restriction_service_pb2 import GetBlockRequest
from unora.safety.v1.restriction_service_pb2_grpc import RestrictionServiceStub
from unora.safety.v1.safety_service_pb2 import (
    Block,
    BlockUserRequest,
    ListBlocksRequest,
    ListBlocksResponse,
    ReportUserRequest,
    SubmitAppealRequest,
    Target,
    UnblockUserRequest,
)
from unora.safety.v1.safety_service_pb2_grpc import SafetyServiceStub
from unora_testing.world import Caller, World

from tests.integration.matching.people import SERVERS, People, Server
from tests.support import request_id


class SafetyCalls:
    """SafetyService as members call it."""

    def __init__(self, world: World) -> None:
        self.world = world
        self.stub = world.stub(SafetyServiceStub, "safety")
        self.restrictions = world.stub(RestrictionServiceStub, "safety", caller="reveal")
        self._people = People(world)

    def members(self, count: int) -> list[Caller]:
        """New members whom no context knows."""
        return [self.world.caller() for _ in range(count)]

    async def card(self, viewer: Caller, shown: Caller, server: Server = SERVER_TYPE_PARTNER) -> Target:
        """A card of the viewer that shows this member; it replaces the viewer's earlier batch."""
        return Target(card_id=await self._people.card(viewer, shown, server))

    async def connection(self, a: Caller, b: Caller) -> Target:
        """An ended connection of the two."""
        identifier = (await self._people.connect(a, b)).connection_id
        await self._people.end(a, identifier)
        return Target(connection_id=identifier)

    async def targets_of_one_person(self, me: Caller, other: Caller) -> list[Target]:
        """Four targets of `me` that all stand for the other member."""
        connection = await self.connection(me, other)
        return [connection, *[await self.card(me, other, server) for server in SERVERS]]

    async def block(self, member: Caller, target: Target, request: str = "") -> Block:
        asked = BlockUserRequest(request_id=request or request_id(), target=target)
        return (await self.stub.BlockUser(asked, metadata=member.metadata)).block

    async def unblock(self, member: Caller, block_id: str, request: str = "") -> None:
        asked = UnblockUserRequest(request_id=request or request_id(), block_id=block_id)
        await self.stub.UnblockUser(asked, metadata=member.metadata)

    async def list_blocks(self, member: Caller, size: int = 0, token: str = "") -> ListBlocksResponse:
        asked = ListBlocksRequest(page_size=size, page_token=token)
        return await self.stub.ListBlocks(asked, metadata=member.metadata)

    async def is_blocked(self, a: Caller, b: Caller) -> bool:
        """The answer that other contexts get."""
        asked = GetBlockRequest(user_a_id=a.id, user_b_id=b.id)
        return (await self.restrictions.GetBlock(asked)).blocked

    async def report(self, member: Caller, target: Target, note: str = "", request: str = "") -> str:
        asked = ReportUserRequest(
            request_id=request or request_id(), target=target, category=REPORT_CATEGORY_HARASSMENT, note=note
        )
        return (await self.stub.ReportUser(asked, metadata=member.metadata)).report_id

    async def appeal(self, member: Caller, text: str = "please look again", request: str = "") -> str:
        asked = SubmitAppealRequest(request_id=request or request_id(), text=text)
        return (await self.stub.SubmitAppeal(asked, metadata=member.metadata)).appeal_id
