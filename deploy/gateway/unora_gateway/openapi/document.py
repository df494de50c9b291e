"""The whole document, and where it stands."""

from __future__ import annotations

import json
from collections.abc import Iterable, Sequence
from pathlib import Path
from typing import Any, Final

from unora_gateway.openapi.contract import Contract
from unora_gateway.openapi.operations import ADMIN, BEARER, Operations
from unora_gateway.openapi.refusals import Refusal, Refusals
from unora_gateway.refusals import HTTP

FILE: Final = Path(__file__).resolve().parents[4] / "docs" / "openapi.json"
"""Committed: `make reference` writes it, and a test holds it to the contract."""
EXAMPLES: Final = Path(__file__).with_name("examples.json")
"""Calls that were made on a running stack, by the name of the method."""
HERE: Final = "/"
"""The server of the committed document: the gateway that shows it."""
DIALECT: Final = "https://json-schema.org/draft/2020-12/schema"

ABOUT: Final = """The REST side of Unora's contract, written from its descriptors. The same methods can be called by
gRPC and gRPC-Web.

**Names** are those of the contract, in snake_case; values of enums may be written in small letters. Times are UTC, in
RFC 3339. Whole numbers of 64 bits are strings. An answer has every field, also with the value zero, except those that
may be absent. Accept fields and values of enums that you do not know; in a request an unknown field is refused.

**Repeats.** A request that changes something has a `request_id`: a UUID that the app makes for each operation, and
sends again with each try. So after 503, 504 or a broken connection it can be sent again unchanged.

**Refusals** have one form, `Error`. The `reason` is stable: act on it, and never on the sentence in `message`. Each
operation lists its reasons by status. After `TOKEN_EXPIRED` refresh the session; after `SESSION_REVOKED` sign in again.

**Sign-in.** StartPhoneVerification, then VerifyPhone with the code: its answer has the access token, which goes into
`authorization: Bearer …`, and the refresh token."""

ERROR: Final = {
    "type": "object",
    "description": "Why a request was refused.",
    "required": ["code", "reason", "message", "metadata", "violations"],
    "properties": {
        "code": {
            "type": "string",
            "description": "The gRPC status.",
            "enum": [name for name in HTTP if name != "OK"],
        },
        "reason": {
            "type": "string",
            "description": "Stable, made for programs, such as `TOKEN_EXPIRED`.",
            "pattern": "^[A-Z][A-Z0-9_]+$",
        },
        "message": {"type": "string", "description": "The same for people, in English; it may change."},
        "metadata": {
            "type": "object",
            "description": "What a program can act on, such as `retry_after` in seconds.",
            "additionalProperties": {"type": "string"},
        },
        "violations": {
            "type": "array",
            "description": "The fields that are to blame; empty if none is.",
            "items": {
                "type": "object",
                "required": ["field", "reason"],
                "properties": {
                    "field": {
                        "type": "string",
                        "description": "Its path, in lists with the index from 0: `hobbies[1].micro_description`.",
                    },
                    "reason": {"type": "string", "description": "Why, for people; it may change."},
                },
            },
        },
    },
    "example": {
        "code": "FAILED_PRECONDITION",
        "reason": "CODE_WRONG",
        "message": "This code is not right.",
        "metadata": {"tries_left": "4"},
        "violations": [],
    },
}


def document(contract: Contract, refusals: Iterable[Refusal], version: str, examples: dict[str, Any]) -> dict[str, Any]:
    """The document, for the server `HERE`."""
    operations = Operations(contract, Refusals(contract, refusals), examples)
    paths = operations.paths()
    return {
        "openapi": "3.1.0",
        "jsonSchemaDialect": DIALECT,
        "info": {
            "title": "Unora",
            "summary": "A slow-dating service.",
            "description": ABOUT,
            "version": version,
            "license": {"name": "Apache License 2.0", "identifier": "Apache-2.0"},
        },
        "servers": [{"url": HERE, "description": "The gateway that shows this document."}],
        "security": [{BEARER: []}],
        "tags": _tags(contract),
        "x-tagGroups": _groups(contract),
        "paths": paths,
        "components": {
            "securitySchemes": {
                BEARER: {
                    "type": "http",
                    "scheme": "bearer",
                    "bearerFormat": "JWT",
                    "description": "The access token of VerifyPhone or RefreshSession.",
                }
            },
            "responses": dict(sorted(operations.shared.items())),
            "schemas": dict(sorted(operations.schemas.named.items())) | {"Error": ERROR},
        },
    }


def committed() -> dict[str, Any]:
    """The document as it was written last."""
    found: dict[str, Any] = json.loads(FILE.read_text())
    return found


def for_servers(made: dict[str, Any], servers: Sequence[str]) -> dict[str, Any]:
    """The same document for other servers."""
    return made | ({"servers": [{"url": server} for server in servers]} if servers else {})


def read_examples() -> dict[str, Any]:
    """The recorded calls; none if there is no file yet."""
    found: dict[str, Any] = json.loads(EXAMPLES.read_text()) if EXAMPLES.exists() else {}
    return found


def written(made: dict[str, Any]) -> str:
    """A document as a file has it."""
    return json.dumps(made, indent=1, ensure_ascii=False) + "\n"


def _tags(contract: Contract) -> list[dict[str, str]]:
    found = [
        {"name": name, "x-displayName": name.partition(".")[2], "description": says}
        for name, says in contract.services.items()
    ]
    return [
        *found,
        {"name": ADMIN, "description": "Only for members with the role `admin`, signed in with both factors."},
    ]


def _groups(contract: Contract) -> list[dict[str, Any]]:
    """The services by context, as pages that know `x-tagGroups` show them."""
    contexts = dict.fromkeys(name.partition(".")[0] for name in contract.services)
    found = [
        {"name": each, "tags": [name for name in contract.services if name.partition(".")[0] == each]}
        for each in contexts
    ]
    return [*found, {"name": ADMIN, "tags": [ADMIN]}]
