"""The SQL of migrations: what the linter says of it, and statements that the declared tables do not show."""

from __future__ import annotations

import re
import subprocess
import tempfile
from collections.abc import Iterator
from pathlib import Path
from typing import Final

from unora_common import migrations
from unora_local.binaries import script
from unora_local.run_folder import CLONE

OF_ALEMBIC: Final = ".alembic_version"
CONFIG: Final = CLONE / ".squawk.toml"
_REVISION: Final = re.compile(r"^-- Running upgrade .*-> (\w+)$", re.MULTILINE)
_NOT_CODE: Final = re.compile(r"--[^\n]*|/\*.*?\*/|(\$\w*\$).*?\1|'(?:[^']|'')*'|\"(?P<name>[^\"]*)\"", re.DOTALL)
_TABLE: Final = re.compile(
    r"^CREATE (?:UNLOGGED |TEMP |TEMPORARY )?TABLE (?:IF NOT EXISTS )?(?P<name>[\w.]+)", re.IGNORECASE
)
_ON: Final = re.compile(r"\bON (?:TABLE )?(?P<tables>[\w.]+(?: ?, ?[\w.]+)*)", re.IGNORECASE)
# What the tables declare is compared elsewhere. These change what a release that knows nothing of them may do or find.
_OBJECT: Final = re.compile(
    r"^(?:(?P<verb>DROP|ALTER)|CREATE(?: OR REPLACE)?(?: CONSTRAINT)?) "
    r"(?P<kind>TRIGGER|EVENT TRIGGER|FUNCTION|PROCEDURE|ROUTINE|POLICY|RULE"
    r"|(?(verb)(?:AGGREGATE|VIEW|MATERIALIZED VIEW|SEQUENCE|TYPE|DOMAIN|EXTENSION|SCHEMA)|(?!)))"
    r" (?:IF EXISTS )?(?P<name>[\w.]+)",
    re.IGNORECASE,
)
_ROWS: Final = re.compile(
    r"\b(?:(?P<verb>INSERT INTO|DELETE FROM|MERGE INTO) (?:ONLY )?(?P<table>[\w.]+)"
    r"|UPDATE (?:ONLY )?(?P<updated>[\w.]+)(?: ?\*)?(?: (?:AS )?\w+)? SET\b)",
    re.IGNORECASE,
)
_TRUNCATE: Final = re.compile(r"^TRUNCATE (?:TABLE )?(?P<tables>.+)", re.IGNORECASE)
_SWITCH: Final = re.compile(
    r"^ALTER TABLE (?:IF EXISTS )?(?:ONLY )?(?P<table>[\w.]+)(?: ?\*)? .*?"
    r"(?P<does>\b(?:ENABLE|DISABLE|FORCE) (?:ALWAYS |REPLICA )?(?:TRIGGER|RULE|ROW LEVEL SECURITY).*)",
    re.IGNORECASE,
)
_ANYTHING: Final = re.compile(
    r"(?P<RENAME>\bRENAME\b)|(?P<REVOKE>^REVOKE\b|^ALTER DEFAULT PRIVILEGES\b.*\bREVOKE\b)|(?P<RUN>^(?:DO|CALL)\b)",
    re.IGNORECASE,
)
_MAKES: Final = {"": "makes", "DROP": "drops", "ALTER": "alters"}
_DOES: Final = {"RENAME": "renames", "REVOKE": "revokes", "RUN": "runs"}


def lint(sql: str) -> str:
    """What squawk finds in the SQL of migrations; empty if it finds nothing."""
    with tempfile.TemporaryDirectory(prefix="unora-squawk-") as folder:
        file = Path(folder) / "migrations.sql"
        file.write_text(sql)
        command = [str(script("squawk")), "--config", str(CONFIG), "--reporter", "gcc", str(file)]
        done = subprocess.run(command, capture_output=True, text=True, check=False)
        return done.stdout + done.stderr if done.returncode else ""


def since(context: str, revision: str) -> list[tuple[str, str]]:
    """The migrations after a revision, in their order, each with its SQL."""
    parts = _REVISION.split(migrations.sql(context))
    found = list(zip(parts[1::2], parts[2::2], strict=True))
    known = [each for each, _ in found]
    return found[known.index(revision) + 1 :] if revision in known else found


def hidden(context: str, revision: str) -> list[str]:
    """What migrations after a revision do that the declared tables do not show, on tables that were there before."""
    newer = [(number, list(_statements(sql))) for number, sql in since(context, revision)]
    new = {made["name"] for _, found in newer for each in found if (made := _TABLE.match(each))}
    return [
        f"{context} {number}: {said}"
        for number, found in newer
        for each in found
        for said in (*_of_objects(each, new), *_of_rows(each, new))
    ]


def _statements(sql: str) -> Iterator[str]:
    """Each on one line, without comments, texts and the bodies of functions: all three may look like a statement."""
    code = _NOT_CODE.sub(_code, sql)
    return filter(None, (" ".join(each.split()) for each in code.split(";")))


def _code(match: re.Match[str]) -> str:
    if match[0].startswith(("--", "/*")):
        return " "
    return "''" if match["name"] is None else match["name"]


def _of_objects(statement: str, new: set[str]) -> Iterator[str]:
    """What it does with triggers, functions, policies and rights."""
    on = _ON.search(statement)
    of_new = on is not None and _names(on["tables"]) <= new
    if (made := _OBJECT.match(statement)) and not of_new:
        yield f"{_MAKES[(made['verb'] or '').upper()]} the {made['kind'].lower()} {made['name']}"
    if (switch := _SWITCH.match(statement)) and switch["table"] not in new:
        yield f"{switch['table']}: {switch['does']}"
    if (found := _ANYTHING.search(statement)) and not (found.lastgroup == "REVOKE" and of_new):
        yield f"{_DOES[str(found.lastgroup)]}: {statement}"


def _of_rows(statement: str, new: set[str]) -> Iterator[str]:
    """Which rows it changes, wherever in the statement it says so."""
    for rows in _ROWS.finditer(statement):
        table = rows["table"] or rows["updated"]
        if table not in new and not table.endswith(OF_ALEMBIC):
            yield f"{(rows['verb'] or 'UPDATE').upper()} {table}"
    if (emptied := _TRUNCATE.match(statement)) and not _names(emptied["tables"]) <= new:
        yield f"TRUNCATE {emptied['tables']}"


def _names(listed: str) -> set[str]:
    return {each.strip() for each in listed.split(",")}
