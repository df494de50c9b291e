"""The limit of gRPC in Python: an aio server on uvloop that gives back the bytes it got, bare or over mutual TLS."""

from __future__ import annotations

import asyncio
import sys
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path

import grpc
import uvloop
from unora_local import ports
from unora_local.env import Env

from unora_bench.driver import Call, Plan
from unora_bench.stack import until

METHOD = "/bench.Echo/Call"


async def _echo(request: bytes, context: grpc.aio.ServicerContext[bytes, bytes]) -> bytes:
    return request


async def serve(port: int, files: list[bytes]) -> None:
    """Serves until the process is ended; `files` hold the CA, a certificate and its key, or there are none."""
    server = grpc.aio.server()
    handlers: dict[str, grpc.RpcMethodHandler[bytes, bytes]] = {"Call": grpc.unary_unary_rpc_method_handler(_echo)}
    server.add_generic_rpc_handlers([grpc.method_handlers_generic_handler("bench.Echo", handlers)])
    address = f"127.0.0.1:{port}"
    if files:
        ca, cert, key = files
        server.add_secure_port(address, grpc.ssl_server_credentials([(key, cert)], ca, require_client_auth=True))
    else:
        server.add_insecure_port(address)
    await server.start()
    await server.wait_for_termination()


def files_of(env: Env | None) -> tuple[str, ...]:
    """The CA, a certificate and its key, of a stack; nothing without one."""
    return tuple(env.values[f"UNORA_TLS_{name}"] for name in ("CA", "CERT", "KEY")) if env else ()


@asynccontextmanager
async def server(env: Env | None = None) -> AsyncIterator[int]:
    """An echo in a process of its own; yields its port. With a stack's `env` it serves with that certificate."""
    (port,) = ports.free()
    process = await asyncio.create_subprocess_exec(
        *(sys.executable, "-m", "unora_bench.echo", str(port)), *files_of(env)
    )
    try:
        await until(lambda: not ports.is_free(port))
        yield port
    finally:
        process.kill()
        await process.wait()


def plan(port: int, concurrency: int, calls: list[Call], env: Env | None = None) -> Plan:
    """What the driver needs to call it."""
    address, files = f"127.0.0.1:{port}", files_of(env)
    if not files:
        return Plan(address, METHOD, concurrency, calls)
    ca, cert, key = files
    return Plan(address, METHOD, concurrency, calls, ca, cert, key, "localhost")


if __name__ == "__main__":
    with asyncio.Runner(loop_factory=uvloop.new_event_loop) as runner:
        runner.run(serve(int(sys.argv[1]), [Path(name).read_bytes() for name in sys.argv[2:]]))
