"""What a client is shown of a request that the contract refuses."""

from __future__ import annotations

from collections.abc import Mapping

import pytest
from google.protobuf.message import Message
from unora.billing.v1.billing_service_pb2 import PAYMENT_PURPOSE_NUDGE, CreatePaymentRequest
from unora.identity.v1.profile_service_pb2 import Hobby, SetHobbiesRequest
from unora.streak.v1.streak_service_pb2 import CheckInRequest
from unora_common.errors import InvalidArgument
from unora_common.ids import uuid7
from unora_common.violations import require_valid


def violations(request: Message) -> Mapping[str, str]:
    with pytest.raises(InvalidArgument) as refused:
        require_valid(request)
    return refused.value.violations


def test_a_field_is_named_by_its_path() -> None:
    request = CreatePaymentRequest(request_id="x", purpose=PAYMENT_PURPOSE_NUDGE, streak_id=str(uuid7()))
    assert violations(request) == {"request_id": "must be a valid UUID"}


def test_a_field_in_a_list_is_named_with_its_index_from_0() -> None:
    hobbies = [Hobby(hobby_option_id="chess", micro_description="every Sunday"), Hobby(hobby_option_id="go")]
    found = violations(SetHobbiesRequest(request_id=str(uuid7()), hobbies=hobbies))
    assert found == {"hobbies[1].micro_description": "must be at least 3 characters"}


def test_what_is_absent_must_be_given_an_enum_too() -> None:
    expected = dict.fromkeys(("request_id", "streak_id", "effort_signal"), "must be given")
    assert violations(CheckInRequest()) == expected


def test_an_unknown_value_of_an_enum_is_said_in_words() -> None:
    request = CheckInRequest(request_id=str(uuid7()), streak_id=str(uuid7()), effort_signal=99)  # type: ignore[arg-type]
    assert violations(request) == {"effort_signal": "is not one of the values that the contract names"}


def test_a_rule_about_several_fields_has_no_path_and_the_contracts_words() -> None:
    request = CreatePaymentRequest(
        request_id=str(uuid7()), purpose=PAYMENT_PURPOSE_NUDGE, streak_id=str(uuid7()), reveal_number=3
    )
    assert violations(request) == {"": "reveal_number is given for a reveal, and only for one"}
