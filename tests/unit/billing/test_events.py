"""The domain events of billing and their messages in the contract."""

from __future__ import annotations

from dataclasses import fields

import pytest
from unora.billing.v1 import events_pb2
from unora_billing.domain import events


@pytest.mark.parametrize("name", sorted(events_pb2.DESCRIPTOR.message_types_by_name))
def test_each_event_of_the_contract_is_a_domain_event_with_the_same_fields(name: str) -> None:
    message = events_pb2.DESCRIPTOR.message_types_by_name[name]
    assert {each.name for each in fields(getattr(events, name))} == set(message.fields_by_name)
