"""What runs in namespaces of its own: dockerd, the containers, and the journey. Only unora_compose.run starts it."""

import sys
from pathlib import Path

import unora_local  # noqa: F401 - first: it sets what gRPC reads when it is first imported
from unora_demo.run import Wishes
from unora_local.progress import Progress

from unora_compose import images
from unora_compose.dockerd import dockerd
from unora_compose.home import Home
from unora_compose.outcome import outcome
from unora_compose.play import play


async def _play(home: Home, wishes: Wishes) -> bool:
    progress = Progress()
    async with dockerd(home) as docker:
        await images.load(home, docker, progress)
        standins = await images.make_standins(home, docker, progress)
        return await play(home, docker, {**images.names(), **standins}, wishes, progress)


def main(folder: str, via: str, members: str) -> int:
    """The exit status, as that of `make compose-test`."""
    wishes = Wishes(members=int(members), via="rest" if via == "rest" else "grpc")
    return outcome(_play(Home(Path(folder)), wishes), "the containers end")


if __name__ == "__main__":
    sys.exit(main(*sys.argv[1:]))
