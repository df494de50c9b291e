"""PlaceService: the places that a city can be (PR-11)."""

from __future__ import annotations

from typing import Final

from unora.identity.v1.place_service_pb2 import SearchPlacesRequest, SearchPlacesResponse
from unora_common.call import Call
from unora_common.handlers import custom_read
from unora_common.runtime import Runtime

from unora_identity.config import IdentityConfig
from unora_identity.messages.profiles import to_place
from unora_identity.resources import Resources

PLACES: Final = 10
"""How many places a search answers if the request does not say."""


class Places:
    """The list of places; the same for all members."""

    service = "unora.identity.v1.PlaceService"

    def __init__(self, runtime: Runtime[IdentityConfig, Resources]) -> None:
        self.places = runtime.resources.places

    @custom_read
    async def SearchPlaces(self, request: SearchPlacesRequest, call: Call) -> SearchPlacesResponse:
        """PR-11: the places that members choose from."""
        found = self.places.search(request.query, request.country, request.limit or PLACES)
        return SearchPlacesResponse(places=[to_place(place) for place in found])
