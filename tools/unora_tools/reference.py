"""`make reference`: writes docs/methods.md, events.md, errors.md, metrics.md, openapi.json and asyncapi.json,
and a page for the events of each context, from the contract and from what services declare.

Every sentence in them is a comment of a `.proto` or the docstring of an error; every consumer is a declaration. A test
compares them with the code.
"""

import inspect
import re
import tomllib
from collections.abc import Callable, Iterator
from functools import cache, partial
from importlib import import_module
from pathlib import Path
from pkgutil import walk_packages
from types import ModuleType
from typing import Any, Final, NamedTuple

from google.protobuf.descriptor_pb2 import FileDescriptorProto, FileDescriptorSet
from unora.common.v1.options_pb2 import Access
from unora.common.v1.options_pb2 import method as method_option
from unora_common.config import CONTEXTS
from unora_common.errors import DomainError
from unora_gateway.openapi.contract import first_sentence, read
from unora_gateway.openapi.document import FILE, document, read_examples, written
from unora_gateway.openapi.refusals import SEVERAL
from unora_gateway.openapi.refusals import Refusal as Rest

from unora_tools import metrics_page
from unora_tools.events import asyncapi, pages
from unora_tools.markdown import cell, table

CLONE: Final = Path(__file__).resolve().parents[2]
IMAGE: Final = CLONE / "libs" / "protos" / "image.binpb"
DOCS: Final = CLONE / "docs"
SERVICES, METHODS = 6, 2
"""Numbers of these fields in a descriptor, by which comments are found."""
WHO: Final = {Access.ACCESS_PUBLIC: "anyone", Access.ACCESS_USER: "member", Access.ACCESS_ADMIN: "admin"}

METHODS_HEAD: Final = """# Methods

Written by `make reference` from the contract in `protos/`, which has the requests, answers, limits and errors of each.

*anyone* and *member* call through the gateway, a member with their token; an *admin* is a member with that role.
Contexts call with their own certificates, and only those that are named. A suspended member can call only the methods
marked *suspended too*.
"""
ERRORS_HEAD: Final = """# Errors

Written by `make reference` from the code. A refusal is a gRPC status with `google.rpc.ErrorInfo`: the reason is stable
and made for clients to use, the domain is `unora.<context>`, the metadata hold what a client can act on. A
`google.rpc.LocalizedMessage` (`en`) beside it says the same to a person, in a sentence that may change. A
`google.rpc.BadRequest` names fields by their path, in lists with the index from 0, such as
`hobbies[1].micro_description`. The comment of each method in `protos/` lists its refusals. Any other error becomes
INTERNAL, without detail.

Billing also passes on, unchanged, the refusals with which streak or reveal refuse a payment.
"""


class Method(NamedTuple):
    """A method of the contract."""

    context: str
    service: str
    name: str
    who: str
    callers: tuple[str, ...]
    says: str


class Refusal(NamedTuple):
    """An error that leaves a service."""

    package: str
    reason: str
    code: str
    says: str
    sentence: str


@cache
def files() -> list[FileDescriptorProto]:
    """The contexts' part of the contract, with its comments."""
    found = FileDescriptorSet.FromString(IMAGE.read_bytes()).file
    return [file for context in CONTEXTS for file in found if file.package == f"unora.{context}.v1"]


def methods() -> Iterator[Method]:
    """Every method, by context and service."""
    for file in files():
        said = _comments(file)
        for at, service in enumerate(file.service):
            for number, method in enumerate(service.method):
                policy = method.options.Extensions[method_option]
                callers = tuple(policy.callers)
                who = [WHO[policy.access]] if policy.access in WHO else []
                whole = len(callers) == len(CONTEXTS) - 1
                who += ["all other contexts"] if whole else callers
                who += ["suspended too"] if policy.suspended_allowed else []
                says = _first(said[SERVICES, at, METHODS, number])
                yield Method(_context(file), service.name, method.name, ", ".join(who), callers, says)


