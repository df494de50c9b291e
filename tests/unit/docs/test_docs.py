"""The pages for readers are true: what they name exists, and what is generated equals the code."""

from __future__ import annotations

import ast
import importlib.util
import re
from pathlib import Path

import grpc
import pytest
from unora_common.config import CONTEXTS
from unora_common.declarations import load_service
from unora_local import cli
from unora_tools import reference, variables
from unora_tools.events.catalogue import consumers

from tests.rules import rules
from tests.unit.docs.repository import DOCS, PAGES, ROOT, exists, paths_named, prose, texts

RULE = re.compile(r"\b(?:ID|PR|DI|MA|ST|RE|PE|BI|SA|XX)-\d\d\b")
LINK = re.compile(r"\]\(([^)#\s]*)(?:#([^)\s]*))?\)")
MAKE = re.compile(r"\bmake ([a-z][a-z0-9-]*)")
MODULE = re.compile(r"(?<![\w.-])-m (unora_\w+|tests\.\w+)((?:\.\w+)*)(?: ([a-z][a-z-]+))?")
VARIABLE = re.compile(r"\bUNORA_[A-Z0-9_]+[A-Z0-9]\b")
REFUSED = re.compile(rf"\b({'|'.join(code.name for code in grpc.StatusCode)})\s+([A-Z][A-Z_]*_[A-Z_]+)\b")
MAKEFILE = (ROOT / "Makefile").read_text()
TARGETS = set(re.findall(r"^([a-z0-9-]+):.*## ", MAKEFILE, re.MULTILINE))
ids = [str(page.relative_to(ROOT)) for page in PAGES]
every_page = pytest.mark.parametrize("page", PAGES, ids=ids)


@every_page
def test_paths_in_backticks_exist(page: Path) -> None:
    assert [path for path in paths_named(page) if not exists(path)] == []


@every_page
def test_links_lead_somewhere(page: Path) -> None:
    for target, anchor in LINK.findall(prose(page)):
        if "://" in target:
            continue
        there = (page.parent / target).resolve() if target else page
        assert there.exists(), target
        if anchor:
            assert anchor in _anchors(there), f"{target}#{anchor}"


@every_page
def test_make_targets_exist(page: Path) -> None:
    code = " ".join(re.findall(r"`[^`]+`|```.*?```", page.read_text(), re.DOTALL))
    assert set(MAKE.findall(code)) <= TARGETS


@every_page
def test_commands_exist(page: Path) -> None:
    for package, rest, word in MODULE.findall(page.read_text()):
        module = package + rest
        found = importlib.util.find_spec(module)
        assert found, module
        if module == "unora_local" and word:
            with pytest.raises(SystemExit) as said:
                cli.main([word, "--help"])
            assert said.value.code == 0


@every_page
def test_variables_are_ones_that_something_reads(page: Path) -> None:
    code = "".join(text for path, text in texts().items() if path.suffix in (".py", ".yml", ".yaml"))
    fields = {
        f"UNORA_{name.upper()}" for context in CONTEXTS for name in load_service(context).config.__struct_fields__
    }
    fields |= {f"UNORA_{context.upper()}_ADDRESS" for context in CONTEXTS}
    fields |= {variable.name for variable in variables.gateway()}
    for name in VARIABLE.findall(page.read_text()):
        assert name.removesuffix("_FILE") in fields or name in code, name


def test_generated_pages_equal_the_code() -> None:
    for path, page in reference.PAGES.items():
        assert path.read_text() == page(), f"{path.name} is old: make reference"


def test_every_refusal_that_the_contract_names_is_one_of_the_context() -> None:
    known = {(each.package.removeprefix("unora_"), each.code, each.reason) for each in reference.refusals()}
    unknown = set()
    for path, text in texts().items():
        if path.suffix == ".proto":
            context = path.parts[2]
            among = {context, "common", *({"streak", "reveal"} if context == "billing" else ())}
            said = " ".join(line.strip().removeprefix("//") for line in text.splitlines() if "//" in line)
            for code, reason in REFUSED.findall(said):
                if not any((who, code, reason) in known for who in among):
                    unknown.add((context, code, reason))
    assert unknown == set()


def test_every_rule_that_is_named_exists() -> None:
    known = rules((DOCS / "rules.md").read_text())
    unknown = {(str(path), rule) for path, text in texts().items() for rule in RULE.findall(text) if rule not in known}
    assert unknown == set()


