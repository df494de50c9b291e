"""The packages of the example in Node: exact versions, and a lock file that any registry can serve."""

from __future__ import annotations

import json
import re

from tests.unit.docs.repository import ROOT

NODE = ROOT / "examples" / "notifier-node"
EXACT = re.compile(r"\d+\.\d+\.\d+")


def test_versions_are_exact_and_the_lock_file_names_no_registry() -> None:
    package = json.loads((NODE / "package.json").read_text())
    locked = json.loads((NODE / "package-lock.json").read_text())["packages"]
    assert package["dependencies"] == locked[""]["dependencies"]
    for name, version in package["dependencies"].items():
        assert EXACT.fullmatch(version)
        assert locked[f"node_modules/{name}"]["version"] == version
    assert [name for name, each in locked.items() if "resolved" in each] == []
    assert "://" not in json.dumps(locked)
    assert all("integrity" in each for name, each in locked.items() if name)
