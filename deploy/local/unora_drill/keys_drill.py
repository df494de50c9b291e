"""Keys are lost or leaked: that of tokens, that of the audit log, phone.key, and a certificate."""

from __future__ import annotations

import asyncio
import os
import secrets
import time
from pathlib import Path
from typing import Final

import grpc
from cryptography import x509
from cryptography.hazmat.primitives.serialization import Encoding
from grpc_health.v1 import health_pb2, health_pb2_grpc
from unora.streak.v1.streak_service_pb2 import GetDashboardRequest
from unora_common.config import CONTEXTS
from unora_local import client
from unora_local.client import Gateway, Refused
from unora_local.keyboard.sessions import session_of
from unora_local.keys import signing_key, write_private
from unora_local.layout import Layout
from unora_local.process import StartFailedError

from unora_drill.record import Drill, Record
from unora_drill.scene import Scene, refusal

REFUSED_WITHIN: Final = 30.0
NOT_READY: Final = "PhoneKeyDiffers"
"""What identity logs while its phone.key is not that of the database."""


async def play(scene: Scene, record: Record) -> None:
    """Each key in turn; what it costs is how long the old one is still good for something."""
    record.broken = "token.pem is known to somebody, audit.pem is to be changed, phone.key is lost, a key of TLS leaked"
    await _token_key(scene, record)
    await _audit_key(scene, record)
    await _phone_key(scene, record)
    await _certificate(scene, record)


async def _token_key(scene: Scene, record: Record) -> None:
    stack = scene.stack
    async with scene.gateway() as gateway:
        _, session = await session_of(gateway, stack.env, scene.people, next(iter(scene.people.all())))
        await session.call(gateway.streaks.GetDashboard, GetDashboardRequest())
        with record.step("a new token.pem, UNORA_TOKEN_KEY names only it, restart identity"):
            await _change(scene, "identity", {"UNORA_TOKEN_KEY": str(_new(scene, "token-2.pem", signing_key()))})
        begin = time.monotonic()
        said = await _until_refused(gateway, session.access_token)
        took = time.monotonic() - begin
        await session.refresh()
        await session.call(gateway.streaks.GetDashboard, GetDashboardRequest())
    record.seconds = took
    found = f"streak refuses tokens of the old key ({said}) {took:.1f} s later; the session is refreshed and goes on"
    record.expect("token key", holds=took < REFUSED_WITHIN, found=found)


async def _until_refused(gateway: Gateway, token: str) -> str:
    async with asyncio.timeout(REFUSED_WITHIN):
        while True:
            try:
                await gateway.call(gateway.streaks.GetDashboard, GetDashboardRequest(), token)
            except Refused as error:
                if error.code == "UNAUTHENTICATED":
                    return error.reason
            await asyncio.sleep(0.1)


async def _audit_key(scene: Scene, record: Record) -> None:
    stack = scene.stack
    old = stack.layout.backing.extra["safety"]["UNORA_AUDIT_KEY"]
    before, after = scene.file("heads-1.jws"), scene.file("heads-2.jws")
    await stack.run("safety", "export-audit-heads", "--output", str(before))
    new = {"UNORA_AUDIT_KEY": str(_new(scene, "audit-2.pem", signing_key()))}
    await _change(scene, "safety", new)
    try:
        unknown = await stack.run("safety", "verify", "--heads", str(before))
    except StartFailedError as error:
        unknown = str(error).splitlines()[-1]
    with record.step("UNORA_AUDIT_KEY names a new key, UNORA_AUDIT_KEYS_KNOWN the old one, restart safety"):
        await _change(scene, "safety", new | {"UNORA_AUDIT_KEYS_KNOWN": old})
    await stack.run("safety", "export-audit-heads", "--output", str(after))
    said = await stack.run("safety", "verify", "--heads", str(before), str(after))
    found = f"exports of both keys are verified ({said.splitlines()[-1]}); without UNORA_AUDIT_KEYS_KNOWN: {unknown}"
    record.expect("audit key", holds="unbroken" in said and "unbroken" not in unknown, found=found)


