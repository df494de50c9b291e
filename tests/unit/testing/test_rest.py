"""The channel that calls over REST: what it puts where, and what it reads from an error."""

from __future__ import annotations

import json

import pytest
from google.api.httpbody_pb2 import HttpBody
from unora.billing.v1 import billing_service_pb2 as billing
from unora.billing.v1 import webhook_service_pb2
from unora.billing.v1.billing_service_pb2 import PAYMENT_PURPOSE_REVEAL
from unora.common.v1.types_pb2 import SERVER_TYPE_PARTNER
from unora.discovery.v1 import discovery_service_pb2 as discovery
from unora.identity.v1 import place_service_pb2 as places
from unora.streak.v1 import recovery_service_pb2
from unora.streak.v1 import streak_service_pb2 as streaks
from unora_common.grpc_errors import read_details
from unora_testing.rest.binding import NoRouteError, binding_of
from unora_testing.rest.errors import NotTheShape, to_grpc_error

LOADED = (recovery_service_pb2, webhook_service_pb2)
"""A route is read from descriptors, which are there once their module is imported."""


def test_a_field_of_the_path_is_not_in_the_body() -> None:
    binding = binding_of("/unora.streak.v1.StreakService/CheckIn")
    request = binding.request(streaks.CheckInRequest(request_id="r", streak_id="a/b c"))
    assert (request.verb, request.path) == ("POST", "/v1/streaks/a%2Fb%20c:checkIn")
    assert json.loads(request.body or b"") == {"request_id": "r"}


def test_a_read_has_its_fields_in_the_query_and_no_body() -> None:
    binding = binding_of("/unora.identity.v1.PlaceService/SearchPlaces")
    request = binding.request(places.SearchPlacesRequest(query="são p"))
    assert (request.verb, request.query, request.body) == ("GET", (("query", "são p"),), None)


def test_an_enum_goes_into_a_path_by_its_name() -> None:
    binding = binding_of("/unora.discovery.v1.DiscoveryService/GetScreen")
    request = binding.request(discovery.GetScreenRequest(server_type=SERVER_TYPE_PARTNER))
    assert request.path == "/v1/servers/SERVER_TYPE_PARTNER/screen"


def test_a_webhook_goes_as_its_bytes() -> None:
    binding = binding_of("/unora.billing.v1.WebhookService/ReceiveProviderEvent")
    request = binding.request(HttpBody(data=b'{ "id": 1}', content_type="application/json"))
    assert (request.path, request.body) == ("/v1/webhooks/payments", b'{ "id": 1}')


def test_a_method_for_services_has_no_route() -> None:
    with pytest.raises(NoRouteError, match="AuthorizeRecovery"):
        binding_of("/unora.streak.v1.RecoveryService/AuthorizeRecovery")


def test_an_error_is_read_as_the_error_of_grpc() -> None:
    said = {
        "code": "INVALID_ARGUMENT",
        "reason": "INVALID_ARGUMENT",
        "message": "Look at the fields.",
        "metadata": {"retry_after": "1"},
        "violations": [{"field": "hobbies[1].micro_description", "reason": "too long"}],
    }
    error = to_grpc_error(400, json.dumps(said).encode())
    info, bad, sentence = read_details(error)
    assert (error.code().name, info.reason, dict(info.metadata)) == ("INVALID_ARGUMENT",) * 2 + ({"retry_after": "1"},)
    assert [(each.field, each.description) for each in bad.field_violations] == [
        ("hobbies[1].micro_description", "too long")
    ]
    assert sentence.message == "Look at the fields."


@pytest.mark.parametrize("body", [b"", b"upstream connect error", b"{}", b'{"code": "NOT_A_CODE"}', b"[]"])
def test_another_shape_is_a_fault(body: bytes) -> None:
    with pytest.raises(NotTheShape):
        to_grpc_error(503, body)


def test_an_enum_and_a_number_of_a_read_go_into_the_query() -> None:
    binding = binding_of("/unora.billing.v1.BillingService/GetQuote")
    request = binding.request(billing.GetQuoteRequest(purpose=PAYMENT_PURPOSE_REVEAL, reveal_number=3))
    assert dict(request.query) == {"purpose": "PAYMENT_PURPOSE_REVEAL", "reveal_number": "3"}
