"""ID-03: access tokens, their keys, and refresh tokens."""

import hashlib
from datetime import UTC, datetime, timedelta
from typing import Any
from uuid import uuid4

import pytest
from joserfc import jwt
from joserfc.errors import BadSignatureError
from joserfc.jwk import ECKey, KeySet, RSAKey
from unora_identity.providers.access_tokens import AccessTokens, new_signing_key
from unora_identity.providers.random_secrets import new_refresh_token, refresh_hash

NOW = datetime(2026, 1, 10, 12, 0, 0, 999_999, tzinfo=UTC)
OLD, NEW = new_signing_key(), new_signing_key()


def tokens(*keys: str) -> AccessTokens:
    return AccessTokens(keys, now=lambda: NOW)


def read(text: str, published: Any) -> jwt.Token:
    return jwt.decode(text, KeySet.import_key_set(published), algorithms=["ES256"])


@pytest.mark.rule("ID-03")
def test_an_access_token_names_the_member_the_session_and_the_expiry() -> None:
    user, session = uuid4(), uuid4()
    signed = tokens(OLD).sign(user_id=user, session_id=session, roles={"moderator", "admin"})
    claims = read(signed.text, tokens(OLD).jwks()).claims
    assert len(claims.pop("jti")) == 36
    start = int(NOW.replace(microsecond=0).timestamp())
    assert claims == {
        "iss": "unora",
        "aud": "unora",
        "sub": str(user),
        "sid": str(session),
        "iat": start,
        "exp": start + 15 * 60,
        "roles": ["admin", "moderator"],
    }
    assert signed.expires_at == NOW.replace(microsecond=0) + timedelta(minutes=15)
    assert signed.text not in repr(signed)


@pytest.mark.rule("ID-15")
def test_an_access_token_of_an_admin_expires_with_the_session() -> None:
    life = timedelta(minutes=15)
    start = NOW.replace(microsecond=0)
    for until, expires in ((None, start + life), (NOW + 2 * life, start + life), (NOW + life / 3, start + life / 3)):
        signed = tokens(OLD).sign(user_id=uuid4(), session_id=uuid4(), until=until)
        assert signed.expires_at == expires
        assert read(signed.text, tokens(OLD).jwks()).claims["exp"] == int(expires.timestamp())


@pytest.mark.rule("ID-03")
def test_keys_are_published_without_their_secret() -> None:
    published = tokens(OLD, NEW).jwks()
    assert [set(key) for key in published["keys"]] == [{"kty", "crv", "x", "y", "kid", "use", "alg"}] * 2
    assert {key["alg"] for key in published["keys"]} == {"ES256"}


@pytest.mark.rule("ID-03")
def test_keys_rotate_without_a_gap() -> None:
    before = tokens(OLD).sign(user_id=uuid4(), session_id=uuid4())
    announced = tokens(OLD, NEW).jwks()
    after = tokens(NEW, OLD).sign(user_id=uuid4(), session_id=uuid4())
    assert read(before.text, announced)
    assert read(after.text, announced).header["kid"] == announced["keys"][1]["kid"]


@pytest.mark.rule("ID-03")
def test_another_keys_signature_does_not_pass() -> None:
    signed = tokens(NEW).sign(user_id=uuid4(), session_id=uuid4()).text
    forged = {"keys": [tokens(OLD).jwks()["keys"][0] | {"kid": tokens(NEW).jwks()["keys"][0]["kid"]}]}
    with pytest.raises(BadSignatureError):
        read(signed, forged)


@pytest.mark.rule("ID-03")
def test_only_private_keys_on_the_right_curve_can_sign() -> None:
    public = ECKey.import_key(OLD).as_pem(private=False).decode()
    other_curve = ECKey.generate_key("P-384").as_pem(private=True).decode()
    other_kind = RSAKey.generate_key(2048).as_pem(private=True).decode()
    for wrong in ([], [public], [other_curve], [other_kind]):
        with pytest.raises(ValueError, match="key"):
            AccessTokens(wrong)


@pytest.mark.rule("ID-03")
def test_refresh_tokens_are_random_and_stored_as_hashes() -> None:
    one, other = new_refresh_token(), new_refresh_token()
    assert one.text != other.text
    assert len(one.text) == 43
    assert one.hash == refresh_hash(one.text) == hashlib.sha256(one.text.encode()).digest()
    assert one.text not in repr(one)
