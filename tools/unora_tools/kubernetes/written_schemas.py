"""Custom resources whose schemas no package registry carries: CloudNativePG and its plugin Barman Cloud. Their schemas
in `schemas/*.yaml` are written by hand, from the fields that their documentation names.
"""

from __future__ import annotations

from collections.abc import Iterable
from functools import cache
from pathlib import Path
from typing import Any, Final

import jsonschema_rs
import yaml

from unora_tools.kubernetes.render import Object, named
from unora_tools.kubernetes.validate import VERSIONS, faults

SCHEMAS: Final = Path(__file__).parent / "schemas"


@cache
def _validators() -> dict[tuple[str, str], jsonschema_rs.Validator]:
    found: dict[tuple[str, str], jsonschema_rs.Validator] = {}
    for file in sorted(SCHEMAS.glob("*.yaml")):
        document = yaml.safe_load(file.read_text())
        for kind, spec in document["kinds"].items():
            schema = _closed({"type": "object", "required": ["spec"], "properties": _HEAD | {"spec": spec}})
            schema["$defs"] = {name: _closed(each) for name, each in document.get("$defs", {}).items()}
            found[document["apiVersion"], kind] = jsonschema_rs.validator_for(schema)
    return found


_HEAD: Final[dict[str, Any]] = {
    "apiVersion": {"type": "string"},
    "kind": {"type": "string"},
    "metadata": {"type": "object", "additionalProperties": True},
}


def _closed(schema: Any) -> Any:
    """The schema, with every object closed whose properties it names: an unknown field is a fault."""
    if isinstance(schema, list):
        return [_closed(each) for each in schema]
    if not isinstance(schema, dict):
        return schema
    closed = {key: _closed(value) for key, value in schema.items()}
    if isinstance(closed.get("properties"), dict) and "additionalProperties" not in closed:
        closed |= {"type": "object", "additionalProperties": False}
    return closed


def knows(item: Object) -> bool:
    """Whether a schema is written here for this kind of object."""
    return (item["apiVersion"], item["kind"]) in _validators()


def written_faults(objects: Iterable[Object]) -> list[str]:
    """The faults that the schemas written here find, and those of the pods that the objects hold."""
    found: list[str] = []
    for item in objects:
        for error in _validators()[item["apiVersion"], item["kind"]].iter_errors(item):
            where = ".".join(str(part) for part in error.instance_path)
            found.append(f"{named(item)}: {where}: {error.message}")
        found += _faults_of_pod(item)
    return found


def _faults_of_pod(item: Object) -> list[str]:
    """A template of pods in a custom resource is Kubernetes' own."""
    template = item["spec"].get("template")
    if template is None:
        return []
    pod = {"apiVersion": "v1", "kind": "Pod", **template}
    pod["metadata"] = {"name": item["metadata"]["name"], **template.get("metadata", {})}
    return [fault for version in VERSIONS for fault in faults([pod], version)[0]]
