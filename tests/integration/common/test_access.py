"""Every call is denied unless its method says who may call it: the certificate, then the token (XX-03)."""

from __future__ import annotations

import base64
import hmac
import json
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import grpc
import pytest
from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from joserfc import jwt
from joserfc.jwk import ECKey
from unora.streak.v1.streak_service_pb2 import CheckInRequest, GetDashboardRequest
from unora.streak.v1.streak_service_pb2_grpc import StreakServiceStub
from unora_common.ids import uuid7
from unora_common.tokens import ALGORITHM
from unora_identity.providers.access_tokens import AccessTokens, new_signing_key
from unora_local import tls
from unora_testing.world import World

from tests.integration.common.bare_world import BareWorld, check_in_request
from tests.support import refusal

pytestmark = pytest.mark.rule("XX-03")


@pytest.mark.parametrize("caller", ["stranger", "matching", "identity", "streak", "safety"])
async def test_a_certificate_that_the_method_does_not_name_is_denied_even_with_a_token(
    bare_world: BareWorld, caller: str
) -> None:
    await bare_world.probe()
    stub = bare_world.stub(StreakServiceStub, "streak", caller=caller)
    member = bare_world.caller()
    for call in (stub.GetDashboard(GetDashboardRequest(), metadata=member.metadata),
                 stub.CheckIn(check_in_request(), metadata=member.metadata)):  # fmt: skip
        refused = await refusal(call)
        assert (refused.code, refused.reason, refused.domain) == (
            *("PERMISSION_DENIED", "CALLER_NOT_ALLOWED"),
            "unora.streak",
        )
    assert await bare_world.keys() == []


async def test_the_log_line_of_a_denied_certificate_belongs_to_the_callers_trace(bare_world: BareWorld) -> None:
    await bare_world.probe()
    stub = bare_world.stub(StreakServiceStub, "streak", caller="stranger")
    given = "4bf92f3577b34da6a3ce929d0e0e4736"
    await refusal(
        stub.GetDashboard(GetDashboardRequest(), metadata=(("traceparent", f"00-{given}-00f067aa0ba902b7-01"),))
    )
    (line,) = [line for line in bare_world.logged() if line.get("reason") == "CALLER_NOT_ALLOWED"]
    assert given in line["trace"]


def _channel(bare_world: BareWorld, ca: bytes, key: bytes | None, certificate: bytes | None) -> grpc.aio.Channel:
    return grpc.aio.secure_channel(
        bare_world.address(bare_world.apps["streak"]),
        grpc.ssl_channel_credentials(ca, key, certificate),
        options=[("grpc.ssl_target_name_override", "streak.unora")],
    )


async def _connects(bare_world: BareWorld, ca: bytes, key: bytes | None, certificate: bytes | None) -> str:
    async with _channel(bare_world, ca, key, certificate) as channel:
        metadata = bare_world.caller().metadata
        return (await refusal(StreakServiceStub(channel).GetDashboard(GetDashboardRequest(), metadata=metadata))).code


async def test_a_client_without_a_certificate_of_our_authority_cannot_connect(
    bare_world: BareWorld, tmp_path: Path
) -> None:
    await bare_world.probe()
    ca, _, _ = bare_world.certificates["gateway"].read()
    _, foreign_certificate, foreign_key = tls.ensure(tmp_path, ["gateway"])["gateway"].read()
    assert await _connects(bare_world, ca, None, None) == "UNAVAILABLE"
    assert await _connects(bare_world, ca, foreign_key, foreign_certificate) == "UNAVAILABLE"
    assert bare_world.logged() == [line for line in bare_world.logged() if "method" not in line]


async def test_a_client_refuses_a_server_with_another_name_or_authority(bare_world: BareWorld, tmp_path: Path) -> None:
    await bare_world.probe()
    ca, certificate, key = bare_world.certificates["gateway"].read()
    foreign_ca, _, _ = tls.ensure(tmp_path, ["gateway"])["gateway"].read()
    assert await _connects(bare_world, foreign_ca, key, certificate) == "UNAVAILABLE"
    options = [("grpc.ssl_target_name_override", "matching.unora")]
    credentials = grpc.ssl_channel_credentials(ca, key, certificate)
    async with grpc.aio.secure_channel(
        bare_world.address(bare_world.apps["streak"]), credentials, options=options
    ) as channel:
        stub = StreakServiceStub(channel)
        assert (await refusal(stub.GetDashboard(GetDashboardRequest()))).code == "UNAVAILABLE"


