"""The verifier of access tokens: what it caches, and when it fetches keys."""

from __future__ import annotations

import asyncio
import base64
from collections.abc import Sequence
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from unora_common import tokens
from unora_common.errors import Unauthenticated
from unora_common.ids import uuid7
from unora_common.tokens import TokenExpired, Verifier
from unora_identity.providers.access_tokens import AccessTokens, new_signing_key

NOW = datetime(2026, 3, 1, 12, tzinfo=UTC)
OLD, NEW = new_signing_key(), new_signing_key()


class Identity:
    """Publishes keys, counts the requests, and can be unreachable."""

    def __init__(self, *keys: str) -> None:
        self.keys: Sequence[str] = keys
        self.asked = 0
        self.away = False

    async def fetch(self) -> dict[str, Any]:
        self.asked += 1
        await asyncio.sleep(0)  # others ask meanwhile, as they do while the real one is on its way
        if self.away:
            raise ConnectionRefusedError
        return dict(AccessTokens(self.keys).jwks())


def signed(key: str, life: timedelta = timedelta(minutes=15)) -> str:
    return AccessTokens([key], life, now=lambda: NOW).sign(user_id=uuid7(), session_id=uuid7(), roles=["admin"]).text


@pytest.fixture
def identity() -> Identity:
    return Identity(OLD)


class Clock:
    def __init__(self) -> None:
        self.moment = NOW

    def __call__(self) -> float:
        return self.moment.timestamp()


async def verifier(identity: Identity, clock: Clock | None = None) -> Verifier:
    made = Verifier(identity.fetch, clock or Clock())
    await made.refresh()
    return made


async def test_a_token_names_its_member_and_session(identity: Identity) -> None:
    user, session = uuid7(), uuid7()
    token = AccessTokens([OLD], now=lambda: NOW).sign(user_id=user, session_id=session, roles=["b", "a"]).text
    member = await (await verifier(identity)).verify(token)
    assert (member.user, member.session, member.roles) == (user, session, frozenset({"a", "b"}))
    assert member.expires == (NOW + timedelta(minutes=15)).timestamp()


async def test_a_cached_token_expires_too(identity: Identity) -> None:
    clock = Clock()
    verifies, token = await verifier(identity, clock), signed(OLD)
    await verifies.verify(token)
    clock.moment += timedelta(minutes=15) - timedelta(seconds=1)
    await verifies.verify(token)
    clock.moment += timedelta(seconds=1)
    for _ in range(2):
        with pytest.raises(TokenExpired):
            await verifies.verify(token)


async def test_without_keys_no_token_is_accepted(identity: Identity) -> None:
    identity.away = True
    verifies = Verifier(identity.fetch)
    assert not verifies.ready
    with pytest.raises((Unauthenticated, ConnectionRefusedError)):
        await verifies.verify(signed(OLD))


async def test_a_token_by_a_newer_key_makes_the_verifier_fetch_the_keys_once(
    identity: Identity, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(tokens, "KEY_REFRESH_MIN_INTERVAL", 0.0)
    verifies = await verifier(identity)
    identity.keys = [NEW, OLD]
    many = [signed(NEW) for _ in range(10)]
    await asyncio.gather(*(verifies.verify(token) for token in many))
    assert identity.asked == 2
    await verifies.verify(signed(OLD))


async def test_forged_key_ids_do_not_make_the_verifier_fetch_the_keys_all_the_time(identity: Identity) -> None:
    verifies = await verifier(identity)
    for _ in range(20):
        with pytest.raises(Unauthenticated):
            await verifies.verify(signed(new_signing_key()))
    assert identity.asked == 1


async def test_forged_key_ids_do_not_make_it_fetch_all_the_time_while_identity_is_away(
    identity: Identity, monkeypatch: pytest.MonkeyPatch
) -> None:
    verifies = await verifier(identity)
    identity.away = True
    monkeypatch.setattr(verifies, "_asked", float("-inf"))
    for _ in range(20):
        with pytest.raises((Unauthenticated, ConnectionRefusedError)):
            await verifies.verify(signed(new_signing_key()))
    assert identity.asked == 2


async def test_after_a_key_is_withdrawn_its_tokens_are_refused_even_if_cached(identity: Identity) -> None:
    verifies, token = await verifier(identity), signed(OLD)
    await verifies.verify(token)
    identity.keys = [NEW]
    await verifies.refresh()
    with pytest.raises(Unauthenticated):
        await verifies.verify(token)


async def test_the_cache_of_tokens_is_bounded(identity: Identity, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(tokens, "TOKEN_CACHE_SIZE", 3)
    clock = Clock()
    verifies = await verifier(identity, clock)
    for _ in range(10):
        await verifies.verify(signed(OLD))
        assert len(verifies._verified) <= 3
    clock.moment += timedelta(hours=1)
    with pytest.raises(TokenExpired):
        await verifies.verify(signed(OLD))


async def test_a_token_of_deeply_nested_json_is_an_invalid_token(identity: Identity) -> None:
    deep = base64.urlsafe_b64encode(b"[" * 2500).decode().rstrip("=")
    with pytest.raises(Unauthenticated):
        await (await verifier(identity)).verify(f"{deep}.e30.AA")


@pytest.mark.rule("SA-06")
async def test_a_token_says_whether_its_member_was_suspended(identity: Identity) -> None:
    verifies = await verifier(identity)
    tokens = AccessTokens([OLD], now=lambda: NOW)
    for suspended in (True, False):
        token = tokens.sign(user_id=uuid7(), session_id=uuid7(), suspended=suspended).text
        assert (await verifies.verify(token)).suspended is suspended
