"""Health as probes ask for it: without TLS, which those of Kubernetes do not speak.

`python -m unora_common.health` asks the process beside it, where a probe is a command; exit status 0 if it is ready.
"""

from __future__ import annotations

import argparse
import os
import sys

import grpc
from grpc_health.v1 import health_pb2, health_pb2_grpc

READINESS = "readiness"
"""The health service's name for readiness; the empty name is liveness."""
PROBES = 8
"""Probes at once; more are not meant to come."""


class HealthServer:
    """A port of its own that tells whether the process lives and is ready, and nothing else."""

    def __init__(self, servicer: health_pb2_grpc.HealthServicer, listen: str) -> None:
        self._server = grpc.aio.server(options=[("grpc.so_reuseport", 0)], maximum_concurrent_rpcs=PROBES)
        health_pb2_grpc.add_HealthServicer_to_server(servicer, self._server)
        self.address = f"{listen.rpartition(':')[0]}:{self._server.add_insecure_port(listen)}"

    async def start(self) -> None:
        """Answers from now on."""
        await self._server.start()

    async def stop(self) -> None:
        """Answers no longer."""
        await self._server.stop(None)


def ask(address: str, name: str, seconds: float) -> str:
    """What the process at `address` says of itself: SERVING, NOT_SERVING, or why there is no answer."""
    host, _, port = address.rpartition(":")
    here = {"0.0.0.0": "127.0.0.1", "[::]": "[::1]"}.get(host, host)  # noqa: S104 - it listens everywhere, we ask here
    with grpc.insecure_channel(f"{here}:{port}") as channel:
        stub = health_pb2_grpc.HealthStub(channel)
        try:
            answer = stub.Check(health_pb2.HealthCheckRequest(service=name), timeout=seconds)
        except grpc.RpcError as error:
            return str(error.code().name)
    return str(health_pb2.HealthCheckResponse.ServingStatus.Name(answer.status))


def main(arguments: list[str] | None = None) -> int:
    """Asks once; returns the exit status."""
    parser = argparse.ArgumentParser(prog="python -m unora_common.health", description="Asks a service how it is.")
    parser.add_argument("--live", action="store_true", help="ask whether it lives, not whether it is ready")
    parser.add_argument("--within", type=float, default=3.0, metavar="SECONDS", help="wait so long for an answer")
    options = parser.parse_args(arguments)
    address = os.environ.get("UNORA_HEALTH_LISTEN", "")
    if not address:
        print("health: UNORA_HEALTH_LISTEN is not set; it says where the service tells its health", file=sys.stderr)
        return 2
    said = ask(address, "" if options.live else READINESS, options.within)
    print(said)
    return 0 if said == "SERVING" else 1


if __name__ == "__main__":
    sys.exit(main())
