"""What a later schema takes from a release that goes on beside it, or is rolled back to.

That release reads every table and column that it knows, inserts rows without the columns that it does not know, and
writes values that its own constraints let pass. So a later schema may only expand. What cannot be judged from the
declarations, such as another constraint, is a finding too; a person judges it (`judged.toml`).
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import Any, Final

from unora_common.grants import parse

Json = dict[str, Any]
_LIST: Final = re.compile(r"^(?P<column>.+?) IN \((?P<values>[^()]*)\)$")


def findings(context: str, before: Json, after: Json) -> list[str]:
    """Of one context, what a release with the schema `before` may miss in the schema `after`."""
    found = []
    for name, table in before["tables"].items():
        where = f"{context}.{name}"
        if name not in after["tables"]:
            found.append(f"{where} is dropped")
        else:
            found += [f"{where}: {each}" for each in _table(table, after["tables"][name])]
    for function in before["functions"]:
        if function not in after["functions"]:
            found.append(f"{context}: the service may no longer call {function}")
    return found


def _table(before: Json, after: Json) -> Iterator[str]:
    yield from _columns(before["columns"], after["columns"])
    yield from _rights(before["service_may"], after["service_may"])
    if before["primary_key"] != after["primary_key"]:
        yield "the primary key is another one"
    for each in sorted({*before["unique"]} - {*after["unique"]}):
        yield f"({each}) is no longer unique, which ON CONFLICT may name"
    for each in sorted({*after["unique"]} - {*before["unique"]}):
        yield f"({each}) is unique"
    for each in sorted({*after["foreign_keys"]} - {*before["foreign_keys"]}):
        yield f"the foreign key {each} is new"
    for name, said in after["checks"].items():
        if not _lets_pass(before["checks"].get(name), said):
            yield f"the check {name} is {'another one' if name in before['checks'] else 'new'}"


def _columns(before: Json, after: Json) -> Iterator[str]:
    for name, column in before.items():
        if name not in after:
            yield f"column {name} is dropped"
            continue
        now = after[name]
        if now["type"] != column["type"]:
            yield f"column {name} is {now['type']}, it was {column['type']}"
        if column["nullable"] and not now["nullable"]:
            yield f"column {name} is NOT NULL"
        if column["has_default"] and not now["has_default"] and not now["nullable"]:
            yield f"column {name} has no default"
    for name, now in after.items():
        if name not in before and not now["nullable"] and not now["has_default"]:
            yield f"the new column {name} is NOT NULL and has no default"


def _rights(before: str, after: str) -> Iterator[str]:
    kept = parse(after)
    for privilege, column in sorted(parse(before)):
        if (privilege, column) not in kept and (privilege, "") not in kept:
            yield f"the service may no longer {privilege}{f' ({column})' if column else ''}"


def _lets_pass(before: str | None, after: str) -> bool:
    """Whether a check lets all pass that the one before did: it is the same, or a list with more values."""
    if before == after:
        return True
    was, now = _LIST.match(before or ""), _LIST.match(after)
    if was is None or now is None or was["column"] != now["column"]:
        return False
    return {each.strip() for each in was["values"].split(",")} <= {each.strip() for each in now["values"].split(",")}
