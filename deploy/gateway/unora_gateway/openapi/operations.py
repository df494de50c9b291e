"""An operation for each method: its parameters, its body, its answer, its refusals."""

from __future__ import annotations

from collections.abc import Iterator
from itertools import groupby
from typing import Any, Final

from google.protobuf.descriptor_pb2 import DescriptorProto, FieldDescriptorProto
from unora.common.v1.options_pb2 import Access

from unora_gateway.openapi.bounds import Kind, Schema
from unora_gateway.openapi.contract import Contract, Method, Type, first_sentence
from unora_gateway.openapi.refusals import SEVERAL, Refusal, Refusals
from unora_gateway.openapi.schemas import KNOWN, PREFIX, Schemas
from unora_gateway.refusals import SOURCE

JSON: Final = "application/json"
ADMIN: Final = "admin"
BEARER: Final = "bearer"
TITLES: Final = {
    400: "The request cannot be accepted, or not now.",
    401: "Not signed in, or no longer.",
    403: "Not allowed to this caller.",
    404: "Not there, or not for this caller.",
    409: "Something else happened at the same time.",
    408: "The request came too slowly: try again.",
    413: "The body is too large.",
    415: "Not JSON.",
    429: "Too many requests, or too many of these: wait for `retry_after`.",
    431: "The headers are too large.",
    500: "An error that should not happen.",
    501: "Not possible here.",
    503: "Not possible at the moment: try again.",
    504: "Not answered in time: try again.",
}


class Operations:
    """Makes them, and the schemas they need."""

    def __init__(self, contract: Contract, refusals: Refusals, examples: dict[str, Any]) -> None:
        self.schemas = Schemas(contract)
        self.shared: Schema = {}
        """Refusals of many methods, by who may call and by status."""
        self._contract, self._refusals, self._examples = contract, refusals, examples

    def paths(self) -> Schema:
        """All operations, by path and verb."""
        found: Schema = {}
        for method in self._contract.methods:
            found.setdefault(method.route.template, {})[method.route.verb.lower()] = self._operation(method)
        return found

    def _operation(self, method: Method) -> Schema:
        summary = first_sentence(method.says)
        made: Schema = {
            "operationId": method.route.name,
            "tags": [method.tag, *([ADMIN] if method.access == Access.ACCESS_ADMIN else [])],
            "summary": summary,
            "description": method.says,
            "security": [] if method.access == Access.ACCESS_PUBLIC else [{BEARER: []}],
        }
        if parameters := list(self._parameters(method)):
            made["parameters"] = parameters
        if body := self._body(method):
            made["requestBody"] = body
        made["responses"] = {"200": self._answer(method)} | self._refused(method)
        return made

    def _parameters(self, method: Method) -> Iterator[Schema]:
        """The fields in the path; and those of the query, which has all others if there is no body."""
        if method.route.takes_bytes:
            return
        message, example = self._contract.message(method.request), self._examples.get(method.route.name, {})
        for field in _fields(message):
            if field.name in method.route.variables:
                yield self._parameter(message, field, "path", example)
        for name, owner, field in self._flat(message, method.route.variables) if not method.route.body else ():
            yield self._parameter(owner, field, "query", example, name)

    def _parameter(
        self, message: Type, field: FieldDescriptorProto, place: str, example: dict[str, Any], name: str = ""
    ) -> Schema:
        schema, says, is_needed = self.schemas.parameter(message, field)
        made: Schema = {"name": name or field.name, "in": place, "description": says}
        if is_needed or place == "path":
            made["required"] = True
        made["schema"] = schema
        if (value := example.get("parameters", {}).get(made["name"])) is not None:
            made["example"] = value
        return made

    def _flat(
        self, message: Type, without: tuple[str, ...], within: str = ""
    ) -> Iterator[tuple[str, Type, FieldDescriptorProto]]:
        """The fields of a message as a query has them: those of a message in it have names such as `between.since`."""
        for field in _fields(message):
            kind = field.type_name.lstrip(".")
            if field.name in without:
                continue
            if field.type == Kind.TYPE_MESSAGE and kind not in KNOWN:
                yield from self._flat(self._contract.message(kind), (), f"{within}{field.name}.")
            else:
                yield f"{within}{field.name}", message, field

    def _body(self, method: Method) -> Schema | None:
        if method.route.takes_bytes:
            return {"description": "The provider's bytes, unchanged.", "required": True, "content": {"*/*": {}}}
        if not method.route.body:
            return None
        content: Schema = {"schema": self.schemas.request(method.request, method.route.variables)}
        if "body" in (example := self._examples.get(method.route.name, {})):
            content["example"] = example["body"]
        return {"required": True, "content": {JSON: content}}

    def _answer(self, method: Method) -> Schema:
        content: Schema = {"schema": self.schemas.answer(method.answer)}
        if "answer" in (example := self._examples.get(method.route.name, {})):
            content["example"] = example["answer"]
        return {"description": self._contract.message(method.answer).says, "content": {JSON: content}}

    def _refused(self, method: Method) -> Schema:
        """Each status with the reasons for it. What many methods refuse alike stands once, among the components."""
        found: Schema = {}
        for status, reasons in groupby(sorted(self._refusals.of(method), key=_status), _status):
            own = list(reasons)
            made = _refusal(status, own)
            if all(each.context in (SEVERAL, SOURCE) for each in own):
                name = f"{'anyone' if method.access == Access.ACCESS_PUBLIC else 'member'}.{status}"
                if self.shared.setdefault(name, made) == made:
                    made = {"$ref": f"#/components/responses/{name}"}
            found[str(status)] = made
        return found


def _refusal(status: int, reasons: list[Refusal]) -> Schema:
    lines = "\n".join(f"- `{each.reason}`: {each.says}" for each in reasons)
    return {
        "description": f"{TITLES[status]}\n\n{lines}",
        "content": {JSON: {"schema": {"$ref": f"{PREFIX}Error"}}},
        "x-reasons": [each.reason for each in reasons],
    }


def _status(refusal: Refusal) -> int:
    return refusal.status


def _fields(message: Type) -> list[FieldDescriptorProto]:
    assert isinstance(message.descriptor, DescriptorProto)
    return list(message.descriptor.field)
