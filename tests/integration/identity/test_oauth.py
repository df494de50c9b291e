"""ID-05: a real ID token links an account of a provider, of which only a keyed hash is stored."""

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
    """Acts as the OpenID provider."""

    def __init__(self, world: World) -> None:
        public = {**KEY.as_dict(private=False), "kid": KEY.thumbprint(), "alg": "ES256", "use": "sig"}
        world.oidc_keys.write_text(json.dumps({"keys": [public]}))
        self.service = world.stub(VerificationServiceStub, "identity")

    def token(self, signed: Signed, subject: str, key: ECKey = KEY, **changes: Any) -> str:
        now = int(time.time())
        claims: dict[str, Any] = {
            "iss": "https://played.invalid",
            "aud": "unora",
            "sub": subject,
            "nonce": signed.member.id,
        }
        claims |= {"iat": now, "exp": now + 600, "email": "ada@quixley.example", **changes}
        return jwt.encode({"alg": "ES256", "kid": KEY.thumbprint()}, claims, key, algorithms=["ES256"])

    async def link(self, signed: Signed, token: str, provider: str = "played", request: str = "") -> Signal:
        asked = LinkOAuthRequest(request_id=request or request_id(), provider=provider, id_token=token)
        return (await self.service.LinkOAuth(asked, metadata=signed.metadata)).signal

    async def signals(self, signed: Signed) -> list[Signal]:
        return list((await self.service.ListSignals(ListSignalsRequest(), metadata=signed.metadata)).signals)


@pytest.fixture
def provider(world: World) -> Provider:
    return Provider(world)


async def test_a_linked_account_is_stored_as_a_keyed_hash_only(
    world: World, people: People, provider: Provider
) -> None:
    signed, subject, call = await people.sign_in(), f"subject-{uuid4()}", request_id()
    token = provider.token(signed, subject)
    first = await provider.link(signed, token, request=call)
    assert (first.type, first.provider, first.outcome) == (SIGNAL_TYPE_OAUTH, "played", SIGNAL_OUTCOME_VERIFIED)
    assert await provider.link(signed, token, request=call) == first
    assert await provider.link(signed, provider.token(signed, subject)) == first
    assert await provider.signals(signed) == [first]
    (kept,) = await people.rows("verification_signals", user_id=signed.member.user)
    assert len(bytes.fromhex(kept["opaque_token"])) == 32
    assert not {subject, "quixley"} & set(str(kept).split("'"))
    assert len(await world.events(VerificationSignalRecorded, signed.member.id)) == 1


async def test_an_account_belongs_to_one_member_and_a_member_has_one(people: People, provider: Provider) -> None:
    signed, other, subject = await people.sign_in(), await people.sign_in(), f"subject-{uuid4()}"
    await provider.link(signed, provider.token(signed, subject))
    for each, named in ((other, subject), (signed, f"subject-{uuid4()}")):
        refused = await refusal(provider.link(each, provider.token(each, named)))
        assert (refused.code, refused.reason, refused.metadata) == ("FAILED_PRECONDITION", "OAUTH_ALREADY_LINKED", {})
    assert await provider.signals(other) == []


async def test_a_session_that_signed_in_long_ago_links_nothing_new(people: People, provider: Provider) -> None:
    signed, late, subject = await people.sign_in(), await people.sign_in(), f"subject-{uuid4()}"
    linked = await provider.link(signed, provider.token(signed, subject))
    for each in (signed, late):
        await people.age(each, minutes=15)
    assert await provider.link(signed, provider.token(signed, subject)) == linked
    refused = await refusal(provider.link(late, provider.token(late, f"subject-{uuid4()}")))
    assert (refused.code, refused.reason) == ("FAILED_PRECONDITION", "SIGN_IN_TOO_OLD")
    assert await provider.signals(late) == []


async def test_concurrent_links_of_one_account_link_it_once(world: World, people: People, provider: Provider) -> None:
    several, subject = [await people.sign_in() for _ in range(4)], f"subject-{uuid4()}"
    done = await asyncio.gather(
        *(provider.link(signed, provider.token(signed, subject)) for signed in several for _ in range(2)),
        return_exceptions=True,
    )
    linked = {each.signal_id for each in done if isinstance(each, Signal)}
    assert len(linked) == 1
    assert sorted([len(await provider.signals(signed)) for signed in several]) == [0, 0, 0, 1]
    async with role_of(world, "identity") as connection:
        with pytest.raises(asyncpg.UniqueViolationError) as refused:
            await connection.execute(
                """INSERT INTO identity.verification_signals
                    (id, user_id, signal_type, provider, opaque_token, outcome, created_at, decided_at)
                SELECT gen_random_uuid(), u.id, signal_type, provider, opaque_token, outcome, created_at, decided_at
                FROM identity.verification_signals s, unnest($2::uuid[]) u (id) WHERE s.id = $1""",
                next(iter(linked)),
                [signed.member.user for signed in several],
            )
        assert refused.value.constraint_name in (
            "uq_verification_signals_one_account",
            "uq_verification_signals_user_id_signal_type_provider",
        )


async def test_only_a_fresh_token_for_this_app_and_this_member_counts(people: People, provider: Provider) -> None:
    signed, other, now = await people.sign_in(), await people.sign_in(), int(time.time())
    bad = {
        "another key": provider.token(signed, "s", key=ECKey.generate_key("P-256")),
        "another issuer": provider.token(signed, "s", iss="https://elsewhere.invalid"),
        "another app": provider.token(signed, "s", aud="elsewhere"),
        "several apps, none of them its own": provider.token(signed, "s", aud=["unora", "elsewhere"]),
        "another member": provider.token(other, "s"),
        "expired": provider.token(signed, "s", exp=now - 61),
        "made long ago": provider.token(signed, "s", iat=now - 700),
        "made tomorrow": provider.token(signed, "s", iat=now + 86400, exp=now + 90000),
        "no subject": provider.token(signed, ""),
        "a subject that is no text": provider.token(signed, "s", sub=7),
        "unsigned": provider.token(signed, "s").rpartition(".")[0] + ".",
        "garbage": "x" * 40,
    }
    for why, token in bad.items():
        refused = await refusal(provider.link(signed, token))
        assert (refused.code, refused.reason) == ("INVALID_ARGUMENT", "ID_TOKEN_INVALID"), why
        assert token not in str(refused)
    assert await provider.signals(signed) == []
    skewed = provider.token(signed, f"subject-{uuid4()}", iat=now + 50, exp=now - 30)
    assert (await provider.link(signed, skewed)).outcome == SIGNAL_OUTCOME_VERIFIED


async def test_a_provider_that_is_not_configured_is_unknown(people: People, provider: Provider) -> None:
    signed = await people.sign_in()
    refused = await refusal(provider.link(signed, provider.token(signed, "s"), provider="elsewhere"))
    assert (refused.code, refused.reason) == ("INVALID_ARGUMENT", "PROVIDER_UNKNOWN")