async def _phone_key(scene: Scene, record: Record) -> None:
    """Another key in the place of the lost one."""
    stack = scene.stack
    login, known = next(iter(scene.people.all().items()))
    old = stack.layout.backing.extra["identity"]["UNORA_PHONE_KEY"]
    await stack.stop_services(["identity"])
    stack.settings["identity"]["UNORA_PHONE_KEY"] = str(_new(scene, "phone-2.key", secrets.token_bytes(32)))
    await stack.start_services(["identity"], until=NOT_READY)
    async with scene.gateway() as gateway:
        said = await refusal(scene.sign_in(gateway, login))
    record.noticed.append(f"with another phone.key identity logs {NOT_READY}, and is not ready")
    with record.step("phone.key from the backup, restart identity"):
        await _change(scene, "identity", {"UNORA_PHONE_KEY": old})
    async with scene.gateway() as gateway:
        again = await scene.sign_in(gateway, login)
    found = f"identity with another key is called by nobody ({said}); with the old one, members are who they were"
    record.expect("phone.key", holds=said == "UNAVAILABLE" and again.user_id == known.user_id, found=found)


async def _certificate(scene: Scene, record: Record) -> None:
    """The authority is replaced, while all runs."""
    stack = scene.stack
    tls = stack.folder.path / "tls"
    stolen = stack.env.certificates()
    with record.step("remove ca.key, make certificates again: a new authority, the old one trusted beside it"):
        (tls / "ca.key").unlink()
        await asyncio.to_thread(Layout, stack.folder, CONTEXTS, running=True)
        await stack.reload_nats()
    await _until_all_answer(scene)
    with record.step("remove the old authority from ca.pem"):
        ca = tls / "ca.pem"
        newest = x509.load_pem_x509_certificates(ca.read_bytes())[0]
        write_private(ca, newest.public_bytes(Encoding.PEM))
        await stack.reload_nats()
        begin = time.monotonic()
        await _until_barred(scene, (newest.public_bytes(Encoding.PEM), *stolen[1:]))
    took = time.monotonic() - begin
    await _until_all_answer(scene)
    found = f"the stolen certificate is refused by all contexts {took:.1f} s after its authority is trusted no more"
    record.expect("certificate", holds=took < REFUSED_WITHIN, found=found)


async def _until_all_answer(scene: Scene) -> None:
    """A member calls with the developer's new certificate, by new connections, and contexts call each other."""
    async with asyncio.timeout(REFUSED_WITHIN):
        while True:
            try:
                async with scene.gateway() as gateway:
                    await session_of(gateway, scene.stack.env, scene.people, next(iter(scene.people.all())))
                    return
            except Refused:
                await asyncio.sleep(0.2)


async def _until_barred(scene: Scene, shown: tuple[bytes, bytes, bytes]) -> None:
    """Until no context takes a new connection with this certificate."""
    async with asyncio.timeout(REFUSED_WITHIN):
        for context in CONTEXTS:
            while await _is_accepted(scene, context, shown):  # noqa: ASYNC110 - another process refuses
                await asyncio.sleep(0.2)


async def _is_accepted(scene: Scene, context: str, shown: tuple[bytes, bytes, bytes]) -> bool:
    options = [("grpc.ssl_target_name_override", f"{context}.unora"), ("grpc.use_local_subchannel_pool", 1)]
    address = scene.stack.env.address(context)
    async with grpc.aio.secure_channel(address, client.credentials(shown), options=options) as channel:
        try:
            await health_pb2_grpc.HealthStub(channel).Check(health_pb2.HealthCheckRequest(), timeout=5)
        except grpc.aio.AioRpcError as error:
            return error.code() is not grpc.StatusCode.UNAVAILABLE
    return True


async def _change(scene: Scene, context: str, settings: dict[str, str]) -> None:
    """Give a context other variables, by a restart."""
    scene.stack.settings[context].update(settings)
    await scene.stack.stop_services([context])
    await scene.stack.start_services([context])


def _new(scene: Scene, name: str, content: bytes) -> Path:
    path = scene.file(name)
    write_private(path, content)
    os.chmod(path, 0o600)
    return path


DRILL: Final = Drill("keys", "Keys are lost or have leaked", play)
