"""What a client is shown of a request that the contract refuses."""

from __future__ import annotations

from collections.abc import Mapping

import protovalidate
from unora.billing.v1.billing_service_pb2 import PAYMENT_PURPOSE_NUDGE, CreatePaymentRequest
from unora_common.ids import uuid7
from unora_common.pipeline import _invalid


def violations(request: CreatePaymentRequest) -> Mapping[str, str]:
    return _invalid(protovalidate.collect_violations(request)).violations


def test_a_field_is_named_by_its_path() -> None:
    request = CreatePaymentRequest(request_id="x", purpose=PAYMENT_PURPOSE_NUDGE, streak_id=str(uuid7()))
    assert set(violations(request)) == {"request_id"}


def test_a_rule_about_several_fields_has_no_path_and_the_contracts_words() -> None:
    request = CreatePaymentRequest(
        request_id=str(uuid7()), purpose=PAYMENT_PURPOSE_NUDGE, streak_id=str(uuid7()), reveal_number=3
    )
    assert violations(request) == {"": "reveal_number is given for a reveal, and only for one"}
