"""A person's JSON becomes a request of the contract."""

from __future__ import annotations

import json
from uuid import UUID

import pytest
from google.api.httpbody_pb2 import HttpBody
from unora.common.v1.types_pb2 import SERVER_TYPE_PARTNER
from unora.discovery.v1.discovery_service_pb2 import JoinServerRequest
from unora.identity.v1.account_service_pb2 import GetAccountRequest
from unora.identity.v1.profile_service_pb2 import UpdateProfileRequest
from unora.safety.v1.moderation_service_pb2 import ListCasesRequest
from unora.streak.v1.streak_service_pb2 import CheckInRequest
from unora_local.client import Refused
from unora_local.keyboard import contract
from unora_local.keyboard.call import explain
from unora_local.keyboard.messages import from_json, to_json
from unora_local.mistakes import Mistake


def test_a_missing_request_id_is_filled_in_with_a_new_one() -> None:
    one, other = from_json(JoinServerRequest, "{}"), from_json(JoinServerRequest, "{}")
    assert UUID(one.request_id) != UUID(other.request_id)
    assert from_json(JoinServerRequest, '{"request_id": "mine"}').request_id == "mine"
    assert from_json(JoinServerRequest, '{"requestId": "mine"}').request_id == "mine"
    assert from_json(GetAccountRequest, "{}") == GetAccountRequest()


@pytest.mark.parametrize("value", ["SERVER_TYPE_PARTNER", "server_type_partner", "partner", "Partner", 1])
def test_enum_values_are_taken_in_any_case_with_or_without_their_prefix(value: str | int) -> None:
    body = json.dumps({"server_type": value})
    assert from_json(JoinServerRequest, body).server_type == SERVER_TYPE_PARTNER


def test_names_are_taken_as_in_the_contract_and_as_in_json() -> None:
    body = {"profile": {"timeZone": "Europe/Berlin", "gender": "woman"}, "update_mask": "time_zone,gender"}
    read = from_json(UpdateProfileRequest, json.dumps(body))
    assert (read.profile.time_zone, read.profile.gender) == ("Europe/Berlin", 1)
    assert list(read.update_mask.paths) == ["time_zone", "gender"]
    assert list(from_json(UpdateProfileRequest, '{"update_mask": "timeZone"}').update_mask.paths) == ["time_zone"]


@pytest.mark.parametrize(
    ("body", "said"),
    [
        ("{", "that is no JSON"),
        ("[]", "a JSON object"),
        ("[" * 100_000, "nested too deeply"),
        ('{"a":' * 100_000, "nested too deeply"),
        ('{"server_typ": 1}', "server_typ is no field of JoinServerRequest; its fields: request_id, server_type"),
        ('{"server_type": "partnr"}', "server_type: partnr is none of partner, friend, growth"),
        ('{"server_type": {"a": 1}}', "the request cannot be read"),
        ('{"request_id": 5}', "the request cannot be read"),
    ],
)
def test_a_mistake_is_told_with_the_field_and_what_there_is(body: str, said: str) -> None:
    with pytest.raises(Mistake, match=said):
        from_json(JoinServerRequest, body)


def test_a_mistake_deep_inside_is_told_with_its_path() -> None:
    with pytest.raises(Mistake, match=r"profile\.nam is no field of Profile"):
        from_json(UpdateProfileRequest, '{"profile": {"nam": "Ana"}}')
    field = next(each for each in ListCasesRequest.DESCRIPTOR.fields if each.enum_type is not None)
    value = ["nonsense"] if field.is_repeated else "nonsense"
    with pytest.raises(Mistake, match=rf"{field.name}(\[0\])?: nonsense is none of"):
        from_json(ListCasesRequest, json.dumps({field.name: value}))


def test_every_method_can_be_called_with_an_empty_object() -> None:
    """As far as the request can be made; the service judges it."""
    for policy in contract.methods().values():
        assert isinstance(from_json(policy.request, "{}"), policy.request)


def test_an_answer_shows_what_is_false_or_zero_by_the_names_of_the_contract() -> None:
    shown = json.loads(to_json(CheckInRequest(streak_id="x")))
    assert shown == {"request_id": "", "streak_id": "x", "effort_signal": "EFFORT_SIGNAL_UNSPECIFIED"}
    assert json.loads(to_json(HttpBody(data=b"raw")))["data"] == "cmF3"


def test_a_refusal_is_told_in_words_with_reason_metadata_and_violations() -> None:
    refused = Refused(
        "streak.CheckIn",
        "FAILED_PRECONDITION",
        "CHECK_IN_CLOSED",
        "The day is closed.",
        {"opens_at": "tomorrow"},
        {"streak_id": "must be a valid UUID"},
    )
    assert explain(refused).splitlines() == [
        "streak.CheckIn was refused: FAILED_PRECONDITION CHECK_IN_CLOSED",
        "  The day is closed.",
        "  opens_at: tomorrow",
        "  field streak_id: must be a valid UUID",
    ]
