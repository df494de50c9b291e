"""`python -m unora_bench.photos`: what pictures cost identity, in time and in memory (XX-07).

First uploads are completed on a stack (completions.py). Then pictures are inspected as the service does it, without its
calls, database and object store. Each is like a phone's: the
portrait of the tests, scaled up, with grain. HEIC has as many tiles of 512 × 512 as a phone writes, all alike, since
nothing here encodes HEIC.
"""

from __future__ import annotations

import argparse
import asyncio
import io
import statistics
import time
from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass
from typing import Final

import numpy as np
import psutil
import uvloop
from PIL import Image
from unora_identity.providers.vision import Vision
from unora_local.client import Gateway
from unora_local.photos.portraits import portrait
from unora_local.run_folder import RunFolder
from unora_local.sms_box import SmsBox
from unora_testing.photos import grids, hostile

from unora_bench import completions
from unora_bench.stack import new_folder, own_stack, say

SIZES: Final = {2: (1200, 1600), 12: (3024, 4032), 48: (6048, 8064)}
_MIB: Final = 2**20
_SAMPLE_SECONDS: Final = 0.01
"""Between two samples of memory: a picture is at its largest for a few hundredths of a second."""


@dataclass(frozen=True, slots=True)
class Cost:
    """Of one picture, inspected several times alone."""

    name: str
    bytes: int
    cpu_seconds: float
    p50_ms: float
    p99_ms: float
    memory: float
    """MiB of its process at the most, beside what it shares with the one that forked it."""


def photographs() -> dict[str, bytes]:
    """By what they are."""
    made = {f"JPEG, {megapixels} megapixels": _jpeg(*size) for megapixels, size in SIZES.items()}
    return made | {f"HEIC, {megapixels} megapixels": grids.grid(*size) for megapixels, size in SIZES.items()}


def _jpeg(width: int, height: int) -> bytes:
    with Image.open(io.BytesIO(portrait(0, 0))) as small:
        large = np.asarray(small.resize((width, height), Image.Resampling.BICUBIC))
    grain = np.random.default_rng(0).normal(0, 5, (512, 512, 1))
    tiled = np.tile(grain, (height // 512 + 1, width // 512 + 1, 1))[:height, :width]
    out = io.BytesIO()
    Image.fromarray(np.clip(large + tiled, 0, 255).astype(np.uint8)).save(out, "JPEG", quality=85)
    return out.getvalue()


def forker() -> psutil.Process:
    """The process that Vision started."""
    (found,) = psutil.Process().children()
    return found


@asynccontextmanager
async def peak_of_children() -> AsyncIterator[list[float]]:
    """MiB that the processes of pictures have to themselves, all together: the most that was seen."""
    most = [0.0]

    async def sample() -> None:
        while True:
            most[0] = max(most[0], await asyncio.to_thread(_own_memory, forker().children()))
            await asyncio.sleep(_SAMPLE_SECONDS)

    sampling = asyncio.create_task(sample())
    try:
        yield most
    finally:
        sampling.cancel()


def _own_memory(processes: Sequence[psutil.Process]) -> float:
    total = 0
    for process in processes:
        try:
            total += process.memory_full_info().uss
        except psutil.Error:
            continue
    return total / _MIB


async def cost(vision: Vision, name: str, data: bytes, times: int) -> Cost:
    """Inspects one picture several times, one after the other."""
    say(name)
    before, spent = forker().cpu_times(), []
    async with peak_of_children() as most:
        for _ in range(times):
            began = time.perf_counter()
            await vision.inspect(data)
            spent.append((time.perf_counter() - began) * 1000)
    after = forker().cpu_times()
    cpu = after.children_user + after.children_system - before.children_user - before.children_system
    percentiles = statistics.quantiles(spent, n=100, method="inclusive")
    return Cost(name, len(data), cpu / times, percentiles[49], percentiles[98], most[0])


async def measure(folder: RunFolder, times: int) -> str:
    """The report, in Markdown as docs/measurements.md keeps it."""
    lines = []
    photos = photographs()
    async with own_stack(folder) as env:
        identity = psutil.Process(next(row.pid for row in folder.rows() if row.name == "identity"))
        lines += ["| memory | MiB |", "|---|---|", _row("identity, idle", identity.memory_info().rss / _MIB)]
        async with Gateway.at(env) as gateway:
            completed = await completions.measure(gateway, SmsBox(env.sms_sandbox), photos, times)
    vision = Vision()
    try:
        began = time.perf_counter()
        await vision.inspect(portrait(0, 0))
        first = (time.perf_counter() - began) * 1000
        lines.append(_row("its process with the decoders, idle", forker().memory_info().rss / _MIB))
        say("the worst files of all formats at once")
        worst = hostile.worst_accepted()
        async with peak_of_children() as most:
            await asyncio.gather(*(vision.inspect(data) for data in (*worst.values(), *worst.values())))
        lines.append(_row("the processes of pictures, with two of the worst of each format at once", most[0]))
        costs = [await cost(vision, name, data, times) for name, data in photos.items()]
        costs += [await cost(vision, f"the worst {name}", data, min(times, 5)) for name, data in worst.items()]
    finally:
        vision.close()
    lines += [
        "",
        "| picture | bytes | CPU seconds | p50 ms | p99 ms | MiB of its process |",
        "|---|---|---|---|---|---|",
    ]
    lines += [
        f"| {each.name} | {each.bytes:,} | {each.cpu_seconds:.2f} | {each.p50_ms:.0f} | {each.p99_ms:.0f} "
        f"| {each.memory:.0f} |"
        for each in costs
    ]
    lines += ["", *completions.HEAD, *(each.row() for each in completed)]
    lines += ["", f"The first picture of a process took {first:.0f} ms, with the loading of the decoders."]
    return "\n".join(lines)


def _row(name: str, mebibytes: float) -> str:
    return f"| {name} | {mebibytes:.0f} |"


def main() -> None:
    """Parses the command line, measures, prints the report."""
    parser = argparse.ArgumentParser(prog="python -m unora_bench.photos", description=__doc__)
    parser.add_argument("--times", type=int, default=20, help="how often each picture is inspected")
    options = parser.parse_args()
    with new_folder("bench") as folder, asyncio.Runner(loop_factory=uvloop.new_event_loop) as runner:
        print(runner.run(measure(folder, options.times)))


if __name__ == "__main__":
    main()
