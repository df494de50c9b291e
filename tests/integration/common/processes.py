"""Real processes of a service: `python -m unora_<context>`, as a container runs them."""

from __future__ import annotations

import asyncio
import signal
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import msgspec
from unora_common.health import READINESS, ask
from unora_local import ports
from unora_local.process import Process, inherited_environment
from unora_local.services import module
from unora_testing.deadlines import GENEROUS, eventually, within
from unora_testing.world import World


def addresses(world: World) -> dict[str, str]:
    """The variables, without their prefix UNORA_, that say where the services of a world are called."""
    return {f"{name.upper()}_ADDRESS": app.server.address for name, app in world.apps.items() if app.server}


class ServiceProcess:
    """One process, which may be started again and again on the same ports."""

    def __init__(self, world: World, context: str, folder: Path, *words: str, **variables: str) -> None:
        """`variables` without their prefix UNORA_ replace those of the world."""
        grpc, health = ports.free(2)
        self.address, self.health = f"127.0.0.1:{grpc}", f"127.0.0.1:{health}"
        self._folder = folder
        self._starts = 0
        self._command = [*module(context), *words]
        own = {"LISTEN": self.address, "HEALTH_LISTEN": self.health, "LOG_LEVEL": "info"} | variables
        self.env: Mapping[str, str] = (
            inherited_environment() | world.variables(context) | {f"UNORA_{name}": value for name, value in own.items()}
        )
        self.process: Process

    async def end(self) -> None:
        """Makes sure that it does not run."""
        if self._starts:
            await self.process.stop()

    async def start(self) -> None:
        """Starts it; its output is empty again."""
        self._starts += 1
        log = self._folder / f"{self.address.rpartition(':')[2]}-{self._starts}.log"
        self.process = Process("service", self._command, log=log, env=self.env)
        await self.process.start()

    async def says(self, name: str = READINESS) -> str:
        """Its health: SERVING, NOT_SERVING, or the status of a failed call."""
        return await asyncio.to_thread(ask, self.health, name, GENEROUS)

    async def until(self, status: str, name: str = READINESS) -> None:
        """Returns when its health is this."""

        async def reached() -> bool:
            self.process.check()
            return await self.says(name) == status

        await eventually(reached, f"{name or 'liveness'} is {status}")

    async def until_logged(self, event: str) -> None:
        """Returns when a line with this event is in its output."""
        wanted = f'"event":"{event}"'.encode()
        await eventually(lambda: wanted in self.process.log.read_bytes(), f"{event!r} is logged")

    async def stop(self, signals: Sequence[signal.Signals] = (signal.SIGTERM,)) -> int:
        """Sends the signals, and returns the exit status."""
        for number in signals:
            self.signal(number)
        return await within(self.process.wait())

    def signal(self, number: signal.Signals) -> None:
        """Sends a signal."""
        assert self.process._child is not None
        self.process._child.send_signal(number)

    def lines(self) -> list[str]:
        """What it has printed since it was started, on standard output and standard error."""
        return self.process.log.read_text().splitlines()

    def logged(self) -> list[dict[str, Any]]:
        """The same, read as JSON. Raises msgspec.DecodeError if a line is something else."""
        return [msgspec.json.decode(line) for line in self.lines()]
