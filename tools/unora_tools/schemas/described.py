"""What the tables of a release declare, as plain data. It runs by itself, so that any release's Python can run it:

PYTHON tools/unora_tools/schemas/described.py identity discovery … > schemas.json
"""

from __future__ import annotations

import json
import sys
from collections.abc import Iterable
from typing import Any

from alembic.script import ScriptDirectory
from sqlalchemy import CheckConstraint, Column, ForeignKeyConstraint, MetaData, Table, UniqueConstraint
from sqlalchemy.dialects import postgresql
from unora_common import migrations
from unora_common.tables import FUNCTIONS, RIGHTS

Json = dict[str, Any]
_DIALECT = postgresql.dialect()  # type: ignore[no-untyped-call]


def context(name: str) -> Json:
    """The newest migration of a context, its tables, and the functions that its service may call."""
    tables: MetaData = migrations.tables_of(name)
    (newest,) = ScriptDirectory.from_config(migrations.configured(name)).get_heads()
    return {
        "migration": newest,
        "tables": {table.name: _table(table) for table in tables.sorted_tables},
        "functions": sorted(tables.info[FUNCTIONS]),
    }


def _table(table: Table) -> Json:
    constraints = table.constraints
    return {
        "service_may": table.info.get(RIGHTS, ""),
        "columns": {column.name: _column(column) for column in table.columns},
        "primary_key": [column.name for column in table.primary_key],
        "unique": sorted(_unique(table)),
        "checks": {str(each.name): str(each.sqltext) for each in constraints if isinstance(each, CheckConstraint)},
        "foreign_keys": sorted(_target(each) for each in constraints if isinstance(each, ForeignKeyConstraint)),
    }


def _column(column: Column[Any]) -> Json:
    has_default = column.server_default is not None or column.identity is not None or column.computed is not None
    return {
        "type": column.type.compile(dialect=_DIALECT),
        "nullable": column.nullable,
        "has_default": has_default,
    }


def _unique(table: Table) -> list[str]:
    """Each as its columns, and of an index its expressions and condition."""
    by_constraint = [
        ", ".join(column.name for column in each.columns)
        for each in table.constraints
        if isinstance(each, UniqueConstraint)
    ]
    by_index = []
    for index in table.indexes:
        if index.unique:
            where = index.dialect_options["postgresql"]["where"]
            said = ", ".join(str(each).rpartition(".")[2] for each in index.expressions)
            by_index.append(said if where is None else f"{said} WHERE {where}")
    return by_constraint + by_index


def _target(key: ForeignKeyConstraint) -> str:
    return f"{', '.join(key.column_keys)} -> {', '.join(element.target_fullname for element in key.elements)}"


def written(contexts: Iterable[str]) -> str:
    """The schemas of contexts as JSON, with a line for each table."""
    return "{\n" + ",\n".join(f"{json.dumps(name)}: {_lines(context(name))}" for name in contexts) + "\n}\n"


def _lines(said: Json) -> str:
    tables = ",\n".join(f"  {json.dumps(name)}: {json.dumps(table)}" for name, table in said["tables"].items())
    rest = json.dumps({key: value for key, value in said.items() if key != "tables"})
    return f'{rest[:-1]}, "tables": {{\n{tables}\n }}}}'


if __name__ == "__main__":
    sys.stdout.write(written(sys.argv[1:]))
