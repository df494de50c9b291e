"""Calls one method of the contract, with the certificate, the token and the request_id that it needs."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import grpc
from google.protobuf.message import Message
from unora_common.policies import MethodPolicy

from unora_local.client import Refused, channel, credentials
from unora_local.env import Env
from unora_local.keyboard import contract, messages
from unora_local.keyboard.names import outer
from unora_local.keyboard.people import People
from unora_local.keyboard.sessions import token_of
from unora_local.keyboard.typed import is_plain
from unora_local.mistakes import Mistake
from unora_local.run_folder import RunFolder


@dataclass(frozen=True)
class Call:
    """What a person typed."""

    method: str
    body: str = "{}"
    member: str | None = None
    """Who calls, by their login in people.json."""
    token: str = ""
    """An access token, if `member` is not given."""
    caller: str | None = None
    """Whose certificate is shown; the developer's without it, which counts as the gateway's."""
    metadata: Sequence[tuple[str, str]] = ()
    seconds: float = 30.0


async def call(folder: RunFolder, env: Env, asked: Call) -> Message:
    """Make the call; its answer. Raises Mistake if it cannot be made, and Refused if the service refuses it."""
    policy = contract.method_named(asked.method, asked.caller)
    request = messages.from_json(policy.request, asked.body)
    shown = certificate(folder, env, policy, asked.caller)
    token = await _token(folder, env, policy, asked)
    metadata = [*asked.metadata, *([("authorization", f"Bearer {token}")] if token else [])]
    async with channel(env, contract.context_of(policy), credentials(shown)) as connection:
        method = connection.unary_unary(
            policy.path,
            request_serializer=policy.request.SerializeToString,
            response_deserializer=policy.response.FromString,
        )
        try:
            answer: Message = await method(request, timeout=asked.seconds, metadata=metadata)
        except grpc.aio.AioRpcError as error:
            raise Refused.read(outer(policy.path), error) from None
    return answer


def certificate(folder: RunFolder, env: Env, policy: MethodPolicy, caller: str | None) -> tuple[bytes, bytes, bytes]:
    """The authority, the certificate and the key to come with. Raises Mistake if there are none."""
    if caller is None:
        if not policy.open_to_gateways:
            callers = ", ".join(sorted(policy.callers))
            raise Mistake(f"{policy.name} is for other services: say which one calls, by --caller ({callers})")
        return env.certificates()
    ca = folder.path / "tls" / "ca.pem"
    known = sorted(file.stem for file in ca.parent.glob("*.pem") if file != ca)
    if caller not in known:
        raise Mistake(f"there is no certificate of {caller}; there are {', '.join(known)}")
    return ca.read_bytes(), ca.with_name(f"{caller}.pem").read_bytes(), ca.with_name(f"{caller}.key").read_bytes()


async def _token(folder: RunFolder, env: Env, policy: MethodPolicy, asked: Call) -> str:
    if asked.member is not None:
        return await token_of(env, People(folder.path), asked.member)
    if not is_plain(asked.token):
        raise Mistake("the variable TOKEN holds no token: TOKEN=$(unora as NAME) does")
    if policy.needs_member and not asked.token and asked.caller is None:
        raise Mistake(f"{policy.name} is for members: say who calls, by --as NAME or the variable TOKEN")
    return asked.token if policy.needs_member else ""


def explain(error: Refused) -> str:
    """A refusal in words: the status and the reason, the sentence, then metadata and violated fields, one a line."""
    said = " ".join(filter(None, (error.code, error.reason)))
    lines = [f"{error.method} was refused: {said}", *([error.message] if error.message != error.reason else [])]
    lines += [f"{key}: {value}" for key, value in sorted(error.metadata.items())]
    lines += [f"field {name}: {why}" for name, why in error.violations.items()]
    return "\n  ".join(lines)
