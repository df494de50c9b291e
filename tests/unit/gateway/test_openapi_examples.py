"""Examples in the document were really called, and each fits its schema, without a field that the schema lacks."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import pytest
from unora_gateway.openapi.document import read_examples

from tests.unit.gateway.openapi_document import component, misfits, operations

JSON = "application/json"
EXAMPLES = read_examples()
MOST = 60
"""Methods that have an example, at least: those that the story of the demo calls."""
each_example = pytest.mark.parametrize("name", EXAMPLES)


def test_most_methods_have_an_example() -> None:
    assert len(EXAMPLES) >= MOST
    assert set(EXAMPLES) <= set(operations())


@each_example
def test_an_example_fits_its_schemas(name: str) -> None:
    operation, example = operations()[name], EXAMPLES[name]
    parameters = {each["name"]: each for each in operation.get("parameters", [])}
    assert set(example["parameters"]) <= set(parameters)
    for parameter, value in example["parameters"].items():
        assert misfits(parameters[parameter]["schema"], value) == [], parameter
    assert {each for each in parameters if parameters[each].get("required")} <= set(example["parameters"])
    if "requestBody" in operation:
        assert _misfits(operation["requestBody"]["content"][JSON]["schema"], example["body"]) == []
    assert _misfits(operation["responses"]["200"]["content"][JSON]["schema"], example["answer"]) == []


@each_example
def test_the_document_shows_the_example(name: str) -> None:
    content = operations()[name]["responses"]["200"]["content"][JSON]
    assert content["example"] == EXAMPLES[name]["answer"]


def _misfits(schema: dict[str, Any], value: Any) -> list[str]:
    return [*misfits(schema, value), *_unknown(schema, value)]


def _unknown(schema: dict[str, Any], value: Any, path: str = "") -> Iterator[str]:
    """Fields of a value that its schema does not name."""
    found = component(schema["$ref"]) if "$ref" in schema else schema
    if isinstance(value, list):
        for each in value:
            yield from _unknown(found["items"], each, f"{path}[]")
    elif isinstance(value, dict) and "additionalProperties" not in found:
        known = found.get("properties", {})
        yield from (f"{path}.{name} is not in the schema" for name in value if name not in known)
        for name in known.keys() & value.keys():
            yield from _unknown(known[name], value[name], f"{path}.{name}")
