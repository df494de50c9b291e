"""The contract's options of each method, read from the descriptors at start: who may call, how a repeat is answered."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property
from typing import Final

from google.protobuf import descriptor_pool, message_factory
from google.protobuf.descriptor import MethodDescriptor, ServiceDescriptor
from google.protobuf.descriptor_pb2 import MethodOptions
from google.protobuf.message import Message
from unora.common.v1.options_pb2 import Access, Repeat
from unora.common.v1.options_pb2 import method as method_option

ACCESS_NAMES: Final = {
    Access.ACCESS_USER: "user",
    Access.ACCESS_ADMIN: "admin",
    Access.ACCESS_PUBLIC: "public",
    Access.ACCESS_SERVICE: "internal",
}
"""Who may call a method, as the metrics say it."""


@dataclass(frozen=True)
class MethodPolicy:
    """The policy of one method."""

    path: str
    """The full name on the wire, `/unora.streak.v1.StreakService/CheckIn`."""
    request: type[Message]
    response: type[Message]
    access: Access.ValueType
    callers: frozenset[str]
    repeat: Repeat.ValueType
    reads_only: bool
    suspended_allowed: bool

    @property
    def name(self) -> str:
        """The method's own name."""
        return self.path.rpartition("/")[2]

    @property
    def access_name(self) -> str:
        """Who may call the method, as the metrics say it."""
        return ACCESS_NAMES.get(self.access, "nobody")

    def may_call(self, caller: str, gateways: tuple[str, ...]) -> bool:
        """Whether the context or gateway of a certificate may call the method (XX-03)."""
        if caller in gateways and self.open_to_gateways:
            return True
        return caller in self.callers and self.access != Access.ACCESS_UNSPECIFIED

    @cached_property
    def open_to_gateways(self) -> bool:
        """Whether gateways may call the method; kept, since the contract's enums are slow to read at each call."""
        return self.access not in (Access.ACCESS_UNSPECIFIED, Access.ACCESS_SERVICE)

    @cached_property
    def needs_member(self) -> bool:
        """Whether the call must carry a member's token."""
        return self.access in (Access.ACCESS_USER, Access.ACCESS_ADMIN)

    @cached_property
    def admins_only(self) -> bool:
        """Whether the member must have the role admin."""
        return self.access == Access.ACCESS_ADMIN


def service_descriptor(full_name: str) -> ServiceDescriptor:
    """The descriptor of a service whose generated module is imported."""
    return descriptor_pool.Default().FindServiceByName(full_name)


def policies_of(service: ServiceDescriptor) -> list[MethodPolicy]:
    """The policies of all methods of a service."""
    return [_policy(method) for method in service.methods]


def _policy(method: MethodDescriptor) -> MethodPolicy:
    options = method.GetOptions()
    policy = options.Extensions[method_option]
    return MethodPolicy(
        path=f"/{method.containing_service.full_name}/{method.name}",
        request=message_factory.GetMessageClass(method.input_type),
        response=message_factory.GetMessageClass(method.output_type),
        access=policy.access,
        callers=frozenset(policy.callers),
        repeat=policy.repeat,
        reads_only=options.idempotency_level == MethodOptions.NO_SIDE_EFFECTS,
        suspended_allowed=policy.suspended_allowed,
    )
