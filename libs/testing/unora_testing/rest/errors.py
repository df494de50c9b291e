"""From the gateway's JSON of an error to the error that a gRPC client would see."""

from __future__ import annotations

import json
from typing import Any

import grpc
from google.protobuf import any_pb2
from google.protobuf.message import Message
from google.rpc import code_pb2, error_details_pb2, status_pb2
from unora_common.grpc_errors import DETAILS, LOCALE, STATUS


class NotTheShape(AssertionError):
    """An error that does not have the one shape of errors: the gateway's fault."""


def to_grpc_error(http_status: int, body: bytes) -> grpc.aio.AioRpcError:
    """The error with code, reason, metadata and violations. Raises NotTheShape if the body has another shape."""
    try:
        said: dict[str, Any] = json.loads(body)
        code = STATUS[said["code"]]
        info = error_details_pb2.ErrorInfo(reason=said["reason"], domain="unora", metadata=said["metadata"])
        sentence = error_details_pb2.LocalizedMessage(locale=LOCALE, message=said["message"])
        violations = [
            error_details_pb2.BadRequest.FieldViolation(field=each["field"], description=each["reason"])
            for each in said["violations"]
        ]
    except (ValueError, KeyError, TypeError) as error:
        raise NotTheShape(f"HTTP {http_status} with a body of another shape: {body[:500]!r}") from error
    details: list[Message] = [info, sentence]
    if violations:
        details.append(error_details_pb2.BadRequest(field_violations=violations))
    status = status_pb2.Status(
        code=code_pb2.Code.Value(code.name), message=said["reason"], details=[_any(each) for each in details]
    )
    trailing = grpc.aio.Metadata((DETAILS, status.SerializeToString()))
    return grpc.aio.AioRpcError(code, grpc.aio.Metadata(), trailing, said["reason"], None)


def _any(message: Message) -> any_pb2.Any:
    packed = any_pb2.Any()
    packed.Pack(message)
    return packed
