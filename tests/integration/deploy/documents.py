"""What the code says about a deployment; the deployment files are compared with it."""

from __future__ import annotations

from importlib import import_module
from pathlib import Path
from typing import Any

import msgspec
from unora_common.config import CONTEXTS, Config
from unora_common.declarations import load_service
from unora_common.policies import policies_of

ROOT = Path(__file__).resolve().parents[3]
GRPC, HEALTH, METRICS = 8443, 8081, 9090
ADDRESSES = {f"UNORA_{context.upper()}_ADDRESS" for context in CONTEXTS}


def variables(context: str) -> dict[str, bool]:
    """What a service reads: each variable, and whether it must be set."""
    fields = msgspec.structs.fields(config_of(context))
    return {f"UNORA_{field.name.upper()}": field.required for field in fields if field.name != "peers"}


def config_of(context: str) -> type[Config]:
    """The class of a context's configuration."""
    kind: type[Config] = load_service(context).config
    return kind


def misfits(context: str, environment: dict[str, str]) -> list[str]:
    """What is wrong with the environment of a service."""
    known = variables(context)
    bare = {name.removesuffix("_FILE") if name not in known else name for name in environment}
    found = [f"{name} is read by no code" for name in bare if name not in known | dict.fromkeys(ADDRESSES, False)]
    found += [f"{name} is not set" for name, required in known.items() if required and name not in bare]
    return found + [f"{name} is not set" for name in ADDRESSES - bare]


def peers() -> dict[str, set[str]]:
    """The callers that the contract allows: {context: the contexts whose certificate one of its methods accepts}."""
    found: dict[str, set[str]] = {context: set() for context in CONTEXTS}
    for service in contract_services():
        context = service.full_name.split(".")[1]
        for policy in policies_of(service):
            found[context] |= policy.callers
    return found


def contract_services() -> list[Any]:
    """The descriptors of all services of the contract."""
    found = []
    for path in sorted((ROOT / "libs" / "protos" / "unora").rglob("*_service_pb2.py")):
        module = import_module(".".join(path.relative_to(ROOT / "libs" / "protos").with_suffix("").parts))
        found += list(module.DESCRIPTOR.services_by_name.values())
    return found
