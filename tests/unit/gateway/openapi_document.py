"""The committed document, and validators of its schemas."""

from __future__ import annotations

import json
from functools import cache
from typing import Any

from jsonschema_rs import Draft202012Validator, Registry
from unora_gateway.openapi.document import FILE

URI = "urn:unora:openapi"


@cache
def document() -> dict[str, Any]:
    """docs/openapi.json."""
    found: dict[str, Any] = json.loads(FILE.read_text())
    return found


@cache
def operations() -> dict[str, dict[str, Any]]:
    """Every operation by its name."""
    return {each["operationId"]: each for path in document()["paths"].values() for each in path.values()}


def component(reference: str) -> dict[str, Any]:
    """What a reference names, such as `#/components/schemas/Error`."""
    _, _, kind, name = reference.split("/")
    found: dict[str, Any] = document()["components"][kind][name]
    return found


def answer_of(operation: dict[str, Any], status: int | str) -> dict[str, Any]:
    """What an operation says of a status; empty if it says nothing."""
    found: dict[str, Any] = operation["responses"].get(str(status), {})
    return component(found["$ref"]) if "$ref" in found else found


def misfits(schema: dict[str, Any], value: Any) -> list[str]:
    """What does not fit of a value, by a schema that may refer to the document's components."""
    checked = Draft202012Validator(_absolute(schema), registry=_registry(), validate_formats=True)
    return [f"{'.'.join(map(str, error.instance_path))}: {error.message}" for error in checked.iter_errors(value)]


@cache
def _registry() -> Registry:
    return Registry([(URI, document())])


def _absolute(schema: Any) -> Any:
    """References of a part of the document, as references to the document."""
    if isinstance(schema, dict):
        return {key: URI + value if key == "$ref" else _absolute(value) for key, value in schema.items()}
    return [_absolute(each) for each in schema] if isinstance(schema, list) else schema
