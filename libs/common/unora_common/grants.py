"""What the role of a service may do in its schema: what its context declares, and nothing else.

Each table of a context declares it (`service_may`), and each `migrate` brings it about. So a service that was taken
over can change and remove only what it changes and removes anyway, and no role has rights that only an owner needs.
"""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Final

from sqlalchemy import Connection, MetaData, text

from unora_common.tables import FUNCTIONS, RIGHTS

PRIVILEGES: Final = frozenset({"SELECT", "INSERT", "UPDATE", "DELETE"})
"""All that a service may be given; TRUNCATE, REFERENCES, TRIGGER and MAINTAIN are an owner's."""
TABLES_WITHOUT_RIGHTS: Final = frozenset({"alembic_version"})
"""Tables of alembic, not of the service."""

# What the role, or everybody, may do with each table, view and sequence.
LIST_TABLE_GRANTS = """
    SELECT c.relname, c.relkind = 'S' AS is_sequence, c.relispartition, a.privilege_type, a.attname
    FROM pg_class c
    LEFT JOIN LATERAL (
        SELECT e.grantee, e.privilege_type, '' AS attname FROM aclexplode(c.relacl) e
        UNION ALL
        SELECT e.grantee, e.privilege_type, t.attname
        FROM pg_attribute t, aclexplode(t.attacl) e WHERE t.attrelid = c.oid AND t.attnum > 0
    ) a ON a.grantee IN (0, CAST(CAST(:role AS text) AS regrole))
    WHERE c.relnamespace = CAST(CAST(:schema AS text) AS regnamespace) AND c.relkind IN ('r', 'p', 'v', 'm', 'f', 'S')
    ORDER BY c.relname"""
# Without an ACL everybody may call a function.
LIST_FUNCTION_GRANTS = """
    SELECT p.oid::regprocedure::text AS signature, p.proname, e.grantee = 0 AS by_all
    FROM pg_proc p
    LEFT JOIN LATERAL aclexplode(coalesce(p.proacl, acldefault('f', p.proowner))) e
        ON e.grantee IN (0, CAST(CAST(:role AS text) AS regrole))
    WHERE p.pronamespace = CAST(CAST(:schema AS text) AS regnamespace) ORDER BY 1"""


class GrantsError(Exception):
    """The declaration does not fit the schema; the message says what to declare."""


@dataclass(frozen=True)
class Grants:
    """What the role of one context may do."""

    tables: Mapping[str, str]
    """By table, such as `select, insert, update (published_at)`; partitions and alembic's own table are left out."""
    functions: Sequence[str] = ()
    """The functions that it may call."""

    def of(self, table: str) -> str:
        """What is declared of one table. Raises GrantsError if nothing is."""
        if table not in self.tables:
            raise GrantsError(f"the tables do not say what the service may do with {table} (service_may)")
        return self.tables[table]


def declared_in(tables: MetaData) -> Grants:
    """What the tables of one context declare."""
    rights = {table.name: table.info[RIGHTS] for table in tables.tables.values() if RIGHTS in table.info}
    return Grants(rights, tables.info[FUNCTIONS])


def parse(declared: str) -> set[tuple[str, str]]:
    """`select, update (a)` as pairs of a privilege and a column, "" for the whole table.

    Raises GrantsError for what a service may not be given.
    """
    found: set[tuple[str, str]] = set()
    for word, columns in re.findall(r"(\w+)(?: \(([^)]*)\))?(?:, |$)", declared):
        if (privilege := word.upper()) not in PRIVILEGES:
            raise GrantsError(f"a service has no use for {privilege}")
        found |= {(privilege, column.strip()) for column in columns.split(",")}
    return found


def apply_grants(connection: Connection, context: str, grants: Grants) -> bool:
    """Grants what is declared and revokes all else, as the schema's owner; returns whether anything changed.

    Raises GrantsError if a table is not declared, or a declared one is not there.
    """
    role = f"unora_{context}"
    statements = [*_tables(connection, context, role, grants), *_functions(connection, context, role, grants)]
    for statement in statements:
        connection.execute(text(statement))
    return bool(statements)


def _tables(connection: Connection, context: str, role: str, grants: Grants) -> list[str]:
    held: dict[str, set[tuple[str, str]]] = {}
    declared: dict[str, str] = {}
    for row in connection.execute(text(LIST_TABLE_GRANTS), {"schema": context, "role": role}):
        is_given = not (row.is_sequence or row.relispartition or row.relname in TABLES_WITHOUT_RIGHTS)
        declared[row.relname] = grants.of(row.relname) if is_given else ""
        rights = held.setdefault(row.relname, set())
        if row.privilege_type is not None:
            rights.add((row.privilege_type, row.attname))
    if missing := set(grants.tables) - set(held):
        raise GrantsError(f"the tables declare some that are not there: {', '.join(sorted(missing))}")
    found = []
    for name, rights in held.items():
        if rights != parse(declared[name]):
            found.append(f'REVOKE ALL ON {context}."{name}" FROM {role}, PUBLIC')
            found += [f'GRANT {declared[name]} ON {context}."{name}" TO {role}'] if declared[name] else []
    return found


def _functions(connection: Connection, context: str, role: str, grants: Grants) -> list[str]:
    rows = list(connection.execute(text(LIST_FUNCTION_GRANTS), {"schema": context, "role": role}))
    if missing := set(grants.functions) - {row.proname for row in rows}:
        raise GrantsError(f"the tables declare functions that are not there: {', '.join(sorted(missing))}")
    found = []
    for signature, name in dict.fromkeys((row.signature, row.proname) for row in rows):
        holders = {row.by_all for row in rows if row.signature == signature and row.by_all is not None}
        if holders != ({False} if name in grants.functions else set()):
            found.append(f"REVOKE ALL ON FUNCTION {signature} FROM PUBLIC, {role}")
            found += [f"GRANT EXECUTE ON FUNCTION {signature} TO {role}"] if name in grants.functions else []
    return found
