"""What several methods read of a call or of a request in the same way."""

from __future__ import annotations

from typing import Any
from uuid import UUID

from google.type.date_pb2 import Date
from unora_common.call import Call

from unora_identity.messages.profiles import from_date
from unora_identity.use_cases.code_entry import Entry


async def current_session(servicer: Any, request: Any, call: Call) -> UUID:
    """The session of the call, for `@idempotent(prepare=…)`. Raises Unauthenticated for a call without one."""
    return call.require_session()


def read_code_entry(request: Any, *, birth_date: Date | None = None, totp_code: str = "") -> Entry:
    """The code of a request, with what came beside it. Raises InvalidArgument for a date that does not exist."""
    return Entry(
        request_id=UUID(request.request_id),
        challenge_id=UUID(request.challenge_id),
        code=request.code,
        device_id=request.device_id,
        birth_date=from_date("birth_date", birth_date) if birth_date else None,
        totp_code=totp_code,
    )
