"""The memory of a process and its children, five times a second, and its limit in Kubernetes."""

from __future__ import annotations

import asyncio
from typing import Final

import psutil
from unora_tools.kubernetes.render import render

INTERVAL: Final = 0.2
"""Seconds between two samples: a peak that is shorter may be missed, and reading more often costs what is measured."""
UNITS: Final = {"Ki": 1 / 1024, "Mi": 1.0, "Gi": 1024.0}
MEBIBYTE: Final = 1024 * 1024


class Memory:
    """Samples the proportional set size: private memory whole, and of shared memory each process its part. The sum over
    a process and its children is what they take together.
    """

    def __init__(self, pid: int) -> None:
        self._process = psutil.Process(pid)
        self._peak = 0.0
        self._task: asyncio.Task[None] | None = None

    async def __aenter__(self) -> Memory:
        self._task = asyncio.create_task(self._sample())
        return self

    async def __aexit__(self, *_: object) -> None:
        assert self._task is not None
        self._task.cancel()
        await asyncio.gather(self._task, return_exceptions=True)

    def take_peak(self) -> float:
        """The most MiB since the last time it was asked."""
        peak, self._peak = self._peak, 0.0
        return peak

    async def _sample(self) -> None:
        while True:
            self._peak = max(self._peak, await asyncio.to_thread(_taken, self._process))
            await asyncio.sleep(INTERVAL)


def _taken(process: psutil.Process) -> float:
    """MiB, of the process and its children together."""
    total = 0
    try:
        for each in [process, *process.children(recursive=True)]:
            try:
                total += each.memory_full_info().pss
            except (psutil.NoSuchProcess, psutil.ZombieProcess):  # a child that has ended meanwhile
                continue
    except psutil.NoSuchProcess:
        return 0.0
    return total / MEBIBYTE


def limits() -> dict[str, float]:
    """MiB that Kubernetes gives the process of each context which serves calls, from the manifests for production."""
    found = {}
    for item in render("prod"):
        name = item["metadata"]["name"]
        if item["kind"] == "Deployment" and name.endswith("-api"):
            (container,) = item["spec"]["template"]["spec"]["containers"]
            found[name.removesuffix("-api")] = mebibytes(container["resources"]["limits"]["memory"])
    return found


def mebibytes(quantity: str) -> float:
    """A quantity of Kubernetes, such as `768Mi`."""
    return float(quantity[:-2]) * UNITS[quantity[-2:]]
