"""`make variables`: prints every variable that the services read, with its default and its meaning.

All of it is read from the configuration classes.
"""

import ast
import inspect
from collections.abc import Iterable, Iterator
from typing import NamedTuple

import msgspec
from unora_common.config import CONTEXTS, Config
from unora_common.declarations import load_service
from unora_gateway.policy import PREFIX, Policy


class Variable(NamedTuple):
    """One variable of the environment."""

    name: str
    default: str
    """As it would be written; empty if it must be set."""
    meaning: str


def common() -> list[Variable]:
    """The variables that every service reads."""
    return list(_own(Config))


def own(context: str) -> list[Variable]:
    """The further variables of one context: first those that it shares with others, then its own."""
    kind: type[Config] = load_service(context).config
    classes = [each for each in reversed(kind.__mro__) if issubclass(each, Config) and each is not Config]
    return [variable for each in classes for variable in _own(each)]


def gateway() -> list[Variable]:
    """The variables that the gateway's files are made by."""
    return [each._replace(name=each.name.replace("UNORA_", PREFIX)) for each in _own(Policy)]


def describe(contexts: Iterable[str]) -> str:
    """All variables, as text for a terminal."""
    parts = ["Any of them may be given as a file: NAME_FILE names the file that holds the value.", "\nevery service"]
    parts += [_line(variable) for variable in common()]
    for context in contexts:
        if variables := own(context):
            parts += [f"\n{context}", *(_line(variable) for variable in variables)]
    parts += ["\nthe gateway, when its files are made", *(_line(variable) for variable in gateway())]
    return "\n".join(parts)


def _line(variable: Variable) -> str:
    default = f"[{variable.default}]" if variable.default else "(must be set)"
    return f"  {variable.name} {default}\n      {variable.meaning}"


def _own(kind: type[msgspec.Struct]) -> Iterator[Variable]:
    """The fields that a class declares itself, each with the string that stands under it."""
    meanings = _meanings(kind)
    for field in msgspec.structs.fields(kind):
        if field.name in meanings:
            yield Variable(_name(field.name), _written(field), meanings[field.name])


def _name(field: str) -> str:
    return "UNORA_<CONTEXT>_ADDRESS" if field == "peers" else f"UNORA_{field.upper()}"


def _written(field: msgspec.structs.FieldInfo) -> str:
    if field.required:
        return ""
    value = field.default_factory() if field.default is msgspec.NODEFAULT else field.default
    if isinstance(value, tuple):
        return ",".join(str(part) for part in value) or "nothing"
    return str(value).lower() if isinstance(value, bool) else str(value) if value not in ("", {}) else "nothing"


def _meanings(kind: type[msgspec.Struct]) -> dict[str, str]:
    """The string under each field, from the source: Python does not keep it."""
    (body,) = (node.body for node in ast.parse(inspect.getsource(kind)).body if isinstance(node, ast.ClassDef))
    found = {}
    for index, node in enumerate(body):
        if isinstance(node, ast.AnnAssign) and isinstance(node.target, ast.Name):
            after = body[index + 1] if index + 1 < len(body) else None
            text = after.value.value if isinstance(after, ast.Expr) and isinstance(after.value, ast.Constant) else ""
            found[node.target.id] = " ".join(str(text).split())
    return found


if __name__ == "__main__":
    print(describe(CONTEXTS))
