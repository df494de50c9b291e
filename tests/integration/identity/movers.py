"""Members who change their number, as tests of ID-14 make them."""

from __future__ import annotations

from unora.identity.v1.account_service_pb2 import (
    ChangePhoneRequest,
    StartPhoneChangeRequest,
    StartPhoneChangeResponse,
)

from tests.integration.identity.people import People, Signed
from tests.support import request_id


class Movers:
    """Members who change their numbers."""

    def __init__(self, people: People) -> None:
        self.people = people

    async def start(self, signed: Signed, number: str, request: str = "") -> StartPhoneChangeResponse:
        asked = StartPhoneChangeRequest(request_id=request or request_id(), phone_number=number)
        return await self.people.accounts.StartPhoneChange(asked, metadata=signed.metadata)

    async def complete(self, signed: Signed, challenge: str, code: str, request: str = "") -> None:
        asked = ChangePhoneRequest(request_id=request or request_id(), challenge_id=challenge, code=code)
        await self.people.accounts.ChangePhone(asked, metadata=signed.metadata)

    async def challenge(self, signed: Signed, number: str) -> tuple[str, str]:
        """A challenge to the number, and its code."""
        challenge = (await self.start(signed, number)).challenge_id
        return challenge, self.people.codes(number)[-1]

    async def change(self, signed: Signed, number: str) -> None:
        await self.complete(signed, *await self.challenge(signed, number))


def wrong(code: str) -> str:
    return f"{(int(code) + 1) % 10**6:06d}"
