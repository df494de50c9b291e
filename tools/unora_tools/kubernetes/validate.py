"""Validates objects strictly, so that a field that nobody knows is a fault: those of Kubernetes by its own schemas.
Custom resources are for `models.py` and `written_schemas.py`.
"""

from __future__ import annotations

import json
from collections.abc import Iterable
from functools import cache
from typing import Final

import kubernetes_validate

from unora_tools.kubernetes.render import Object, named

VERSIONS: Final = ("1.30", kubernetes_validate.latest_version())
"""The oldest version that is supported, and the newest with schemas here."""


def faults(objects: Iterable[Object], version: str) -> tuple[list[str], list[Object]]:
    """The faults that the schemas of one version of Kubernetes find, and the objects of kinds that it does not have."""
    found: list[str] = []
    custom: list[Object] = []
    for item in objects:
        fault = _fault(json.dumps(item, sort_keys=True), version)
        if fault is None:
            custom.append(item)
        elif fault:
            found.append(f"{named(item)}: {fault}")
    return found, custom


@cache
def _fault(written: str, version: str) -> str | None:
    """The fault of an object as JSON, empty if there is none, None if its kind is not known. Overlays share objects."""
    try:
        kubernetes_validate.validate(json.loads(written), version, strict=True)
    except kubernetes_validate.SchemaNotFoundError:
        return None
    except kubernetes_validate.ValidationError as error:
        where = ".".join(str(part) for part in error.absolute_path)
        return f"{where}: {error.message}"
    return ""
