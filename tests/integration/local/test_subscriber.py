"""The command `subscriber`, ended before each of its steps and then repeated, on a real NATS."""

from __future__ import annotations

import asyncio
import shlex
import signal
from collections.abc import AsyncIterator
from pathlib import Path

import pytest
from nats.errors import Error as NatsError
from unora_common import declarations
from unora_common.config import CONTEXTS
from unora_local import nats_config, nats_reload, subscribers
from unora_local.env import Env
from unora_local.keyboard import subscriber
from unora_local.keyboard.subscriber import subscribe
from unora_local.layout import SUBSCRIBERS, Layout
from unora_local.nats import Nats
from unora_local.run_folder import Row, RunFolder, start_time
from unora_sdk.names import stream
from unora_sdk.nats_client import connect
from unora_testing.deadlines import eventually

NAME = "push"
BEFORE, AFTER = ("CheckedIn", "ConnectionFormed"), ("ConnectionFormed", "ConnectionEnded")
STEPS = {
    "the file of subscribers": (subscribers, "write", 1),
    "the configuration": (Nats, "configure", 1),
    "the consumers": (Nats, "make_consumers", 1),
    "the consumers of before": (subscriber, "_delete_others", 1),
    "the reload": (subscriber, "_reload", 1),
    "the wait": (subscriber, "_wait_until", 1),
}
LAST = {"the credentials": (subscriber, "_keep", 1)}
LAST_OF_REMOVAL = {
    "the credentials": (subscriber, "credentials", 1),
    "the end in the file of subscribers": (subscribers, "write", 2),
}


class Killed(BaseException):
    """The process ends here."""


@pytest.fixture(scope="module")
async def folder(tmp_path_factory: pytest.TempPathFactory) -> AsyncIterator[RunFolder]:
    """The folder of a stack of which only NATS runs."""
    made = RunFolder(tmp_path_factory.mktemp("stack") / "run")
    async with Layout(made, CONTEXTS).nats(declarations.consumed_subjects(CONTEXTS)) as nats:
        assert nats.process
        pid = nats.process.pid
        made.record([Row("nats", pid, start_time(pid) or "", "", signal.SIGTERM)])
        yield made


@pytest.fixture(autouse=True)
def soon(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(subscriber, "POLL", 0.02)


async def ended_before(step: tuple[object, str, int], folder: RunFolder, *events: str) -> None:
    """Run the command, and end it before a step is taken for the so-manieth time."""
    where, name, at = step
    taken, original = 0, getattr(where, name)

    def counted(*given: object, **named: object) -> object:
        nonlocal taken
        taken += 1
        if taken == at:
            raise Killed
        return original(*given, **named)

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(where, name, counted)
        with pytest.raises(Killed):
            await subscribe(folder, NAME, events)


async def consumers(folder: RunFolder) -> set[str]:
    """Those of the subscriber that NATS has."""
    nats = Layout(folder, CONTEXTS, running=True).nats({})

    async def listed() -> list[str]:
        try:
            admin = await nats.connect(nats_config.ADMIN, nats.administrator)
            try:
                infos = [await admin.jetstream().consumers_info(stream(context)) for context in CONTEXTS]
            finally:
                await admin.close()
        except (NatsError, OSError):  # it is loading the change
            return []
        return [info.name for each in infos for info in each]

    found = await eventually(listed, "NATS lists its consumers")
    return {name.partition("__")[2] for name in found if name.startswith(f"{NAME}__")}


async def has_access(credentials: str) -> bool:
    """Whether NATS takes who has these, the content of the file that the command writes."""
    values = dict(line.split("=", 1) for line in shlex.split(credentials))
    files = (Path(values[f"UNORA_TLS_{name}"]) for name in ("CA", "CERT", "KEY"))

    async def ignore(error: Exception) -> None:
        pass

    try:
        client = await connect(values["UNORA_NATS_URL"], *files, allow_reconnect=False, error_cb=ignore)
    except (NatsError, OSError):
        return False
    await client.close()
    return True


@pytest.mark.parametrize("step", [*STEPS, *LAST_OF_REMOVAL])
async def test_a_removal_that_ended_half_way_is_repeated(folder: RunFolder, step: str) -> None:
    await subscribe(folder, NAME, BEFORE)
    file = folder.path / "subscribers" / f"{NAME}.env"
    credentials = file.read_text()
    assert await has_access(credentials)
    await ended_before((STEPS | LAST_OF_REMOVAL)[step], folder)
    assert await subscribe(folder, NAME, ()) == f"{NAME} may consume nothing any more"
    assert await consumers(folder) == set()
    assert not await has_access(credentials)
    assert not file.exists()
    assert subscribers.read(folder.path / SUBSCRIBERS) == []


@pytest.mark.parametrize("step", [*STEPS, *LAST])
async def test_a_change_that_ended_half_way_is_repeated(folder: RunFolder, step: str) -> None:
    await subscribe(folder, NAME, BEFORE)
    await ended_before((STEPS | LAST)[step], folder, *AFTER)
    await subscribe(folder, NAME, AFTER)
    assert await consumers(folder) == {"connection_formed", "connection_ended"}
    env = Env.read(folder.path / "subscribers" / f"{NAME}.env")
    told = {each.partition("__")[2] for each in env.values["UNORA_NATS_CONSUMERS"].split()}
    assert told == {"connection_formed", "connection_ended"}
    await subscribe(folder, NAME, ())


@pytest.mark.parametrize("step", [*STEPS, *LAST])
async def test_a_subscriber_that_was_made_half_way_can_be_removed(folder: RunFolder, step: str) -> None:
    await ended_before((STEPS | LAST)[step], folder, *BEFORE)
    if subscribers.read(folder.path / SUBSCRIBERS):  # else nothing has happened
        await subscribe(folder, NAME, ())
    assert await consumers(folder) == set()
    assert subscribers.read(folder.path / SUBSCRIBERS) == []


async def test_a_nats_that_has_ended_is_told(tmp_path: Path) -> None:
    ended = await asyncio.create_subprocess_exec("true")
    await ended.wait()
    (tmp_path / "nats.log").touch()
    with pytest.raises(nats_reload.ReloadError, match="does not run any more"):
        await nats_reload.reload(ended.pid, tmp_path / "nats.log")


async def test_a_configuration_that_nats_refuses_is_told_with_its_reason(folder: RunFolder) -> None:
    (server,) = (row for row in folder.rows() if row.name == "nats")
    nats = Layout(folder, CONTEXTS, running=True).nats({})
    config = nats.folder / nats_config.CONFIG
    good = config.read_text()
    config.write_text("port: 1, often: 2\n")
    with pytest.raises(nats_reload.ReloadError, match=r"refuses the change: .*often"):
        await nats_reload.reload(server.pid, nats.log)
    config.write_text(good)
    await nats_reload.reload(server.pid, nats.log)
