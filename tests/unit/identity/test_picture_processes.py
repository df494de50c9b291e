"""XX-07: pictures are decoded in processes of their own, which have limits and can be killed."""

from __future__ import annotations

import asyncio
import json
import os
import re
import signal
import subprocess
import sys
from collections.abc import AsyncIterator, Callable, Iterator
from contextlib import contextmanager, suppress
from dataclasses import replace
from pathlib import Path

import psutil
import pytest
from unora_common.errors import Unavailable
from unora_identity.providers.child.limits import NICENESS
from unora_identity.providers.formats.judge import judge
from unora_identity.providers.pictures import PhotoTooLarge, PhotoTooSmall, PhotoUnreadable, VisionPolicy
from unora_identity.providers.vision import Vision
from unora_local.photos.portraits import portrait
from unora_testing.deadlines import POLL, eventually
from unora_testing.photos import grids, hostile
from unora_testing.pictures import PATIENT

pytestmark = pytest.mark.rule("XX-07")
ROOT = Path(__file__).parents[3]
SERVICE = 200 * 2**20
"""More than the service itself takes: 123 MiB idle, and the bytes of the files in work."""


@pytest.fixture
async def vision() -> AsyncIterator[Vision]:
    vision = Vision(short())
    yield vision
    vision.close()


def short(**limits: float) -> VisionPolicy:
    """Limits of which some are short; by itself a picture may take long: other processes go first."""
    return replace(VisionPolicy(), **({"wall_seconds": PATIENT} | limits))  # type: ignore[arg-type]


@contextmanager
def seeing(policy: VisionPolicy) -> Iterator[Vision]:
    vision = Vision(policy)
    try:
        yield vision
    finally:
        vision.close()


def forkers(parent: int | None = None) -> list[psutil.Process]:
    """The processes that fork, of one service."""
    children = psutil.Process(parent).children()
    return [each for each in children if "unora_identity.providers.child" in " ".join(each.cmdline())]


def in_work(parent: int | None = None) -> list[psutil.Process]:
    """The processes that have a picture now."""
    return [child for forker in forkers(parent) for child in children(forker)]


def children(forker: psutil.Process) -> list[psutil.Process]:
    """Of a process with one thread, from the kernel: to look for them among all processes takes a hundred times as
    long.
    """
    found: list[psutil.Process] = []
    with suppress(OSError, psutil.NoSuchProcess):
        numbers = of_kernel(forker, f"task/{forker.pid}/children").split()
        found.extend(psutil.Process(int(number)) for number in numbers)
    return found


async def test_a_picture_is_inspected_elsewhere(vision: Vision) -> None:
    picture = await vision.inspect(portrait(3, 2))
    assert (picture.width, picture.height, picture.has_face, picture.quality_passed) == (600, 750, True, True)
    assert len(picture.sizes) == 3


async def test_refusals_come_back_with_their_limits(vision: Vision) -> None:
    with pytest.raises(PhotoUnreadable):
        await vision.inspect(b"<svg xmlns='http://www.w3.org/2000/svg'/>")
    with pytest.raises(PhotoTooLarge) as too_large:
        await vision.inspect(hostile.jpeg_of_many_scans())
    assert too_large.value.metadata == {"most_scans": "32"}
    with pytest.raises(PhotoTooLarge) as too_long:
        await vision.inspect(bytes(10 * 2**20 + 1))
    assert too_long.value.metadata == {"most_bytes": str(10 * 2**20)}
    small = hostile.flat_png(100, 100)
    with pytest.raises(PhotoTooSmall) as too_small:
        await vision.inspect(small)
    assert too_small.value.metadata == {"least_side": "200"}
    assert (await vision.inspect(small, new=False)).width == 100


async def test_many_pictures_at_once_all_get_their_answers(vision: Vision) -> None:
    pictures = await asyncio.gather(*(vision.inspect(portrait(person, 0)) for person in range(8)))
    assert all(picture.has_face for picture in pictures)
    await eventually(lambda: not in_work(), "all processes of pictures have ended")


_LOADED = """
import json, sys
{imports}
print(json.dumps(sorted({{name.partition(".")[0] for name in sys.modules}})))
"""


def loaded(imports: str) -> set[str]:
    """The packages that a Python has loaded after these imports."""
    command = [sys.executable, "-c", _LOADED.format(imports=imports)]
    done = subprocess.run(command, capture_output=True, text=True, check=True, timeout=120)
    return set(json.loads(done.stdout))


@pytest.mark.rule("PR-08")
def test_the_service_loads_no_decoder_and_the_decoders_know_no_service() -> None:
    service = loaded("import unora_identity.service")
    assert {"grpc", "asyncpg", "unora_identity"} <= service
    assert not service & {"cv2", "numpy", "PIL", "pi_heif", "_pi_heif"}
    names = ("__main__", "inspector", "one_picture", "stray_output")
    child = loaded("import " + ", ".join(f"unora_identity.providers.child.{name}" for name in names))
    assert {"cv2", "numpy", "PIL", "pi_heif", "unora_identity"} <= child
    assert not child & {"grpc", "asyncpg", "boto3", "botocore", "sqlalchemy", "nats", "httpx", "cryptography"}