def refusals() -> Iterator[Refusal]:
    """Every error that has a reason, those of all contexts first."""
    for package in ("unora_common", *(f"unora_{context}" for context in CONTEXTS), "unora_gateway"):
        kinds = {kind for module in _modules(package) for kind in vars(module).values() if _is_refusal(kind, module)}
        yield from sorted(
            Refusal(package, kind.reason, kind.code, _first(_said(kind)), kind.sentence) for kind in kinds
        )


def errors_page() -> str:
    """docs/errors.md."""
    found, parts = list(refusals()), [ERRORS_HEAD]
    for package in dict.fromkeys(each.package for each in found):
        title = "any context" if package == "unora_common" else package.removeprefix("unora_")
        rows = ((f"`{each.reason}`", each.code, each.says, each.sentence) for each in found if each.package == package)
        parts.append(f"## {title}\n\n{table(('reason', 'status', 'what', 'sentence for people'), rows)}")
    return "\n".join(parts)


def methods_page() -> str:
    """docs/methods.md."""
    found, parts = list(methods()), [METHODS_HEAD]
    for context in CONTEXTS:
        parts.append(f"## {context}\n")
        own = [each for each in found if each.context == context]
        for service in dict.fromkeys(each.service for each in own):
            rows = ((f"`{each.name}`", each.who, each.says) for each in own if each.service == service)
            parts.append(f"**`unora.{context}.v1.{service}`**\n\n{table(('method', 'who', 'what'), rows)}")
    return "\n".join(parts)


def openapi() -> str:
    """docs/openapi.json: the REST side of the contract, with what each method refuses."""
    every = (
        Rest.by_code(SEVERAL if each.package == "unora_common" else each.package.removeprefix("unora_"), *each[1:4])
        for each in refusals()
    )
    return written(document(read(), every, _version(), read_examples()))


def asyncapi_document() -> str:
    """docs/asyncapi.json: the events of the contract, as a subscriber receives them."""
    return written(asyncapi.document(_version()))


PAGES: Final[dict[Path, Callable[[], str]]] = {
    FILE: openapi,
    asyncapi.FILE: asyncapi_document,
    DOCS / "methods.md": methods_page,
    DOCS / "events.md": pages.overview,
    **{DOCS / "events" / f"{context}.md": partial(pages.page, context) for context in CONTEXTS},
    DOCS / "errors.md": errors_page,
    DOCS / "metrics.md": metrics_page.page,
}


def main() -> None:
    """Writes the pages."""
    for path, page in PAGES.items():
        path.parent.mkdir(exist_ok=True)
        path.write_text(page())


def _version() -> str:
    found: str = tomllib.loads((CLONE / "pyproject.toml").read_text())["project"]["version"]
    return found


def _modules(package: str) -> Iterator[ModuleType]:
    """All modules of a package, except those that are run and not imported."""
    for found in walk_packages(import_module(package).__path__, f"{package}."):
        if not re.search(r"\.(__main__|migrations|alembic|tables)\b", found.name):
            yield import_module(found.name)


def _is_refusal(kind: Any, module: ModuleType) -> bool:
    """Whether a value of a module is an error class that the module defines, with a reason."""
    own = inspect.isclass(kind) and issubclass(kind, DomainError) and kind.__module__ == module.__name__
    return own and hasattr(kind, "reason")


def _said(kind: type) -> str:
    """A docstring as one line."""
    return " ".join((inspect.getdoc(kind) or "").split())


def _context(file: FileDescriptorProto) -> str:
    return file.package.split(".")[1]


def _comments(file: FileDescriptorProto) -> dict[tuple[int, ...], str]:
    """Each comment as one line, by the path of the element that it documents."""
    return {
        tuple(location.path): " ".join(location.leading_comments.split()) for location in file.source_code_info.location
    }


def _first(comment: str) -> str:
    """The first sentence, as a cell of a table."""
    return cell(first_sentence(comment))


if __name__ == "__main__":
    main()
