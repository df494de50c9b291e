"""ID-05: an OpenID provider's keys, as they come, change and are missing."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest
from joserfc import jwt
from joserfc.jwk import ECKey, RSAKey
from unora_identity.providers.oidc import (
    IdTokenInvalid,
    OidcProvider,
    OidcSettings,
    OidcUnavailable,
    fetch_keys,
    read_settings,
)

pytestmark = pytest.mark.rule("ID-05")
Key = ECKey | RSAKey
OLD, NEW, RSA = ECKey.generate_key("P-256"), ECKey.generate_key("P-256"), RSAKey.generate_key(2048)
SETTINGS = OidcSettings(name="played", issuer="https://played.invalid", audience="unora", jwks="keys")


class World:
    """A provider's keys, how often they were asked for, and the time."""

    def __init__(self, *keys: Key) -> None:
        self.keys = keys
        self.asked = 0
        self.away = False
        self.now = 1_800_000_000.0
        self.provider = OidcProvider(SETTINGS, fetch=self.fetch, clock=lambda: self.now)

    async def fetch(self, where: str) -> bytes:
        assert where == "keys"
        self.asked += 1
        if self.away:
            raise ConnectionRefusedError
        return json.dumps({"keys": [{**k.as_dict(private=False), "kid": k.thumbprint()} for k in self.keys]}).encode()

    def token(self, key: Key, alg: str = "ES256", **changes: Any) -> str:
        claims: dict[str, Any] = {"iss": SETTINGS.issuer, "aud": "unora", "sub": "s", "nonce": "me"}
        claims |= {"iat": int(self.now), "exp": int(self.now) + 600, **changes}
        return jwt.encode({"alg": alg, "kid": key.thumbprint()}, claims, key, algorithms=[alg])


async def test_keys_are_asked_for_once_and_both_kinds_of_signature_count() -> None:
    world = World(OLD, RSA)
    for token in (world.token(OLD), world.token(RSA, "RS256"), world.token(OLD)):
        assert await world.provider.subject(token, "me") == "s"
    assert world.asked == 1


async def test_a_new_key_is_looked_up_and_made_up_ones_do_not_ask_all_the_time() -> None:
    world = World(OLD)
    await world.provider.subject(world.token(OLD), "me")
    world.keys = (NEW,)
    for _ in range(5):
        with pytest.raises(IdTokenInvalid):
            await world.provider.subject(world.token(NEW), "me")
    assert world.asked == 1
    world.now += 11
    assert await world.provider.subject(world.token(NEW), "me") == "s"
    with pytest.raises(IdTokenInvalid):  # a key that was withdrawn is no key
        await world.provider.subject(world.token(OLD), "me")
    assert world.asked == 2


async def test_a_withdrawn_key_is_forgotten_within_the_hour() -> None:
    world = World(OLD, NEW)
    await world.provider.subject(world.token(OLD), "me")
    world.keys = (NEW,)
    world.now += 3600
    with pytest.raises(IdTokenInvalid):
        await world.provider.subject(world.token(OLD), "me")


async def test_without_keys_nobody_can_say_and_old_ones_are_better_than_none() -> None:
    world = World(OLD)
    world.away = True
    with pytest.raises(OidcUnavailable):
        await world.provider.subject(world.token(OLD), "me")
    world.away = False
    world.now += 11
    await world.provider.subject(world.token(OLD), "me")
    world.away = True
    world.now += 3600
    assert await world.provider.subject(world.token(OLD), "me") == "s"


async def test_an_algorithm_that_is_not_listed_is_none() -> None:
    world = World(RSA)
    with pytest.raises(IdTokenInvalid):
        await world.provider.subject(world.token(RSA, "PS256"), "me")


async def test_several_apps_are_fine_if_it_was_made_for_this_one() -> None:
    world = World(OLD)
    token = world.token(OLD, aud=["unora", "other"], azp="unora")
    assert await world.provider.subject(token, "me") == "s"
    for changes in ({"azp": "other"}, {}):
        with pytest.raises(IdTokenInvalid):
            await world.provider.subject(world.token(OLD, aud=["unora", "other"], **changes), "me")


@pytest.mark.parametrize(("off", "good"), [(59, True), (-59, True), (61, False), (-661, False)])
async def test_clocks_may_differ_by_a_minute(off: int, good: bool) -> None:
    world = World(OLD)
    token = world.token(OLD, iat=int(world.now) + off, exp=int(world.now) + 600)
    if good:
        assert await world.provider.subject(token, "me") == "s"
        return
    with pytest.raises(IdTokenInvalid):
        await world.provider.subject(token, "me")


async def test_keys_can_lie_in_a_file(tmp_path: Path) -> None:
    (tmp_path / "keys").write_bytes(b"{}")
    assert await fetch_keys(str(tmp_path / "keys")) == b"{}"


def test_providers_are_listed_in_a_file(tmp_path: Path) -> None:
    file = tmp_path / "oidc.json"
    good = {"name": "a", "issuer": "https://a.invalid", "audience": "unora", "jwks": "https://a.invalid/keys"}
    file.write_text(json.dumps([good]))
    assert read_settings(file) == [OidcSettings(**good)]
    for bad in ({**good, "jwks": "http://a.invalid/keys"}, {**good, "secret": "x"}, {"name": "a"}):
        file.write_text(json.dumps([bad]))
        with pytest.raises(ValueError, match=r"https|secret|required"):
            read_settings(file)