def test_the_contexts_ask_and_hear_as_the_architecture_says() -> None:
    asked = {context: set[str]() for context in CONTEXTS}
    for method in reference.methods():
        if len(method.callers) < len(CONTEXTS) - 1:  # what all ask of identity is said of all
            for caller in set(method.callers) & set(CONTEXTS):
                asked[caller].add(method.context)
    heard = {context: set[str]() for context in CONTEXTS}
    for consumer in consumers():
        heard[consumer.context].add(consumer.event.split(".")[1])
    heard["safety"] = {"all"}
    rows = dict[str, tuple[set[str], set[str]]]()
    for row in (DOCS / "architecture.md").read_text().splitlines():
        cells = [cell.strip() for cell in row.strip("|").split("|")]
        if cells[0] in CONTEXTS:
            rows[cells[0]] = (_words(cells[2]), _words(cells[3]))
    assert rows == {context: (asked[context], heard[context]) for context in CONTEXTS}


def test_decisions_are_numbered_and_listed_by_their_titles() -> None:
    folder = DOCS / "decisions"
    pages = sorted(path for path in folder.glob("*.md") if path.name != "README.md")
    assert [path.name[:4] for path in pages] == [f"{number:04}" for number in range(1, len(pages) + 1)]
    listed = re.findall(r"^\| \[(\d+)\]\((.*?)\) \| (.*) \|$", (folder / "README.md").read_text(), re.MULTILINE)
    titles = {path: path.read_text().splitlines()[0].removeprefix("# ") for path in pages}
    assert listed == [(path.name[:4], path.name, title) for path, title in titles.items()]


def test_make_alone_names_every_target() -> None:
    phony = {name for line in re.findall(r"^\.PHONY: (.*)$", MAKEFILE, re.MULTILINE) for name in line.split()}
    assert phony == TARGETS


def test_no_open_task_and_no_path_of_one_machine_is_left() -> None:
    marks = re.compile(r"\b(?:TO" + r"DO|FIX" + r"ME|XX" + r"X)\b|/(?:home|root|work)/[a-z]|--(?:extra-)?index-url")
    found = {(str(path), mark) for path, text in texts().items() for mark in marks.findall(text)}
    assert found == set()


def test_a_docstring_says_more_than_the_id_of_a_rule() -> None:
    """Ruff holds that there is one."""
    bare = set()
    for path, text in texts().items():
        if path.suffix == ".py" and "tests" not in path.parts and "migrations" not in path.parts:
            for node in ast.walk(ast.parse(text)):
                if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef | ast.ClassDef) and node.name[0] != "_":
                    said = ast.get_docstring(node)
                    if said is not None and not re.search(r"[A-Za-z]{3}", RULE.sub("", said)):
                        bare.add(f"{path}: {node.name}")
    assert bare == set()


def test_billing_shows_the_numbers_that_the_owners_of_plans_use() -> None:
    """Billing shows a plan's numbers; matching, discovery and streak apply them; rules.md names them."""
    shown = _defaults("billing")
    page = (DOCS / "rules.md").read_text()
    rows = {
        "connection slots": ("matching", "{}_slots"),
        "hours between global refreshes": ("discovery", "refresh_hours_{}"),
        "nudges per at-risk period": ("streak", "nudges_{}"),
    }
    for words, (owner, name) in rows.items():
        (cells,) = re.findall(rf"^\| {words} \| (\S+) \| (\S+) \| (\S+) \|", page, re.MULTILINE)
        for tier, number in zip(("free", "plus", "pro"), map(int, cells), strict=True):
            field = name.format(tier)  # the same of both, so that one variable sets it
            assert shown[field] == _defaults(owner)[field] == number, (words, tier)
    prices = [shown[f"{purchase}_price"] for purchase in ("recovery", "reveal", "nudge", "plus_monthly", "pro_monthly")]
    said = re.search(
        r"recovery (\d+), reveal (\d+), extra nudge (\d+), plus (\d+) a month, pro (\d+) a month",
        page.replace("\n", " "),
    )
    assert said is not None
    assert prices == [int(price) for price in said.groups()]


def _defaults(context: str) -> dict[str, object]:
    config = load_service(context).config
    names = config.__struct_fields__
    return dict(zip(names[len(names) - len(config.__struct_defaults__) :], config.__struct_defaults__, strict=True))


def _words(cell: str) -> set[str]:
    return {word.strip() for word in cell.split(",") if word.strip()}


def _anchors(page: Path) -> set[str]:
    heads = re.findall(r"^#+ (.*)$", page.read_text(), re.MULTILINE)
    return {re.sub(r"[^\w\- ]", "", head.lower()).replace(" ", "-") for head in heads}
