"""The function `erase_member` of each schema (ID-09), made from what the tables declare.

The role of a service cannot delete most rows: what happened stays. This function runs as the schema's owner and can,
but only the rows of a member who has a tombstone in the schema. Each `migrate` makes it anew if a declaration changed,
so a new table needs nothing but its declaration.

Triggers that hold rows as they are let it pass: it sets `unora.erasing` and runs as the owner. Neither alone is enough.
"""

from __future__ import annotations

import hashlib
from typing import Final

from sqlalchemy import Connection, MetaData, Table, text

from unora_common.erased import Erased, How
from unora_common.tables import ERASED

_BODY: Final = """
CREATE OR REPLACE FUNCTION {schema}.erase_member(member uuid, most bigint) RETURNS bigint
LANGUAGE plpgsql SECURITY DEFINER SET search_path = pg_catalog AS $$
DECLARE
    chosen tid[];
    rest bigint := most;
BEGIN
    PERFORM FROM {schema}.erased_members WHERE user_id = member FOR NO KEY UPDATE;
    IF NOT FOUND THEN
        RAISE EXCEPTION 'nobody asked to erase this member'
            USING ERRCODE = 'check_violation', CONSTRAINT = 'erasure_asked_for';
    END IF;
    PERFORM set_config('unora.erasing', 'on', true);{steps}
    RETURN most - rest;
END
$$"""
# The rows that were found are counted, not those that were changed: if another transaction changes a row at the same
# time, the next call takes it, and the member does not count as erased before that.
_STEP: Final = """
    chosen := ARRAY(SELECT ctid FROM {table} WHERE {where} LIMIT rest);
    {verb} WHERE ctid = ANY (chosen);
    rest := rest - cardinality(chosen);
    IF rest <= 0 THEN
        RETURN most - rest;
    END IF;"""
_IS: Final = """
    SELECT obj_description(p.oid, 'pg_proc') FROM pg_proc p
    WHERE p.pronamespace = CAST(CAST(:schema AS text) AS regnamespace) AND p.proname = 'erase_member'"""


class UndeclaredError(Exception):
    """A table does not say what erasure does with it."""


def declared(table: Table) -> tuple[Erased, ...]:
    """What a table declares, in the order in which it is done. Raises UndeclaredError."""
    found: tuple[Erased, ...] = table.info.get(ERASED, ())
    if not found:
        raise UndeclaredError(f"{table.fullname} does not say what erasure does with it: service_may(…, erased=…)")
    return found


def function(tables: MetaData) -> str:
    """The statement that makes the function. Rows that refer to others go before them. Raises UndeclaredError."""
    steps = [_step(table, each) for table in reversed(tables.sorted_tables) for each in declared(table)]
    return _BODY.format(schema=tables.schema, steps="".join(steps))


def _step(table: Table, erased: Erased) -> str:
    verbs = {How.DELETED: f"DELETE FROM {table.fullname}", How.BLANKED: f"UPDATE {table.fullname} SET {erased.change}"}
    if erased.how not in verbs:
        return ""
    return _STEP.format(verb=verbs[erased.how], table=table.fullname, where=erased.where)


def make_function(connection: Connection, tables: MetaData) -> bool:
    """Makes the function as the tables declare it, as the schema's owner; returns whether it was another before."""
    statement = function(tables)
    mark = f"Erases at most so many rows of a member (ID-09); {hashlib.sha256(statement.encode()).hexdigest()}"
    if connection.execute(text(_IS), {"schema": tables.schema}).scalar() == mark:
        return False
    connection.exec_driver_sql(statement)
    connection.exec_driver_sql(f"REVOKE ALL ON FUNCTION {tables.schema}.erase_member FROM PUBLIC")
    connection.exec_driver_sql(f"COMMENT ON FUNCTION {tables.schema}.erase_member IS '{mark}'")
    return True