async def test_the_process_has_no_secrets_and_no_files_of_the_service(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    monkeypatch.setenv("UNORA_S3_SECRET_KEY", "hush")
    with (tmp_path / "open").open("wb") as held, seeing(VisionPolicy(cpu_seconds=60, wall_seconds=PATIENT)) as vision:
        work = asyncio.create_task(vision.inspect(grids.grid(4096, 3072, grids.tile("tile_noise"))))
        child = await _first_in_work()
        child.suspend()
        assert "UNORA_S3_SECRET_KEY" not in child.environ()
        assert {"0", "1", "2", "3"} == set(os.listdir(f"/proc/{child.pid}/fd"))
        assert held.name not in {entry.path for entry in child.open_files()}
        assert "NoNewPrivs:\t1" in of_kernel(child, "status")
        assert "Max core file size        0                    0" in of_kernel(child, "limits")
        (forker,) = [each for each in forkers() if child in children(each)]
        assert forker.num_threads() == 1  # only then may it fork
        child.resume()
        assert (await work).width == 1600


def of_kernel(process: psutil.Process, name: str) -> str:
    """What the kernel knows about a process."""
    return Path(f"/proc/{process.pid}/{name}").read_text()


async def _first_in_work(parent: int | None = None) -> psutil.Process:
    found: list[psutil.Process] = []

    def look() -> bool:
        found[:] = filter(_decodes, in_work(parent))
        return bool(found)

    await eventually(look, "a picture is being decoded")
    return found[0]


def _decodes(process: psutil.Process) -> bool:
    """Once a process has given up all it gives up, its decoder takes a while."""
    try:
        return process.nice() == NICENESS and process.cpu_times().user > 0.1
    except psutil.NoSuchProcess:
        return False


async def test_too_much_cpu_time_ends_a_decoder_and_the_picture_is_unreadable() -> None:
    # Its scans and pixels are allowed here, as if the structure had not told.
    policy = short(most_scans=10**6, cpu_seconds=1)
    with seeing(policy) as vision:
        with pytest.raises(PhotoUnreadable):
            await vision.inspect(hostile.jpeg_of_many_scans(6000, 6000, 400))
        assert (await vision.inspect(portrait(0, 0))).has_face


async def test_too_much_wall_time_ends_a_decoder_but_a_busy_machine_is_no_fault_of_the_picture() -> None:
    policy = short(most_scans=10**6, cpu_seconds=60, wall_seconds=1)
    with seeing(policy) as vision, pytest.raises(Unavailable):
        await vision.inspect(hostile.jpeg_of_many_scans(6000, 6000, 400))


async def test_a_decoder_that_wants_more_memory_than_was_said_gets_none(vision: Vision) -> None:
    # Each tile is 64 times as large as its box says, of which the structure knows nothing.
    with pytest.raises(PhotoUnreadable):
        await vision.inspect(hostile.heic_of_lying_tiles())
    # As if the structure had told of 30 MiB less than a picture takes.
    data = hostile.flat_png(5000, 5000)
    assert (await vision.inspect(data)).width == 1600
    with seeing(short(spare_memory=-30 * 2**20)) as narrow, pytest.raises(PhotoUnreadable):
        await narrow.inspect(data)


async def test_with_the_worst_files_of_each_format_at_once_memory_stays_below_the_limit(vision: Vision) -> None:
    (limit,) = re.findall(
        r"limits: {memory: (\d+)Mi}", (ROOT / "deploy/k8s/base/identity/kustomization.yaml").read_text()
    )
    worst = hostile.worst_accepted()
    await vision.inspect(portrait(0, 0))
    (forker,) = forkers()
    files = (*worst.values(), worst["HEIC"])
    work = asyncio.gather(*map(vision.inspect, files))
    most = 0
    while not work.done():
        most = max(most, own_memory(children(forker)))
        await asyncio.sleep(POLL)
    assert len(await work) == len(files)
    assert most > 200 * 2**20, "this has not seen the largest at work"
    assert most + forker.memory_info().rss + SERVICE < int(limit) * 2**20


def own_memory(processes: list[psutil.Process]) -> int:
    """Bytes that these processes share with no other."""
    total = 0
    for process in processes:
        with suppress(psutil.Error):
            total += process.memory_full_info().uss
    return total


def large() -> bytes:
    """A picture that takes more than half of the memory for all, and half the time of the worst."""
    data = grids.grid(8192, 6048)
    policy = VisionPolicy()
    assert judge(data, policy).memory + policy.spare_memory > policy.memory_at_once // 2
    return data


async def test_large_pictures_wait_for_memory_and_small_ones_pass_between() -> None:
    big, small = large(), portrait(0, 0)
    with seeing(VisionPolicy(cpu_seconds=60, wall_seconds=PATIENT)) as vision:
        results = await asyncio.gather(vision.inspect(big), vision.inspect(big), vision.inspect(small))
        assert [picture.has_face for picture in results] == [False, False, True]


async def test_a_caller_who_leaves_takes_the_work_along() -> None:
    with seeing(VisionPolicy(cpu_seconds=60, wall_seconds=PATIENT)) as vision:
        work = asyncio.create_task(vision.inspect(hostile.worst_accepted()["HEIC"]))
        await _first_in_work()
        work.cancel()
        with pytest.raises(asyncio.CancelledError):
            await work
        await eventually(lambda: not in_work(), "the work of the caller who left has ended")
        # Nothing was lost: memory for another is there again.
        assert (await vision.inspect(large())).width == 1600


def _has_ended(process: psutil.Process) -> bool:
    try:
        return not process.is_running() or process.status() == psutil.STATUS_ZOMBIE
    except psutil.NoSuchProcess:
        return True


@pytest.mark.parametrize("which", ["the picture's process", "the process that forks"])
async def test_a_process_that_is_killed_is_no_fault_of_the_picture(which: str) -> None:
    with seeing(VisionPolicy(cpu_seconds=60, wall_seconds=PATIENT)) as vision:
        work = asyncio.create_task(vision.inspect(hostile.worst_accepted()["HEIC"]))
        child = await _first_in_work()
        (forker,) = forkers()
        (child if which == "the picture's process" else forker).send_signal(signal.SIGKILL)
        with pytest.raises(Unavailable):
            await work
        # The kernel ends it with its parent, and may take a moment.
        await eventually(lambda: _has_ended(child), "the picture's process has ended")
        assert (await vision.inspect(portrait(0, 0))).has_face


@pytest.mark.parametrize("number", [signal.SIGSEGV, signal.SIGABRT])
async def test_a_decoder_that_crashes_makes_the_picture_unreadable(number: signal.Signals) -> None:
    with seeing(VisionPolicy(cpu_seconds=60, wall_seconds=PATIENT)) as vision:
        work = asyncio.create_task(vision.inspect(hostile.worst_accepted()["HEIC"]))
        (await _first_in_work()).send_signal(number)
        with pytest.raises(PhotoUnreadable):
            await work


async def test_signals_for_a_terminals_group_are_for_the_service_only() -> None:
    with seeing(short()) as vision:
        await vision.inspect(portrait(0, 0))
        (forker,) = forkers()
        assert os.getsid(forker.pid) != os.getsid(0)
        for number in (signal.SIGINT, signal.SIGTERM):
            forker.send_signal(number)
        assert (await vision.inspect(portrait(1, 0))).has_face
        assert forkers() == [forker]
    assert not forker.is_running()


_SERVICE = """
import asyncio, sys
from unora_identity.providers.vision import Vision
async def main():
    vision = Vision()
    data = sys.stdin.buffer.read()
    print("ready", flush=True)
    await vision.inspect(data)
    print("done", flush=True)
    vision.close()
asyncio.run(main())
"""


def start_service() -> subprocess.Popen[bytes]:
    return subprocess.Popen([sys.executable, "-c", _SERVICE], stdin=subprocess.PIPE, stdout=subprocess.PIPE)


async def test_a_service_that_is_killed_leaves_no_process_behind() -> None:
    service = start_service()
    with service:
        assert service.stdin is not None
        service.stdin.write(hostile.worst_accepted()["HEIC"])
        service.stdin.close()
        child = await _first_in_work(service.pid)
        processes = [*forkers(service.pid), child]
        assert len(processes) == 2
        service.kill()
        await eventually(lambda: not any(map(_alive, processes)), "both processes have ended")


def _alive(process: psutil.Process) -> bool:
    try:
        return bool(process.status() != psutil.STATUS_ZOMBIE)
    except psutil.NoSuchProcess:
        return False


async def test_nothing_is_started_before_a_picture_comes_and_all_ends_at_the_close() -> None:
    vision = Vision()
    before = len(forkers())
    vision.prepare()
    vision.prepare()
    assert len(forkers()) == before + 1
    vision.close()
    assert len(forkers()) == before
    vision.close()


@pytest.mark.parametrize("make", [lambda: b"", lambda: b"\xff" * 10**6, hostile.png_of_many_chunks])
async def test_refused_bytes_leave_the_process_that_forks_as_it_was(vision: Vision, make: Callable[[], bytes]) -> None:
    await vision.inspect(portrait(0, 0))
    forker = forkers()
    for _ in range(5):
        with pytest.raises((PhotoUnreadable, PhotoTooLarge)):
            await vision.inspect(make())
    assert forkers() == forker
