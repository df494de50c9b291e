"""`python -m unora_gateway`: writes the files that Envoy reads, and the OpenAPI document."""

import argparse
import sys
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Final

from unora_common.whole_files import write_whole

from unora_gateway import targets
from unora_gateway.contract import routes
from unora_gateway.openapi.document import committed, for_servers, written
from unora_gateway.policy import PolicyError
from unora_gateway.render import CONFIG, OPEN_FILE, write
from unora_gateway.target import Files, Target

TARGETS: Final[Mapping[str, Callable[[Path, Path], Target]]] = {
    "local": lambda out, tls: targets.local(
        out, front=_local(tls, "front"), own=_local(tls, "gateway"), policy=targets.local_policy()
    ),
    "compose": lambda _out, _tls: targets.compose(),
    "kubernetes": lambda _out, _tls: targets.kubernetes(),
}


def main(arguments: list[str] | None = None) -> int:
    """Run one command and return its exit status."""
    parser = argparse.ArgumentParser(
        prog="python -m unora_gateway",
        description="Envoy before the services: REST, gRPC and gRPC-Web on one port. docs/gateway.md says all of it.",
    )
    commands = parser.add_subparsers(dest="command", required=True, metavar="command")
    render = commands.add_parser(
        "render",
        help="write Envoy's configuration, its script, and the descriptors",
        description="Write what Envoy reads, made from the contract. Variables UNORA_GATEWAY_… set limits and origins.",
    )
    render.add_argument("--target", choices=TARGETS, required=True, help="where the gateway will run")
    render.add_argument("--out", type=Path, required=True, metavar="DIR", help="the folder to write into")
    render.add_argument(
        "--tls", type=Path, default=Path(".run/tls"), metavar="DIR", help="for local: the certificates (.run/tls)"
    )
    openapi = commands.add_parser(
        "openapi",
        help="write the OpenAPI document for an address",
        description="Write docs/openapi.json with the addresses at which apps will reach the gateway.",
    )
    openapi.add_argument("--out", type=Path, required=True, metavar="FILE", help="the file to write")
    openapi.add_argument(
        "--server", action="append", default=[], metavar="URL", help="an address, such as https://api.example.com"
    )
    commands.add_parser("routes", help="print every method that passes, with its route")
    chosen = parser.parse_args(arguments)
    if chosen.command == "routes":
        for route in routes():
            print(f"{route.verb:6} {route.template:60} {route.path}")
        return 0
    if chosen.command == "openapi":
        write_whole(chosen.out, written(for_servers(committed(), chosen.server)).encode(), OPEN_FILE)
        print(f"written: {chosen.out}")
        return 0
    return _render(chosen.target, chosen.out, chosen.tls)


def _render(name: str, out: Path, certificates: Path) -> int:
    try:
        target = TARGETS[name](out.resolve(), certificates.resolve())
    except PolicyError as error:
        print(error, file=sys.stderr)
        return 1
    out.mkdir(parents=True, exist_ok=True)
    write(target, out)
    print(f"written for {name}: envoy --config-path {target.folder / CONFIG}")
    return 0


def _local(folder: Path, name: str) -> Files:
    return Files(folder / f"{name}.pem", folder / f"{name}.key", folder / "ca.pem")
