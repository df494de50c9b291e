"""Who may call a method (XX-03), as the options in the contract say."""

from __future__ import annotations

from collections.abc import Iterable

import pytest
from google.protobuf import descriptor_pool
from google.protobuf.descriptor_pb2 import FileDescriptorProto, MethodOptions
from unora.common.v1 import options_pb2
from unora.common.v1.options_pb2 import Access
from unora.common.v1.options_pb2 import method as method_option
from unora_common.policies import MethodPolicy, policies_of

pytestmark = pytest.mark.rule("XX-03")

GATEWAYS = ("gateway", "developer")
EVERYONE = ("gateway", "developer", "streak", "matching", "stranger", "")


def policy(access: Access.ValueType | None, callers: Iterable[str] = ()) -> MethodPolicy:
    """The policy of a method with these options; without the option if `access` is None."""
    options = MethodOptions()
    if access is not None:
        options.Extensions[method_option].access = access
        options.Extensions[method_option].callers.extend(callers)
    file = FileDescriptorProto(
        name="made.proto", package="made", syntax="proto3", dependency=[options_pb2.DESCRIPTOR.name]
    )
    file.message_type.add(name="Empty")
    file.service.add(name="Made").method.add(
        name="Act", input_type=".made.Empty", output_type=".made.Empty", options=options
    )
    pool = descriptor_pool.DescriptorPool()
    for known in _dependencies(options_pb2.DESCRIPTOR):
        pool.AddSerializedFile(known)
    pool.AddSerializedFile(file.SerializeToString())
    (found,) = policies_of(pool.FindServiceByName("made.Made"))
    return found


def _dependencies(file: object) -> list[bytes]:
    found = []
    for each in file.dependencies:  # type: ignore[attr-defined]
        found += _dependencies(each)
    return [*found, file.serialized_pb]  # type: ignore[attr-defined]


def allowed(policy: MethodPolicy) -> set[str]:
    return {caller for caller in EVERYONE if policy.may_call(caller, GATEWAYS)}


def test_without_the_option_every_call_is_denied() -> None:
    assert allowed(policy(None)) == set()


def test_named_callers_do_not_replace_a_missing_access() -> None:
    assert allowed(policy(Access.ACCESS_UNSPECIFIED, ["streak"])) == set()


@pytest.mark.parametrize("access", [Access.ACCESS_PUBLIC, Access.ACCESS_USER, Access.ACCESS_ADMIN])
def test_gateways_may_call_methods_for_members(access: Access.ValueType) -> None:
    assert allowed(policy(access)) == {"gateway", "developer"}
    assert allowed(policy(access, ["streak"])) == {"gateway", "developer", "streak"}


def test_a_method_for_services_is_open_to_the_named_ones() -> None:
    assert allowed(policy(Access.ACCESS_SERVICE, ["streak"])) == {"streak"}
    assert allowed(policy(Access.ACCESS_SERVICE)) == set()


@pytest.mark.parametrize(
    ("access", "needed"),
    [
        (Access.ACCESS_PUBLIC, False),
        (Access.ACCESS_SERVICE, False),
        (Access.ACCESS_USER, True),
        (Access.ACCESS_ADMIN, True),
    ],
)
def test_a_token_is_needed_for_methods_of_members(access: Access.ValueType, needed: bool) -> None:
    assert policy(access).needs_member is needed
