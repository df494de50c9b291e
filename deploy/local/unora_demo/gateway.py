"""How the members' app reaches the services: straight by gRPC, or by REST over the gateway."""

from __future__ import annotations

from typing import Literal

from unora_common.config import CONTEXTS
from unora_local.client import Gateway, notifier
from unora_local.env import Env
from unora_testing.rest.channel import rest_channel

from unora_demo.recording import Recording, recording_channel

Via = Literal["grpc", "rest"]


def gateway_of(env: Env, via: Via, recording: Recording | None = None) -> Gateway:
    """A client of a running stack; by REST a `recording` may keep examples. The notifier always goes to identity."""
    if via == "grpc":
        return Gateway.at(env)
    authority = env.certificates()[0]
    rest = recording_channel(env.gateway, authority, recording) if recording else rest_channel(env.gateway, authority)
    return Gateway(dict.fromkeys(CONTEXTS, rest) | notifier(env))
