"""Health for probes: without TLS, because the gRPC probes of Kubernetes cannot use it.

`python -m unora_common.health` is a probe as a command: it asks the process of its container, and exits with 0 if that
is ready.
"""

from __future__ import annotations

import argparse
import os
import sys

import grpc
from grpc_health.v1 import health_pb2, health_pb2_grpc

READINESS = "readiness"
"""The health service's name for readiness; the empty name is for liveness."""


def ask(address: str, name: str, seconds: float) -> str:
    """The health of the process at `address`: SERVING, NOT_SERVING, or the status of a failed call."""
    host, _, port = address.rpartition(":")
    here = {"0.0.0.0": "127.0.0.1", "[::]": "[::1]"}.get(host, host)  # noqa: S104 - the process listens everywhere; the probe asks on this host
    with grpc.insecure_channel(f"{here}:{port}") as channel:
        stub = health_pb2_grpc.HealthStub(channel)
        try:
            answer = stub.Check(health_pb2.HealthCheckRequest(service=name), timeout=seconds)
        except grpc.RpcError as error:
            return str(error.code().name)
    return str(health_pb2.HealthCheckResponse.ServingStatus.Name(answer.status))


def main(arguments: list[str] | None = None) -> int:
    """Asks once; returns the exit status: 0 serving, 1 not, 2 not configured."""
    parser = argparse.ArgumentParser(prog="python -m unora_common.health", description="Asks a service for its health.")
    parser.add_argument("--live", action="store_true", help="ask whether it lives, not whether it is ready")
    parser.add_argument("--within", type=float, default=3.0, metavar="SECONDS", help="wait so long for an answer")
    options = parser.parse_args(arguments)
    address = os.environ.get("UNORA_HEALTH_LISTEN", "")
    if not address:
        print("health: UNORA_HEALTH_LISTEN is not set; it names the address of the health port", file=sys.stderr)
        return 2
    said = ask(address, "" if options.live else READINESS, options.within)
    print(said)
    return 0 if said == "SERVING" else 1


if __name__ == "__main__":
    sys.exit(main())
