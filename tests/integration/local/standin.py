"""A stack whose services are stand-ins: `standin.py <a command of unora_local>`, or `standin.py serve <context>`.

The file `die` in the folder of the stack makes the stand-ins end at once.
"""

import asyncio
import os
import sys
from collections.abc import Mapping, Sequence
from pathlib import Path

import grpc
from grpc_health.v1 import health, health_pb2, health_pb2_grpc
from unora_local import cli
from unora_local.progress import Progress
from unora_local.run_folder import RunFolder
from unora_local.up import Stack

CONTEXTS = ("identity", "streak")


async def serve(ca: bytes, cert: bytes, key: bytes) -> None:
    server = grpc.aio.server()
    servicer = health.aio.HealthServicer()
    await servicer.set("readiness", health_pb2.HealthCheckResponse.SERVING)
    health_pb2_grpc.add_HealthServicer_to_server(servicer, server)
    server.add_secure_port(os.environ["UNORA_LISTEN"], grpc.ssl_server_credentials([(key, cert)], ca, True))
    await server.start()
    await server.wait_for_termination()


def migrate(dsn: str, roles: Mapping[str, str], owners: Mapping[str, str]) -> None:
    assert dsn.endswith("/unora")
    assert set(roles) == {"unora_identity", "unora_identity_owner", "unora_streak", "unora_streak_owner"}
    assert set(owners) == set(CONTEXTS)


def command(context: str) -> Sequence[str]:
    return [sys.executable, __file__, "serve", context]


def make(folder: RunFolder, progress: Progress, *, replicas: int) -> Stack:
    return Stack(
        folder,
        progress,
        replicas=replicas,
        contexts=CONTEXTS,
        command=command,
        subjects=lambda _: {},
        migrate=migrate,
    )


if __name__ == "__main__":
    if sys.argv[1] == "serve":
        files = [Path(os.environ[f"UNORA_TLS_{name}"]) for name in ("CA", "CERT", "KEY")]
        if (files[0].parents[1] / "die").exists():
            sys.exit("cannot go on")
        asyncio.run(serve(*(file.read_bytes() for file in files)))
    else:
        sys.exit(cli.main(["--run", os.environ["STANDIN_FOLDER"], *sys.argv[1:]], make))
