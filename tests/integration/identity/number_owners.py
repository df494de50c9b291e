"""Owners of numbers who have not used their account for long (ID-13)."""

from __future__ import annotations

import grpc
from google.type.date_pb2 import Date
from unora.identity.v1.account_service_pb2 import VerifyPhoneResponse

from tests.integration.identity.people import ADA, People, Signed
from tests.support import Refusal, read_refusal

RIGHT = ADA.date_of_birth


WRONG = Date(year=1990, month=12, day=11)


class Owner:
    """A member whose account nobody has used for long, and who may have lost the number."""

    def __init__(self, people: People, number: str, signed: Signed) -> None:
        self.people = people
        self.number = number
        self.signed = signed

    async def code(self) -> tuple[str, str]:
        """A challenge to the number, and its code."""
        challenge = (await self.people.start(self.number)).challenge_id
        return challenge, self.people.codes(self.number)[-1]

    async def try_date(self, born: Date, device: str = "") -> VerifyPhoneResponse | Refusal:
        """What a date is answered by, with a new code."""
        try:
            return await self.people.verify(*await self.code(), device=device, born=born)
        except grpc.aio.AioRpcError as error:
            return read_refusal(error)

    async def row(self) -> dict[str, object]:
        (row,) = await self.people.rows("users", id=self.signed.member.user)
        return row

    async def tries(self) -> int:
        return len(await self.people.rows("wrong_birth_dates", user_id=self.signed.member.user))


async def owner(people: People, device: str = "", days: float = 47, *, born: bool = True) -> Owner:
    number = people.number()
    signed = await people.sign_in(number, device)
    if born:
        await people.update_profile(signed)
    await people.leave_unused(signed, days)
    return Owner(people, number, signed)


def said(answer: VerifyPhoneResponse | Refusal) -> tuple[str, dict[str, str]]:
    assert isinstance(answer, Refusal), f"it was answered: {answer}"
    assert answer.code == "FAILED_PRECONDITION"
    return answer.reason, answer.metadata