def _signed_by_our_authority(bare_world: BareWorld, name: x509.GeneralName) -> tuple[bytes, bytes, bytes]:
    """A certificate with one name, and its key."""
    ca_file = bare_world.certificates["gateway"].ca
    authority = x509.load_pem_x509_certificate(ca_file.read_bytes())
    ca_key = serialization.load_pem_private_key((ca_file.parent / "ca.key").read_bytes(), None)
    assert isinstance(ca_key, ec.EllipticCurvePrivateKey)
    key, now = ec.generate_private_key(ec.SECP256R1()), datetime.now(UTC)
    certificate = (
        x509.CertificateBuilder()
        .subject_name(x509.Name([x509.NameAttribute(x509.NameOID.COMMON_NAME, "gateway")]))
        .issuer_name(authority.subject)
        .public_key(key.public_key())
        .serial_number(x509.random_serial_number())
        .not_valid_before(now - timedelta(hours=1))
        .not_valid_after(now + timedelta(hours=1))
        .add_extension(x509.SubjectAlternativeName([name]), critical=False)
        .sign(ca_key, hashes.SHA256())
    )
    pem = key.private_bytes(serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption())
    return ca_file.read_bytes(), pem, certificate.public_bytes(serialization.Encoding.PEM)


@pytest.mark.parametrize(
    "name",
    [
        pytest.param(x509.DNSName("gateway.unora"), id="no uri"),
        pytest.param(x509.UniformResourceIdentifier("spiffe://elsewhere/gateway"), id="another domain"),
        pytest.param(x509.UniformResourceIdentifier("spiffe://unora/gateway/x"), id="a longer name"),
        pytest.param(x509.UniformResourceIdentifier("spiffe://unora/"), id="no name"),
    ],
)
async def test_only_the_uri_of_a_certificate_names_the_caller(bare_world: BareWorld, name: x509.GeneralName) -> None:
    """The common name does not count: it is gateway in all of these."""
    await bare_world.probe()
    async with _channel(bare_world, *_signed_by_our_authority(bare_world, name)) as channel:
        call = StreakServiceStub(channel).GetDashboard(GetDashboardRequest(), metadata=bare_world.caller().metadata)
        assert (await refusal(call)).reason == "CALLER_NOT_ALLOWED"


async def test_the_same_certificate_with_the_right_uri_is_accepted(bare_world: BareWorld) -> None:
    """The control of the test above."""
    await bare_world.probe()
    name = x509.UniformResourceIdentifier("spiffe://unora/gateway")
    async with _channel(bare_world, *_signed_by_our_authority(bare_world, name)) as channel:
        await StreakServiceStub(channel).GetDashboard(GetDashboardRequest(), metadata=bare_world.caller().metadata)


@pytest.mark.parametrize("value", [None, "", "Bearer", "Bearer ", "Basic dTpw", "token"])
async def test_a_call_without_a_token_is_refused_with_that_reason(bare_world: BareWorld, value: str | None) -> None:
    streaks = await bare_world.probe()
    metadata = () if value is None else (("authorization", value),)
    refused = await refusal(streaks.CheckIn(check_in_request(), metadata=metadata))
    assert (refused.code, refused.reason, refused.domain) == ("UNAUTHENTICATED", "TOKEN_MISSING", "unora.streak")


async def test_a_caller_without_access_does_not_learn_what_the_method_takes(bare_world: BareWorld) -> None:
    streaks = await bare_world.probe()
    nonsense = CheckInRequest(request_id="x", streak_id="y")
    assert (await refusal(streaks.CheckIn(nonsense))).reason == "TOKEN_MISSING"
    stub = bare_world.stub(StreakServiceStub, "streak", caller="stranger")
    assert (await refusal(stub.CheckIn(nonsense))).reason == "CALLER_NOT_ALLOWED"


# Tokens


class Forger:
    """Makes tokens that must be refused. It knows all public data, and can also sign with the right key."""

    def __init__(self, world: World) -> None:
        self.pem = world._token_key.read_text()
        self.key = ECKey.import_key(self.pem)
        self.public = ECKey.import_key(self.key.as_dict(private=False))
        self.kid = self.key.thumbprint()

    def claims(self, **changes: Any) -> dict[str, Any]:
        now = int(datetime.now(UTC).timestamp())
        claims: dict[str, Any] = {"iss": "unora", "aud": "unora", "sub": str(uuid7()), "sid": str(uuid7())}
        claims |= {"iat": now, "exp": now + 900, "roles": [], **changes}
        return {name: value for name, value in claims.items() if value is not ...}

    def sign(self, key: Any = None, alg: str = ALGORITHM, header: dict[str, Any] | None = None, **claims: Any) -> str:
        header = {"alg": alg, "kid": self.kid} if header is None else header
        return jwt.encode(header, self.claims(**claims), key or self.key, algorithms=[alg])

    def right(self) -> str:
        return self.sign()

    def unsigned(self) -> str:
        return f"{jwt_part({'alg': 'none', 'kid': self.kid})}.{jwt_part(self.claims())}."

    def hmac(self, secret: bytes) -> str:
        signed = f"{jwt_part({'alg': 'HS256', 'kid': self.kid})}.{jwt_part(self.claims())}"
        return f"{signed}.{_base64(hmac.digest(secret, signed.encode(), 'sha256'))}"

    def with_other_payload(self) -> str:
        header, _, signature = self.right().split(".")
        _, payload, _ = self.sign(roles=["admin"]).split(".")
        return f"{header}.{payload}.{signature}"


