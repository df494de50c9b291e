"""ID-03: signs access tokens and publishes the keys that verify them. Every service verifies tokens itself.

Times are UTC and the machine's: tokens are security, so the rule clock does not move them.
"""

from collections.abc import Callable, Collection, Sequence
from datetime import datetime, timedelta
from typing import Final
from uuid import UUID, uuid4

from joserfc import jwt
from joserfc.errors import JoseError
from joserfc.jwk import ECKey
from unora_common.tokens import ALGORITHM, AUDIENCE, ISSUER

from unora_identity.domain.sessions import AccessToken
from unora_identity.providers.machine_clock import machine_now

CURVE: Final = "P-256"
_PUBLIC_MEMBERS: Final = ("kty", "crv", "x", "y")


def new_signing_key() -> str:
    """A private ES256 key as PEM (PKCS 8), for a first start and for rotation."""
    return ECKey.generate_key(CURVE).as_pem(private=True).decode()


class AccessTokens:
    """Signs with the first key and publishes all keys.

    To rotate: publish the new key as the last of the list. When every service has fetched it, move it to the front.
    When the last token of the old key has expired (one token life later), drop the old key.
    """

    def __init__(
        self, keys: Sequence[str], life: timedelta = timedelta(minutes=15), now: Callable[[], datetime] = machine_now
    ) -> None:
        """`keys` are private keys as PEM, at least one. Raises ValueError for anything else."""
        if not keys:
            raise ValueError("at least one signing key is needed")
        self._keys = [_load(pem) for pem in keys]
        self._life = life
        self._now = now

    def sign(
        self,
        *,
        user_id: UUID,
        session_id: UUID,
        roles: Collection[str] = (),
        suspended: bool = False,
        until: datetime | None = None,
    ) -> AccessToken:
        """ID-03: claims iss, aud, sub (user), sid (session), jti, iat and exp (in seconds), roles (a sorted list);
        and `suspended` for a suspended member (SA-06). It expires at `until` if that is earlier (ID-15).
        """
        signer = self._keys[0]
        issued = self._now().replace(microsecond=0)
        expires = issued + self._life
        if until is not None:
            expires = min(expires, until.replace(microsecond=0))
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
        """The keys as in RFC 7517, public members only; kid is the thumbprint of RFC 7638, so it needs no records."""
        return {"keys": [_public(key) for key in self._keys]}


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
