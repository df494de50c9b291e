"""The demo's members can sign in (ID-11)."""

from unora_identity.domain.phone_numbers import read_phone_number
from unora_identity.domain.policy import Policy
from unora_local.members import invented_number


def test_invented_numbers_get_texts() -> None:
    refused = [
        number
        for number in (invented_number() for _ in range(500))
        if not read_phone_number(number, Policy()).gets_texts
    ]
    assert not refused