def jwt_part(value: Any) -> str:
    return _base64(json.dumps(value).encode())


def _base64(value: bytes) -> str:
    return base64.urlsafe_b64encode(value).rstrip(b"=").decode()


FORGED: dict[str, Callable[[Forger], str]] = {
    "unsigned": Forger.unsigned,
    "signed with the public key as a secret": lambda f: f.hmac(f.public.as_pem(private=False)),
    "signed with the public key's json as a secret": lambda f: f.hmac(json.dumps(f.public.as_dict()).encode()),
    "another key under our key's id": lambda f: f.sign(ECKey.generate_key("P-256")),
    "another key under an id of its own": lambda f: (
        AccessTokens([new_signing_key()]).sign(user_id=uuid7(), session_id=uuid7()).text
    ),
    "a key inside the token": lambda f: _with_own_key(f),
    "no key id": lambda f: f.sign(header={"alg": ALGORITHM}),
    "another issuer": lambda f: f.sign(iss="elsewhere"),
    "no issuer": lambda f: f.sign(iss=...),
    "another audience": lambda f: f.sign(aud="elsewhere"),
    "several audiences": lambda f: f.sign(aud=["unora", "elsewhere"]),
    "no member": lambda f: f.sign(sub=...),
    "a member that is not an id": lambda f: f.sign(sub="1 OR 1=1"),
    "no session": lambda f: f.sign(sid=...),
    "no expiry": lambda f: f.sign(exp=...),
    "an expiry that is not a time": lambda f: f.sign(exp="never"),
    "roles that are not a list": lambda f: f.sign(roles=7),
    "a changed payload": Forger.with_other_payload,
    "a changed signature": lambda f: f.right()[:-4] + ("AAAA" if f.right()[-4:] != "AAAA" else "BBBB"),
    "no signature": lambda f: f.right().rpartition(".")[0] + ".",
    "half a token": lambda f: f.right().rpartition(".")[0],
    "garbage": lambda f: "garbage",
    "dots": lambda f: "..",
    "parts that are not JSON": lambda f: "AAAA.AAAA.AAAA",
    "a header that is a list": lambda f: f"{jwt_part([])}.{jwt_part({})}.AAAA",
    "too long": lambda f: f.right() + "A" * 4096,
    "two tokens": lambda f: f"{f.right()} {f.right()}",
}


def _with_own_key(forger: Forger) -> str:
    own = ECKey.generate_key("P-256")
    header = {"alg": ALGORITHM, "kid": own.thumbprint(), "jwk": own.as_dict(private=False)}
    return forger.sign(own, header=header)


@pytest.fixture
def forger(bare_world: BareWorld) -> Forger:
    return Forger(bare_world)


async def test_a_valid_token_of_the_forger_is_accepted(bare_world: BareWorld, forger: Forger) -> None:
    """The control of the test below."""
    streaks = await bare_world.probe()
    await streaks.CheckIn(check_in_request(), metadata=(("authorization", f"Bearer {forger.right()}"),))


async def test_a_token_that_cannot_be_trusted_is_refused(bare_world: BareWorld, forger: Forger) -> None:
    streaks = await bare_world.probe()
    for kind, forge in FORGED.items():
        token = forge(forger)
        metadata = (("authorization", f"Bearer {token}"),)
        refused = await refusal(streaks.CheckIn(check_in_request(), metadata=metadata))
        assert (refused.code, refused.reason) == ("UNAUTHENTICATED", "TOKEN_INVALID"), kind
        assert token not in bare_world.log.getvalue(), kind
    assert await bare_world.keys() == []


async def test_an_expired_token_is_refused_with_that_reason(bare_world: BareWorld, forger: Forger) -> None:
    streaks = await bare_world.probe()
    ago = int((datetime.now(UTC) - timedelta(seconds=1)).timestamp())
    metadata = (("authorization", f"Bearer {forger.sign(exp=ago)}"),)
    refused = await refusal(streaks.CheckIn(check_in_request(), metadata=metadata))
    assert (refused.code, refused.reason, refused.domain) == ("UNAUTHENTICATED", "TOKEN_EXPIRED", "unora.streak")
