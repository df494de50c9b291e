"""What readers read, over all contexts, and a change of each that may be made again and again."""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from typing import Any, Final

from google.protobuf.field_mask_pb2 import FieldMask
from unora.billing.v1.billing_service_pb2 import GetCreditsRequest, GetSubscriptionRequest
from unora.common.v1.types_pb2 import SERVER_TYPE_PARTNER
from unora.discovery.v1.discovery_service_pb2 import Filters, ListServersRequest, UpdateFiltersRequest
from unora.identity.v1.account_service_pb2 import GetAccountRequest
from unora.identity.v1.profile_service_pb2 import GetProfileRequest, ListPhotosRequest, Profile, UpdateProfileRequest
from unora.matching.v1.matching_service_pb2 import GetInventoryRequest, ListConnectionsRequest
from unora.reveal.v1.personality_service_pb2 import ListMyAnswersRequest
from unora.safety.v1.safety_service_pb2 import ListBlocksRequest
from unora.streak.v1.streak_service_pb2 import GetDashboardRequest
from unora_local.client import Gateway, request_id

Read = Callable[[Gateway, str], Awaitable[Any]]
"""A call of a member, by a token."""


def _profile() -> UpdateProfileRequest:
    bio = Profile(bio="Long walks, short messages, no rush.")
    return UpdateProfileRequest(request_id=request_id(), profile=bio, update_mask=FieldMask(paths=["bio"]))


def _filters() -> UpdateFiltersRequest:
    return UpdateFiltersRequest(
        request_id=request_id(),
        server_type=SERVER_TYPE_PARTNER,
        filters=Filters(same_city_only=False),
        update_mask=FieldMask(paths=["same_city_only"]),
    )


READS: Final[tuple[Read, ...]] = (
    lambda to, token: to.call(to.profiles.GetProfile, GetProfileRequest(), token),
    lambda to, token: to.call(to.streaks.GetDashboard, GetDashboardRequest(), token),
    lambda to, token: to.call(to.matching.ListConnections, ListConnectionsRequest(page_size=20), token),
    lambda to, token: to.call(to.billing.GetSubscription, GetSubscriptionRequest(), token),
    lambda to, token: to.call(to.profiles.UpdateProfile, _profile(), token),
    lambda to, token: to.call(to.discovery.ListServers, ListServersRequest(), token),
    lambda to, token: to.call(to.safety.ListBlocks, ListBlocksRequest(), token),
    lambda to, token: to.call(to.profiles.ListPhotos, ListPhotosRequest(), token),
    lambda to, token: to.call(to.discovery.UpdateFilters, _filters(), token),
    lambda to, token: to.call(to.matching.GetInventory, GetInventoryRequest(), token),
    lambda to, token: to.call(to.billing.GetCredits, GetCreditsRequest(), token),
    lambda to, token: to.call(to.accounts.GetAccount, GetAccountRequest(), token),
    lambda to, token: to.call(to.personality.ListMyAnswers, ListMyAnswersRequest(), token),
)
