"""The import contracts of pyproject.toml refuse every arrow that the floor plan forbids, in every context.

`make check` runs the contracts on the code as it is. Here forbidden imports are added: some to a copy of the files, and
those of every pair of layers to the graph of imports, which is much faster.
"""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
import tomllib
from collections.abc import Iterator
from itertools import combinations, permutations
from pathlib import Path
from typing import Any, Final

import grimp
import pytest
from importlinter.configuration import configure
from importlinter.contracts.layers import LayersContract
from unora_common.config import CONTEXTS

ROOT: Final = Path(__file__).resolve().parents[3]
SETTINGS: Final[dict[str, Any]] = tomllib.loads((ROOT / "pyproject.toml").read_text())["tool"]["importlinter"]
FLOOR_PLAN: Final[dict[str, Any]] = next(each for each in SETTINGS["contracts"] if each.get("containers"))
LAYERS: Final = [[name.strip(" ()") for name in layer.split("|")] for layer in FLOOR_PLAN["layers"]]


def forbidden_pairs() -> Iterator[tuple[str, str]]:
    """(importer, imported): every layer that would import one above it, or one beside it."""
    for above, below in combinations(LAYERS, 2):
        yield from ((lower, upper) for lower in below for upper in above)
    for layer in LAYERS:
        yield from permutations(layer, 2)


@pytest.fixture(scope="module")
def graph() -> grimp.ImportGraph:
    configure()
    return grimp.build_graph(*(f"unora_{context}" for context in CONTEXTS), cache_dir=None)


def floor_plan(context: str) -> LayersContract:
    """The contract of the floor plan, for one context."""
    options = {"containers": [f"unora_{context}"], "layers": FLOOR_PLAN["layers"]}
    options["exhaustive"] = str(FLOOR_PLAN["exhaustive"])
    session = {"root_packages": [f"unora_{context}"]}
    return LayersContract(name=FLOOR_PLAN["name"], session_options=session, contract_options=options)


@pytest.mark.parametrize(("importer", "imported"), list(forbidden_pairs()))
def test_a_layer_imports_neither_what_is_above_nor_what_is_beside_it(
    graph: grimp.ImportGraph, importer: str, imported: str
) -> None:
    for context in CONTEXTS:
        lower, upper = f"unora_{context}.{importer}", f"unora_{context}.{imported}"
        if not {lower, upper} <= graph.modules:
            continue
        graph.add_import(importer=lower, imported=upper)
        try:
            assert not floor_plan(context).check(graph, verbose=False).kept, f"{lower} -> {upper} passes the contract"
        finally:
            graph.remove_import(importer=lower, imported=upper)


def test_a_loose_file_beside_the_floor_plan_is_refused(graph: grimp.ImportGraph) -> None:
    for context in CONTEXTS:
        loose = f"unora_{context}.helpers"
        graph.add_module(loose)
        try:
            assert not floor_plan(context).check(graph, verbose=False).kept, f"{loose} passes the contract"
        finally:
            graph.remove_module(loose)


def test_the_domain_may_import_no_module_of_common_that_does_anything() -> None:
    """A new module of common is forbidden to the domain too, unless it is added to these."""
    (pure,) = (each for each in SETTINGS["contracts"] if each["name"].startswith("the domain is pure"))
    modules = {f"unora_common.{file.stem}" for file in (ROOT / "libs/common/unora_common").glob("[a-z]*.py")}
    allowed = {"unora_common.errors", "unora_common.domain_events", "unora_common.ids", "unora_common.time_zones"}
    assert modules - set(pure["forbidden_modules"]) == allowed


FORBIDDEN: Final = {
    "domain": ("unora_{context}.messages", "unora_{context}.store", "google.protobuf.message", "unora_common.database"),
    "store": ("unora_{context}.use_cases", "unora_{context}.messages", "google.protobuf.message", "unora.common.v1"),
    "servicers": ("unora_{context}.service", "unora_other.domain"),
}
"""By folder: what a file there may not import. `unora_other` stands for another context."""


@pytest.fixture(scope="module")
def report(tmp_path_factory: pytest.TempPathFactory) -> str:
    """What `lint-imports` prints for a copy of the tree with all forbidden imports in it."""
    copy = tmp_path_factory.mktemp("copy")
    for folder in ("libs/common", "services"):
        shutil.copytree(ROOT / folder, copy / folder, ignore=shutil.ignore_patterns("__pycache__"))
    for context in CONTEXTS:
        package = copy / "services" / context / f"unora_{context}"
        for folder, imported in FORBIDDEN.items():
            for number, module in enumerate(imported):
                (package / folder / f"forbidden_{number}.py").write_text(f"import {_named(module, context)}\n")
    paths = [copy / "libs/common", *(copy / "services" / context for context in CONTEXTS)]
    environment = os.environ | {"PYTHONPATH": os.pathsep.join(map(str, paths)), "COLUMNS": "400"}
    program = Path(sys.executable).parent / "lint-imports"
    command = [str(program), "--no-cache", "--config", str(ROOT / "pyproject.toml")]
    done = subprocess.run(command, capture_output=True, text=True, env=environment, cwd=copy, check=False)
    assert done.returncode == 1, done.stdout
    return done.stdout


@pytest.mark.parametrize("context", CONTEXTS)
def test_forbidden_imports_in_files_break_the_check(report: str, context: str) -> None:
    for folder, imported in FORBIDDEN.items():
        for number, module in enumerate(imported):
            # An import of an external package is reported by the package's name.
            target = _named(module, context)
            target = target.partition(".")[0] if target.startswith(("google", "unora.")) else target
            assert f"unora_{context}.{folder}.forbidden_{number} -> {target}" in report


def _named(module: str, context: str) -> str:
    other = CONTEXTS[CONTEXTS.index(context) - 1]
    return module.format(context=context).replace("unora_other", f"unora_{other}")
