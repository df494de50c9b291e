"""What the contract says of the methods that pass the gateway, read from the descriptors."""

import re
from collections.abc import Iterator
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import Final

from google.api.annotations_pb2 import http as http_option
from google.api.http_pb2 import HttpRule
from google.protobuf.descriptor_pb2 import (
    FileDescriptorProto,
    FileDescriptorSet,
    MethodDescriptorProto,
    MethodOptions,
    ServiceDescriptorProto,
)
from unora.common.v1.options_pb2 import Access
from unora.common.v1.options_pb2 import method as method_option

IMAGE: Final = Path(__file__).resolve().parents[3] / "libs" / "protos" / "image.binpb"
"""The descriptors of the contract and of all that it imports."""
OPEN: Final = frozenset({Access.ACCESS_PUBLIC, Access.ACCESS_USER, Access.ACCESS_ADMIN})
"""The access of methods that pass the gateway; all others are for contexts, or denied."""
RAW: Final = ".google.api.HttpBody"
"""The request of a webhook: its bytes pass unread."""
VARIABLE: Final = re.compile(r"\{(\w+)\}")


@dataclass(frozen=True)
class Route:
    """One method that passes the gateway, with its REST route."""

    context: str
    path: str
    """The full name on the wire, `/unora.streak.v1.StreakService/CheckIn`."""
    verb: str
    """The HTTP method, `POST`."""
    template: str
    """The REST path with its variables, `/v1/streaks/{streak_id}:checkIn`."""
    body: str
    """`*` if the body is the request, else empty: then fields come in the query."""
    request: str
    """The full name of the request's type, with a leading dot."""
    reads_only: bool
    needs_member: bool

    @property
    def service(self) -> str:
        """The full name of its service, `unora.streak.v1.StreakService`."""
        return self.path.split("/")[1]

    @property
    def name(self) -> str:
        """The method's own name, `CheckIn`."""
        return self.path.rpartition("/")[2]

    @property
    def variables(self) -> tuple[str, ...]:
        """The fields of the request that stand in the path."""
        return tuple(VARIABLE.findall(self.template))

    @property
    def takes_bytes(self) -> bool:
        """Whether the body passes as it is, whatever it holds."""
        return self.request == RAW


@cache
def image() -> FileDescriptorSet:
    """The contract with all imports."""
    return FileDescriptorSet.FromString(IMAGE.read_bytes())


def routes(files: FileDescriptorSet | None = None) -> list[Route]:
    """Every method that passes the gateway, in the order of the contract. Raises ValueError for one without a route."""
    return [
        _route(file, service, method) for file, service, method in _methods(files or image()) if passes(method.options)
    ]


def internal_paths(files: FileDescriptorSet | None = None) -> list[str]:
    """The full names of the methods that may not be reached through the gateway."""
    return [
        f"/{file.package}.{service.name}/{method.name}"
        for file, service, method in _methods(files or image())
        if not passes(method.options)
    ]


def passes(options: MethodOptions) -> bool:
    """Whether members, admins or anyone may call the method; by its access option, without which nobody may."""
    return options.Extensions[method_option].access in OPEN


def _methods(
    files: FileDescriptorSet,
) -> Iterator[tuple[FileDescriptorProto, ServiceDescriptorProto, MethodDescriptorProto]]:
    for file in files.file:
        if file.package.startswith("unora."):
            for service in file.service:
                for method in service.method:
                    yield file, service, method


def _route(file: FileDescriptorProto, service: ServiceDescriptorProto, method: MethodDescriptorProto) -> Route:
    path = f"/{file.package}.{service.name}/{method.name}"
    rule: HttpRule = method.options.Extensions[http_option]
    pattern = rule.WhichOneof("pattern")
    if pattern not in ("get", "put", "post", "delete", "patch"):
        raise ValueError(f"{path} is open to members or anyone, and has no google.api.http route that is served")
    if rule.additional_bindings or rule.body not in ("", "*") or rule.response_body:
        raise ValueError(f"{path} has a route of a kind that the gateway does not serve")
    return Route(
        context=file.package.split(".")[1],
        path=path,
        verb=pattern.upper(),
        template=getattr(rule, pattern),
        body=rule.body,
        request=method.input_type,
        reads_only=method.options.idempotency_level == MethodOptions.NO_SIDE_EFFECTS,
        needs_member=method.options.Extensions[method_option].access != Access.ACCESS_PUBLIC,
    )
