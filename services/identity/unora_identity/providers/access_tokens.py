"""ID-03: signing access tokens, publishing their keys, and making refresh tokens. Verifying is every service's own.

Times are UTC and the machine's: tokens are security, not part of the days that the rule clock counts.
"""

import hashlib
import secrets
from collections.abc import Callable, Collection, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from uuid import UUID, uuid4

from joserfc import jwt
from joserfc.errors import JoseError
from joserfc.jwk import ECKey
from unora_common.tokens import ALGORITHM, AUDIENCE, ISSUER

CURVE = "P-256"

_REFRESH_BYTES = 32
_PUBLIC_MEMBERS = ("kty", "crv", "x", "y")


def machine_now() -> datetime:
    """The machine's clock."""
    return datetime.now(UTC)


def new_signing_key() -> str:
    """A private ES256 key as PEM (PKCS 8): for a first start and for rotation."""
    return ECKey.generate_key(CURVE).as_pem(private=True).decode()


@dataclass(frozen=True, slots=True)
class AccessToken:
    """A signed token and when it dies. The text is a secret: it never shows in a log."""

    text: str = field(repr=False)
    expires_at: datetime


class AccessTokens:
    """Signs with the first key and publishes all.

    To rotate, publish the new key last in the list; when every service has fetched it, move it first; when the last
    token of the old key is dead (its life after that), drop the old key.
    """

    def __init__(
        self, keys: Sequence[str], life: timedelta = timedelta(minutes=15), now: Callable[[], datetime] = machine_now
    ) -> None:
        """`keys` are private keys as PEM, at least one."""
        if not keys:
            raise ValueError("at least one signing key is needed")
        self._keys = [_load(pem) for pem in keys]
        self._life = life
        self._now = now

    def sign(
        self, *, user_id: UUID, session_id: UUID, roles: Collection[str] = (), suspended: bool = False
    ) -> AccessToken:
        """ID-03: claims iss, aud, sub (user), sid (session), jti, iat and exp (in seconds), roles (a sorted list);
        and `suspended`, of a member who is (SA-06).
        """
        signer = self._keys[0]
        issued = self._now().replace(microsecond=0)
        expires = issued + self._life
        claims: dict[str, object] = {
            "iss": ISSUER,
            "aud": AUDIENCE,
            "sub": str(user_id),
            "sid": str(session_id),
            "jti": str(uuid4()),
            "iat": int(issued.timestamp()),
            "exp": int(expires.timestamp()),
            "roles": sorted(roles),
        }
        if suspended:
            claims["suspended"] = True
        header = {"alg": ALGORITHM, "typ": "JWT", "kid": signer.thumbprint()}
        return AccessToken(jwt.encode(header, claims, signer, algorithms=[ALGORITHM]), expires)

    def jwks(self) -> dict[str, list[dict[str, str]]]:
        """RFC 7517, public members only; kid is the thumbprint of RFC 7638, so it needs no book-keeping."""
        return {"keys": [_public(key) for key in self._keys]}


@dataclass(frozen=True, slots=True)
class NewRefreshToken:
    """The token for the client, and the hash for the store."""

    text: str = field(repr=False)
    hash: bytes


def new_refresh_token() -> NewRefreshToken:
    """32 random bytes in base64url (43 characters), opaque."""
    text = secrets.token_urlsafe(_REFRESH_BYTES)
    return NewRefreshToken(text, refresh_hash(text))


def refresh_hash(text: str) -> bytes:
    """SHA-256 without a key or salt: what has 256 random bits cannot be guessed."""
    return hashlib.sha256(text.encode()).digest()


def _load(pem: str) -> ECKey:
    try:
        key = ECKey.import_key(pem)
    except (JoseError, ValueError):
        raise ValueError("a signing key is a private EC key as PEM") from None
    if not key.is_private or key.curve_name != CURVE:
        raise ValueError(f"a signing key is a private key on {CURVE}")
    return key


def _public(key: ECKey) -> dict[str, str]:
    members = key.as_dict(private=False)
    return {name: str(members[name]) for name in _PUBLIC_MEMBERS} | {
        "kid": key.thumbprint(),
        "use": "sig",
        "alg": ALGORITHM,
    }
