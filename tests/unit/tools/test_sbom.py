"""The bill of materials of each image."""

from __future__ import annotations

import json
from functools import cache
from pathlib import Path
from typing import Any

import cyclonedx.schema
import jsonschema_rs
import pytest
from unora_tools.commit import Commit
from unora_tools.supply.parts import LOCKS, ROOT
from unora_tools.supply.sbom import bill_of

SCHEMAS = Path(str(cyclonedx.schema.__file__)).parent / "_res"
COMMIT = Commit(revision="1234abcd", seconds=1_800_000_000, version="0.1.0")


@cache
def bill(image: str) -> str:
    return bill_of(image, COMMIT, "0.1.0")


def schema(name: str) -> dict[str, Any]:
    found: dict[str, Any] = json.loads((SCHEMAS / f"{name}.SNAPSHOT.schema.json").read_text())
    return found


@pytest.mark.parametrize("image", LOCKS)
def test_a_bill_fits_the_schema_of_cyclonedx_and_equal_commits_give_equal_bills(image: str) -> None:
    text = bill(image)
    own = schema("bom-1.6")
    near = own["$id"].rpartition("/")[0]
    others = [(f"{near}/{name}.SNAPSHOT.schema.json", schema(name)) for name in ("spdx", "jsf-0.82")]
    registry = jsonschema_rs.Registry(others)
    checked = jsonschema_rs.validator_for(own, registry=registry)
    read = json.loads(text)
    assert [error.message for error in checked.iter_errors(read)] == []
    assert [error.message for error in checked.iter_errors(read | {"components": [{"name": 1}]})] != []
    assert text == bill_of(image, COMMIT, "0.1.0")
    assert read["metadata"]["timestamp"] == "2027-01-15T08:00:00+00:00"


@pytest.mark.parametrize("image", LOCKS)
def test_a_bill_has_every_locked_package_with_its_hashes_its_licence_and_what_it_needs(image: str) -> None:
    read = json.loads(bill(image))
    lock = (ROOT / LOCKS[image]).read_text()
    locked = {line.split()[0] for line in lock.splitlines() if "==" in line}
    assert {f"{each['name']}=={each['version']}" for each in read["components"]} == locked
    assert all(each["licenses"] and each["hashes"] for each in read["components"])
    assert sum(len(each["hashes"]) for each in read["components"]) == lock.count("--hash=")
    needs = {each["ref"].partition("==")[0]: each.get("dependsOn", []) for each in read["dependencies"]}
    assert [each.partition("==")[0] for each in needs["httpx"]] == ["anyio", "certifi", "httpcore", "idna"]
    assert ("pi-heif" in needs) == (image == "unora-identity")


def test_the_libraries_within_a_wheel_are_in_the_bill_below_it() -> None:
    read = json.loads(bill("unora-identity"))
    (heif,) = (each for each in read["components"] if each["name"] == "pi-heif")
    assert {each["name"] for each in heif["components"]} == {"libheif", "libde265"}
