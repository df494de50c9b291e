"""A call as a use case sees it."""

from __future__ import annotations

import pytest
from unora_common.call import Call
from unora_common.errors import Unauthenticated
from unora_common.ids import uuid7


def test_a_call_without_a_session_is_refused_where_one_is_needed() -> None:
    with pytest.raises(Unauthenticated):
        Call(method="/unora.identity.v1.AccountService/CloseAccount", caller="gateway", user=uuid7()).require_session()


def test_a_call_of_a_member_has_its_session() -> None:
    session = uuid7()
    call = Call(
        method="/unora.identity.v1.AccountService/CloseAccount", caller="gateway", user=uuid7(), session=session
    )
    assert call.require_session() == session
