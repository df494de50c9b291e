"""The page at /docs: all of it from here, and Redoc as its package has it."""

from __future__ import annotations

import json
import re

import pytest
from unora_gateway.openapi.page import FOLDER, PAGES, POLICY

from tests.unit.docs.repository import ROOT

CLIENT = ROOT / "clients" / "typescript"
INSTALLED = CLIENT / "node_modules" / "redoc"
ADDRESS = re.compile(r"(?:https?:)?//[\w.-]+", re.IGNORECASE)
VENDORED = {
    "redoc.standalone.js": "bundles/redoc.standalone.js",
    "redoc.standalone.js.LICENSE.txt": "bundles/redoc.standalone.js.LICENSE.txt",
    "redoc.LICENSE": "LICENSE",
}


def test_the_page_names_no_other_server() -> None:
    assert ADDRESS.findall((FOLDER / "index.html").read_text()) == []


def test_the_page_loads_only_what_the_gateway_serves() -> None:
    loaded = re.findall(r'(?:src|spec-url)="([^"]*)"', (FOLDER / "index.html").read_text())
    assert loaded
    assert set(loaded) <= {page.path for page in PAGES}


def test_its_policy_allows_no_other_server_and_no_script_in_the_page() -> None:
    rules = {name: set(sources) for name, *sources in (rule.split() for rule in POLICY.split(";"))}
    assert rules["default-src"] == {"'none'"}
    assert rules["script-src"] == {"'self'"}
    assert {source for each in rules.values() for source in each} == {
        *("'none'", "'self'", "'unsafe-inline'", "data:", "blob:"),
    }
    assert [name for name, sources in rules.items() if "'unsafe-inline'" in sources] == ["style-src"]


@pytest.mark.skipif(
    not INSTALLED.exists(), reason="there is no package to compare with: run `make client` once, which needs npm"
)
@pytest.mark.parametrize("name", VENDORED)
def test_redoc_is_the_file_of_its_package(name: str) -> None:
    assert (FOLDER / name).read_bytes() == (INSTALLED / VENDORED[name]).read_bytes()


def test_version_and_integrity_of_redoc_are_said_as_they_are_locked() -> None:
    locked = json.loads((CLIENT / "package-lock.json").read_text())["packages"]["node_modules/redoc"]
    said = (FOLDER / "README.md").read_text()
    assert f"| {locked['version']} |" in said
    assert locked["integrity"] in said
    assert f"Redoc {locked['version']}," in (ROOT / "NOTICE").read_text()
    assert f'Version: "{locked["version"]}"' in (FOLDER / "redoc.standalone.js.LICENSE.txt").read_text()


def test_lock_files_name_no_registry() -> None:
    lock = json.loads((CLIENT / "package-lock.json").read_text())
    packages = {name: each for name, each in lock["packages"].items() if name}
    assert packages
    for name, each in packages.items():
        assert "resolved" not in each, name
        assert each["integrity"].startswith("sha512-"), name
