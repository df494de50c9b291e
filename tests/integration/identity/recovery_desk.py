"""People who want an account back that lost its number."""

from __future__ import annotations

from typing import Any, Final
from uuid import uuid4

from google.type.date_pb2 import Date
from unora.identity.v1.account_service_pb2 import (
    LinkedAccount,
    RecoverAccountRequest,
    RecoverAccountResponse,
    RecoveryProof,
    StartRecoveryCheckRequest,
    StartRecoveryCheckResponse,
)
from unora_testing.world import World

from tests.integration.identity.gov_ids import Provider as GovId
from tests.integration.identity.gov_ids import fresh
from tests.integration.identity.people import ADA, People, Signed
from tests.integration.identity.test_oauth import Provider as OpenId
from tests.support import Refusal, refusal, request_id

WRONG = Date(year=1990, month=12, day=11)
Code = tuple[str, str]


class Desk:
    """People who want an account back."""

    def __init__(self, world: World, people: People) -> None:
        self.world = world
        self.people = people
        self.openid = OpenId(world)
        self.gov = GovId(world, people)

    async def code(self, number: str = "") -> Code:
        """A challenge to a number, by default a new one, and its code."""
        number = number or self.people.number()
        challenge = (await self.people.start(number)).challenge_id
        return challenge, self.people.codes(number)[-1]

    async def linked(self, *, ready: bool = False) -> tuple[Signed, str, str]:
        """A member with a linked account: with the number, and the subject."""
        number, subject = self.people.number(), f"subject-{uuid4()}"
        signed = await self.people.sign_in(number, "own")
        if ready:
            await self.people.ready(signed=signed)
        else:
            await self.people.update_profile(signed)
        await self.openid.link(signed, self.openid.token(signed, subject))
        return signed, number, subject

    async def lose(self, signed: Signed, number: str) -> str:
        """The member's number goes to a new account, whose id this returns."""
        await self.people.leave_unused(signed)
        given = await self.code(number)
        for _ in range(2):
            assert (await refusal(self.people.verify(*given, born=WRONG))).reason == "BIRTH_DATE_WRONG"
        done = await self.people.verify(*given, born=WRONG)
        assert done.created
        return done.user_id

    async def hidden(self, *, ready: bool = False) -> tuple[Signed, str, str]:
        """A member who has lost the number: with that, and the subject of a linked account."""
        signed, number, subject = await self.linked(ready=ready)
        await self.lose(signed, number)
        return signed, number, subject

    async def recover(
        self,
        signed: Signed,
        subject: str,
        given: Code,
        request: str = "",
        device: str = "",
        *,
        replaces: bool = False,
        **claims: Any,
    ) -> RecoverAccountResponse:
        token = self.openid.token(signed, subject, **{"nonce": given[0], **claims})
        linked = LinkedAccount(provider="played", id_token=token)
        return await self.ask(given, request, device, replaces=replaces, linked_account=linked)

    async def ask(
        self, given: Code, request: str = "", device: str = "", *, replaces: bool = False, **proof: Any
    ) -> RecoverAccountResponse:
        asked = RecoverAccountRequest(
            request_id=request or request_id(),
            challenge_id=given[0],
            code=given[1],
            device_id=device,
            proof=RecoveryProof(**proof),
            replaces_account=replaces,
        )
        return await self.people.accounts.RecoverAccount(asked)

    async def start_check(self, given: Code, request: str = "") -> StartRecoveryCheckResponse:
        asked = StartRecoveryCheckRequest(
            request_id=request or request_id(),
            challenge_id=given[0],
            code=given[1],
            name=ADA.name,
            date_of_birth=ADA.date_of_birth,
        )
        return await self.people.accounts.StartRecoveryCheck(asked)

    async def verified(self) -> tuple[Signed, str, str]:
        """A member with a verified Gov ID who has lost the number: with that, and the provider's token."""
        number, token = self.people.number(), fresh()
        signed = await self.people.sign_in(number)
        await self.people.update_profile(signed)
        await self.gov.result((await self.gov.start(signed)).reference, token)
        await self.lose(signed, number)
        return signed, number, token


def said(refused: Refusal) -> tuple[str, str, dict[str, str]]:
    return refused.code, refused.reason, refused.metadata


NOTHING: Final[tuple[str, str, dict[str, str]]] = ("FAILED_PRECONDITION", "NOTHING_TO_RECOVER", {})
