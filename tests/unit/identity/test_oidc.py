"""ID-05: fetching the keys of an OpenID provider that are new, changed or missing."""

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

from tests.measures import provider_calls

pytestmark = pytest.mark.rule("ID-05")
Key = ECKey | RSAKey
OLD, NEW, RSA = ECKey.generate_key("P-256"), ECKey.generate_key("P-256"), RSAKey.generate_key(2048)
SETTINGS = OidcSettings(name="played", issuer="https://played.invalid", audience="unora", jwks="keys")


class PlayedProvider:
    """An OpenID provider: its keys, the number of fetches, and the time."""

    def __init__(self, *keys: Key) -> None:
        self.keys = keys
        self.asked = 0
        self.unavailable = False
        self.now = 1_800_000_000.0
        self.provider = OidcProvider(SETTINGS, fetch=self.fetch, clock=lambda: self.now)

    async def fetch(self, where: str) -> bytes:
        assert where == "keys"
        self.asked += 1
        if self.unavailable:
            raise ConnectionRefusedError
        return json.dumps({"keys": [{**k.as_dict(private=False), "kid": k.thumbprint()} for k in self.keys]}).encode()

    def token(self, key: Key, alg: str = "ES256", **changes: Any) -> str:
        claims: dict[str, Any] = {"iss": SETTINGS.issuer, "aud": "unora", "sub": "s", "nonce": "me"}
        claims |= {"iat": int(self.now), "exp": int(self.now) + 600, **changes}
        return jwt.encode({"alg": alg, "kid": key.thumbprint()}, claims, key, algorithms=[alg])


async def test_keys_are_fetched_once_and_both_kinds_of_signature_count() -> None:
    played = PlayedProvider(OLD, RSA)
    for token in (played.token(OLD), played.token(RSA, "RS256"), played.token(OLD)):
        assert await played.provider.subject(token, "me") == "s"
    assert played.asked == 1


async def test_a_new_key_is_fetched_and_made_up_keys_do_not_cause_many_fetches() -> None:
    played = PlayedProvider(OLD)
    await played.provider.subject(played.token(OLD), "me")
    played.keys = (NEW,)
    for _ in range(5):
        with pytest.raises(IdTokenInvalid):
            await played.provider.subject(played.token(NEW), "me")
    assert played.asked == 1
    played.now += 11
    assert await played.provider.subject(played.token(NEW), "me") == "s"
    with pytest.raises(IdTokenInvalid):  # a withdrawn key is not accepted
        await played.provider.subject(played.token(OLD), "me")
    assert played.asked == 2


async def test_a_withdrawn_key_is_forgotten_within_the_hour() -> None:
    played = PlayedProvider(OLD, NEW)
    await played.provider.subject(played.token(OLD), "me")
    played.keys = (NEW,)
    played.now += 3600
    with pytest.raises(IdTokenInvalid):
        await played.provider.subject(played.token(OLD), "me")


async def test_without_keys_the_provider_is_unavailable_and_old_keys_stay_in_use() -> None:
    played = PlayedProvider(OLD)
    played.unavailable = True
    with pytest.raises(OidcUnavailable):
        await played.provider.subject(played.token(OLD), "me")
    played.unavailable = False
    played.now += 11
    await played.provider.subject(played.token(OLD), "me")
    played.unavailable = True
    played.now += 3600
    assert await played.provider.subject(played.token(OLD), "me") == "s"


async def test_an_algorithm_that_is_not_listed_is_refused() -> None:
    played = PlayedProvider(RSA)
    with pytest.raises(IdTokenInvalid):
        await played.provider.subject(played.token(RSA, "PS256"), "me")


async def test_a_token_for_several_apps_must_be_made_for_this_one() -> None:
    played = PlayedProvider(OLD)
    token = played.token(OLD, aud=["unora", "other"], azp="unora")
    assert await played.provider.subject(token, "me") == "s"
    for changes in ({"azp": "other"}, {}):
        with pytest.raises(IdTokenInvalid):
            await played.provider.subject(played.token(OLD, aud=["unora", "other"], **changes), "me")


@pytest.mark.parametrize(("off", "good"), [(59, True), (-59, True), (61, False), (-661, False)])
async def test_clocks_may_differ_by_a_minute(off: int, good: bool) -> None:
    played = PlayedProvider(OLD)
    token = played.token(OLD, iat=int(played.now) + off, exp=int(played.now) + 600)
    if good:
        assert await played.provider.subject(token, "me") == "s"
        return
    with pytest.raises(IdTokenInvalid):
        await played.provider.subject(token, "me")


async def test_keys_can_be_in_a_file(tmp_path: Path) -> None:
    (tmp_path / "keys").write_bytes(b"{}")
    assert await fetch_keys(provider_calls("openid"), str(tmp_path / "keys")) == b"{}"


def test_providers_are_listed_in_a_file(tmp_path: Path) -> None:
    file = tmp_path / "oidc.json"
    good = {"name": "a", "issuer": "https://a.invalid", "audience": "unora", "jwks": "https://a.invalid/keys"}
    file.write_text(json.dumps([good]))
    assert read_settings(file) == [OidcSettings(**good)]
    for bad in ({**good, "jwks": "http://a.invalid/keys"}, {**good, "secret": "x"}, {"name": "a"}):
        file.write_text(json.dumps([bad]))
        with pytest.raises(ValueError, match=r"https|secret|required"):
            read_settings(file)
