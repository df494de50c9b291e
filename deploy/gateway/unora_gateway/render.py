"""Writes what Envoy reads: its configuration, the script, the descriptors, the files that name certificates."""

import json
from pathlib import Path
from typing import Final

from unora_common.whole_files import write_whole

from unora_gateway import contract, descriptors, refusals, tls
from unora_gateway.bootstrap import bootstrap
from unora_gateway.filters import DESCRIPTORS, SCRIPT
from unora_gateway.lua_tables import lua, tables
from unora_gateway.target import Target

CONFIG: Final = "envoy.json"
OPEN_FILE: Final = 0o644
"""Envoy may run as another user; nothing in these files is secret."""
SCRIPTS: Final = ("json.lua", "checks.lua", "gateway.lua")
RETRY_AFTER: Final = 1.0
"""Seconds after which a caller may try again who called too often: buckets are filled once a second."""


def render(target: Target) -> dict[str, bytes]:
    """The files by their names."""
    image = contract.image()
    routes = contract.routes(image)
    pruned = descriptors.descriptor_set(image)
    services = list(dict.fromkeys(route.service for route in routes))
    files = {
        CONFIG: _json(bootstrap(target, routes, services)),
        SCRIPT: script(target).encode(),
        DESCRIPTORS: pruned.SerializeToString(deterministic=True),
    }
    return files | {name: _json(content) for name, content in tls.secrets(target).items()}


def write(target: Target, folder: Path) -> None:
    """Write the files into a folder, which must exist; each appears whole."""
    for name, content in render(target).items():
        write_whole(folder / name, content, OPEN_FILE)


def script(target: Target) -> str:
    """The script with its tables."""
    routes = contract.routes()
    pages = [page.path for page in target.pages]
    made = tables(contract.image(), routes, refusals.all_said(RETRY_AFTER), pages, target.policy)
    folder = Path(__file__).parent / "lua"
    parts = ["-- Made by `python -m unora_gateway render` from the contract.\n"]
    parts += [f"local {name} = {lua(content)}\n" for name, content in made.items()]
    parts += [(folder / name).read_text() for name in SCRIPTS]
    return "\n".join(parts)


def _json(content: object) -> bytes:
    return json.dumps(content, indent=1, sort_keys=True).encode() + b"\n"
