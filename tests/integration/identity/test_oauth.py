"""ID-05: an account elsewhere is linked by a real ID token, and a keyed hash of its subject is all that is kept."""

from __future__ import annotations

import asyncio
import json
import time
from typing import Any
from uuid import uuid4

import asyncpg
import pytest
from joserfc import jwt
from joserfc.jwk import ECKey
from unora.identity.v1.events_pb2 import VerificationSignalRecorded
from unora.identity.v1.verification_service_pb2 import (
    SIGNAL_OUTCOME_VERIFIED,
    SIGNAL_TYPE_OAUTH,
    LinkOAuthRequest,
    ListSignalsRequest,
    Signal,
)
from unora.identity.v1.verification_service_pb2_grpc import VerificationServiceStub
from unora_testing.world import World

from tests.integration.identity.people import People, Signed
from tests.roles import role_of
from tests.support import refusal, request_id

pytestmark = pytest.mark.rule("ID-05")
KEY = ECKey.generate_key("P-256")


class Provider:
    """Plays the OpenID provider."""

    def __init__(self, world: World) -> None:
        public = {**KEY.as_dict(private=False), "kid": KEY.thumbprint(), "alg": "ES256", "use": "sig"}
        world.oidc_keys.write_text(json.dumps({"keys": [public]}))
        self.service = world.stub(VerificationServiceStub, "identity")

    def token(self, who: Signed, subject: str, key: ECKey = KEY, **changes: Any) -> str:
        now = int(time.time())
        claims: dict[str, Any] = {
            "iss": "https://played.invalid",
            "aud": "unora",
            "sub": subject,
            "nonce": who.member.id,
        }
        claims |= {"iat": now, "exp": now + 600, "email": "ada@quixley.example", **changes}
        return jwt.encode({"alg": "ES256", "kid": KEY.thumbprint()}, claims, key, algorithms=["ES256"])

    async def link(self, who: Signed, token: str, provider: str = "played", request: str = "") -> Signal:
        asked = LinkOAuthRequest(request_id=request or request_id(), provider=provider, id_token=token)
        return (await self.service.LinkOAuth(asked, metadata=who.metadata)).signal

    async def signals(self, who: Signed) -> list[Signal]:
        return list((await self.service.ListSignals(ListSignalsRequest(), metadata=who.metadata)).signals)


@pytest.fixture
def provider(world: World) -> Provider:
    return Provider(world)


async def test_an_account_is_linked_and_nothing_of_it_kept_but_a_keyed_hash(
    world: World, people: People, provider: Provider
) -> None:
    who, subject, call = await people.sign_in(), f"subject-{uuid4()}", request_id()
    token = provider.token(who, subject)
    first = await provider.link(who, token, request=call)
    assert (first.type, first.provider, first.outcome) == (SIGNAL_TYPE_OAUTH, "played", SIGNAL_OUTCOME_VERIFIED)
    assert await provider.link(who, token, request=call) == first
    assert await provider.link(who, provider.token(who, subject)) == first
    assert await provider.signals(who) == [first]
    (kept,) = await people.rows("verification_signals", user_id=who.member.user)
    assert len(bytes.fromhex(kept["opaque_token"])) == 32
    assert not {subject, "quixley"} & set(str(kept).split("'"))
    assert len(await world.events(VerificationSignalRecorded, who.member.id)) == 1


async def test_an_account_belongs_to_one_member_and_a_member_has_one(people: People, provider: Provider) -> None:
    who, other, subject = await people.sign_in(), await people.sign_in(), f"subject-{uuid4()}"
    await provider.link(who, provider.token(who, subject))
    for each, named in ((other, subject), (who, f"subject-{uuid4()}")):
        refused = await refusal(provider.link(each, provider.token(each, named)))
        assert (refused.code, refused.reason, refused.metadata) == ("FAILED_PRECONDITION", "OAUTH_ALREADY_LINKED", {})
    assert await provider.signals(other) == []


async def test_of_many_at_once_one_is_linked(world: World, people: People, provider: Provider) -> None:
    crowd, subject = [await people.sign_in() for _ in range(4)], f"subject-{uuid4()}"
    done = await asyncio.gather(
        *(provider.link(who, provider.token(who, subject)) for who in crowd for _ in range(2)), return_exceptions=True
    )
    linked = {each.signal_id for each in done if isinstance(each, Signal)}
    assert len(linked) == 1
    assert sorted([len(await provider.signals(who)) for who in crowd]) == [0, 0, 0, 1]
    async with role_of(world, "identity") as connection:
        with pytest.raises(asyncpg.UniqueViolationError) as refused:
            await connection.execute(
                """INSERT INTO identity.verification_signals
                    (id, user_id, signal_type, provider, opaque_token, outcome, created_at, decided_at)
                SELECT gen_random_uuid(), u.id, signal_type, provider, opaque_token, outcome, created_at, decided_at
                FROM identity.verification_signals s, unnest($2::uuid[]) u (id) WHERE s.id = $1""",
                next(iter(linked)),
                [who.member.user for who in crowd],
            )
        assert refused.value.constraint_name in (
            "uq_verification_signals_one_account",
            "uq_verification_signals_user_id_signal_type_provider",
        )


async def test_only_a_fresh_token_for_this_app_and_this_member_counts(people: People, provider: Provider) -> None:
    who, other, now = await people.sign_in(), await people.sign_in(), int(time.time())
    bad = {
        "another key": provider.token(who, "s", key=ECKey.generate_key("P-256")),
        "another issuer": provider.token(who, "s", iss="https://elsewhere.invalid"),
        "another app": provider.token(who, "s", aud="elsewhere"),
        "several apps, none of them its own": provider.token(who, "s", aud=["unora", "elsewhere"]),
        "another member": provider.token(other, "s"),
        "over": provider.token(who, "s", exp=now - 61),
        "made long ago": provider.token(who, "s", iat=now - 700),
        "made tomorrow": provider.token(who, "s", iat=now + 86400, exp=now + 90000),
        "no subject": provider.token(who, ""),
        "a subject that is none": provider.token(who, "s", sub=7),
        "unsigned": provider.token(who, "s").rpartition(".")[0] + ".",
        "garbage": "x" * 40,
    }
    for why, token in bad.items():
        refused = await refusal(provider.link(who, token))
        assert (refused.code, refused.reason) == ("INVALID_ARGUMENT", "ID_TOKEN_INVALID"), why
        assert token not in str(refused)
    assert await provider.signals(who) == []
    skewed = provider.token(who, f"subject-{uuid4()}", iat=now + 50, exp=now - 30)
    assert (await provider.link(who, skewed)).outcome == SIGNAL_OUTCOME_VERIFIED


async def test_a_provider_that_nobody_has_named_is_unknown(people: People, provider: Provider) -> None:
    who = await people.sign_in()
    refused = await refusal(provider.link(who, provider.token(who, "s"), provider="elsewhere"))
    assert (refused.code, refused.reason) == ("INVALID_ARGUMENT", "PROVIDER_UNKNOWN")
