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
# What the tables declare is compared elsewhere. These change what a release that knows nothing of them may do or find.
_HIDDEN: Final = re.compile(
    r"^\s*(?:CREATE (?:OR REPLACE )?(?:CONSTRAINT )?(?P<kind>TRIGGER|FUNCTION) (?P<name>[\w.]+)"
    r"|(?P<verb>TRUNCATE|DELETE FROM|UPDATE) (?P<table>[\w.]+)"
    r"|.*\b(?P<renamed>RENAME)\b)",
    re.MULTILINE | re.IGNORECASE,
)
_REVISION: Final = re.compile(r"^-- Running upgrade .*-> (\w+)$", re.MULTILINE)
_TABLE: Final = re.compile(r"^\s*CREATE TABLE (?P<name>[\w.]+)", re.MULTILINE | re.IGNORECASE)
_ON: Final = re.compile(r"\bON (?P<table>[\w.]+)", re.IGNORECASE)


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
    newer = since(context, revision)
    new = {each["name"] for _, sql in newer for each in _TABLE.finditer(sql)}
    return [f"{context} {number}: {said}" for number, sql in newer for said in _said(sql, new)]


def _said(sql: str, new: set[str]) -> Iterator[str]:
    for match in _HIDDEN.finditer(sql):
        if match["renamed"]:
            yield f"renames: {match[0].strip()}"
        elif match["verb"] and match["table"] not in new and not match["table"].endswith(OF_ALEMBIC):
            yield f"{match['verb'].upper()} {match['table']}"
        elif match["kind"] and match["kind"].upper() == "FUNCTION":
            yield f"makes the function {match['name']}"
        elif match["kind"]:
            table = _ON.search(sql, match.end())
            if table is None or table["table"] not in new:
                yield f"makes the trigger {match['name']}"
