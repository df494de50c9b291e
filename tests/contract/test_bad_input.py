"""Bad input to every method of the running services: the right status, nothing written, nothing leaked."""

from __future__ import annotations

import re
from collections.abc import Sequence
from typing import Any

import grpc
import pytest
from google.protobuf.message import Message
from unora.common.v1.options_pb2 import Access
from unora_common.config import CONTEXTS
from unora_local.tls import OUTSIDE
from unora_testing.deadlines import GENEROUS
from unora_testing.world import World

from tests.contract.contract import CANARY, RAW, Method, bad, methods, odd, valid
from tests.integration.identity.people import People
from tests.support import Refusal, read_refusal

METHODS = [pytest.param(method, id=str(method)) for method in methods()]
OURS = [pytest.param(method, id=str(method)) for method in methods() if method.descriptor.input_type.full_name != RAW]
RECORDED = {"billing.CreatePayment"}
"""Methods that write although they refuse: a payment is recorded before its owner authorises it."""
FOR_MEMBERS = [pytest.param(method, id=str(method)) for method in methods() if method.policy.needs_member]
FOR_ADMINS = [
    pytest.param(method, id=str(method)) for method in methods() if method.policy.access == Access.ACCESS_ADMIN
]
WITH_ODD_INPUT = [pytest.param(method, id=str(method)) for method in methods() if odd(method.descriptor.input_type)]
Metadata = Sequence[tuple[str, str]]
REASON = re.compile(r"[A-Z][A-Z0-9_]{2,}")


class Caller:
    """Calls methods by their descriptors."""

    def __init__(self, world: World) -> None:
        self.world = world

    def right(self, method: Method) -> str:
        """The name of a certificate that may call it."""
        return next(iter(sorted(method.policy.callers))) if method.policy.access == Access.ACCESS_SERVICE else "gateway"

    def metadata(self, method: Method) -> Metadata:
        """A token that may call it, of a member without an account."""
        if not method.policy.needs_member:
            return ()
        return self.world.caller(roles=["admin"] if method.policy.access == Access.ACCESS_ADMIN else []).metadata

    async def raw(self, method: Method, body: bytes, metadata: Metadata, certificate: str = "") -> Refusal | None:
        """The refusal of a call, or None if it was answered. No error may repeat any part of the call."""
        channel = self.world.channel(method.context, certificate or self.right(method))
        call: Any = channel.unary_unary(method.policy.path)
        try:
            await call(body, metadata=metadata, timeout=GENEROUS)
        except grpc.aio.AioRpcError as error:
            answer = f"{error.details()} {error.trailing_metadata()} {error.initial_metadata()}"
            assert CANARY not in answer
            for _, value in metadata:
                assert value not in answer
            return read_refusal(error)
        return None

    async def __call__(
        self, method: Method, request: Message, metadata: Metadata | None = None, certificate: str = ""
    ) -> Refusal | None:
        given = self.metadata(method) if metadata is None else metadata
        return await self.raw(method, request.SerializeToString(), given, certificate)


@pytest.fixture
def call(world: World) -> Caller:
    return Caller(world)


async def written(world: World, context: str) -> dict[str, tuple[int, int]]:
    """Rows and a checksum of every table of a context."""
    tables = await world.superuser.fetch(
        """SELECT c.oid::regclass::text AS name FROM pg_class c
        WHERE c.relnamespace = $1::text::regnamespace AND c.relkind IN ('r', 'p') AND NOT c.relispartition""",
        context,
    )
    checksum = "coalesce(sum(hashtextextended(t::text, 0)::numeric), 0)"
    sums = " UNION ALL ".join(f"SELECT '{row['name']}', count(*), {checksum} FROM {row['name']} t" for row in tables)
    return {name: (count, total) for name, count, total in await world.superuser.fetch(sums)}


async def test_a_write_would_be_detected(world: World) -> None:
    """The check of the other tests: an added row and a changed row are both detected."""
    before = await written(world, "streak")
    await world.superuser.execute("INSERT INTO streak.inbox_failures VALUES ('x', gen_random_uuid(), 1, 'y')")
    more = await written(world, "streak")
    await world.superuser.execute("UPDATE streak.inbox_failures SET failures = 2 WHERE consumer = 'x'")
    changed = await written(world, "streak")
    await world.superuser.execute("DELETE FROM streak.inbox_failures WHERE consumer = 'x'")
    assert [each for each in before if before[each] != more[each]] == ["streak.inbox_failures"]
    assert more["streak.inbox_failures"] != changed["streak.inbox_failures"]
    assert await written(world, "streak") == before


def refused(refusal: Refusal | None, method: Method, code: str, reason: str) -> None:
    """Assert that the call was refused with this code and reason, by the context that serves the method."""
    assert refusal is not None, "the call was answered"
    assert (refusal.code, refusal.reason, refusal.domain) == (code, reason, f"unora.{method.context}")


def clean(refusal: Refusal | None, method: Method) -> None:
    """Assert that the call was answered, or refused with a reason that a client can act on."""
    if refusal is not None:
        assert refusal.code not in ("INTERNAL", "UNKNOWN", "UNIMPLEMENTED", "UNAVAILABLE", "DEADLINE_EXCEEDED"), refusal
        assert refusal.domain == f"unora.{method.context}"
        assert REASON.fullmatch(refusal.reason)
        assert refusal.sentence.endswith(".")


@pytest.mark.rule("XX-03")
@pytest.mark.parametrize("method", METHODS)
async def test_a_certificate_that_is_not_named_is_denied(world: World, call: Caller, method: Method) -> None:
    allowed = {
        caller
        for caller in (*CONTEXTS, *OUTSIDE, "gateway", "stranger")
        if method.policy.may_call(caller, ("gateway",))
    }
    before = await written(world, method.context)
    for certificate in sorted({*CONTEXTS, *OUTSIDE, "gateway", "stranger"} - allowed):
        result = await call(method, valid(method.descriptor.input_type), certificate=certificate)
        refused(result, method, "PERMISSION_DENIED", "CALLER_NOT_ALLOWED")
    assert "stranger" not in allowed
    assert await written(world, method.context) == before


@pytest.mark.rule("XX-03")
@pytest.mark.parametrize("method", FOR_MEMBERS)
async def test_a_call_without_a_valid_token_is_refused(world: World, call: Caller, method: Method) -> None:
    before = await written(world, method.context)
    request = valid(method.descriptor.input_type)
    good = world.caller(roles=["admin"]).token
    refused(await call(method, request, ()), method, "UNAUTHENTICATED", "TOKEN_MISSING")
    for token in (CANARY, f"{CANARY}.{CANARY}.{CANARY}", good[:-6] + "AAAAAA", f"{good}x", good.partition(".")[2]):
        result = await call(method, request, (("authorization", f"Bearer {token}"),))
        refused(result, method, "UNAUTHENTICATED", "TOKEN_INVALID")
    assert await written(world, method.context) == before


@pytest.mark.rule("XX-03")
@pytest.mark.parametrize("method", FOR_ADMINS)
async def test_a_member_is_no_admin(world: World, call: Caller, method: Method) -> None:
    before = await written(world, method.context)
    result = await call(method, valid(method.descriptor.input_type), world.caller().metadata)
    refused(result, method, "PERMISSION_DENIED", "ADMIN_ONLY")
    assert await written(world, method.context) == before


@pytest.mark.rule("XX-04")
@pytest.mark.parametrize("method", METHODS)
async def test_a_field_that_breaks_its_rule_is_named(world: World, call: Caller, method: Method) -> None:
    """Malformed ids, unknown enum values, over-long text, too many, too few, out of range."""
    before = await written(world, method.context)
    for each in bad(method.descriptor.input_type):
        result = await call(method, each.request)
        assert result is not None, f"{each.path} {each.why}"
        assert result.code == "INVALID_ARGUMENT", f"{each.path} {each.why}: {result}"
        refused(result, method, "INVALID_ARGUMENT", "INVALID_ARGUMENT")
        assert each.path in result.violations, f"{each.path} {each.why}: {result.violations}"
    assert await written(world, method.context) == before


@pytest.mark.rule("XX-04")
@pytest.mark.parametrize("method", OURS)
async def test_an_empty_request_is_refused_with_the_missing_fields(world: World, call: Caller, method: Method) -> None:
    empty = type(valid(method.descriptor.input_type))()
    faults = [each for each in bad(method.descriptor.input_type) if each.why in LACKING and "[" not in each.path]
    wrong = {each.path.partition(".")[0] for each in faults}
    lacking = wrong - {
        field.name
        for field in method.descriptor.input_type.fields
        if field.has_presence and field.message_type is None  # `optional`: left out is not empty
    }
    before = await written(world, method.context)
    result = await call(method, empty)
    if lacking:
        refused(result, method, "INVALID_ARGUMENT", "INVALID_ARGUMENT")
        assert result is not None
        assert set(result.violations) == lacking
        assert not [why for why in result.violations.values() if "[" in why], "say what is missing in words"
        assert await written(world, method.context) == before
    else:
        clean(result, method)
        assert method.policy.reads_only
        assert await written(world, method.context) == before


LACKING = ("empty", "absent", "empty list")
"""The faults of a field that is missing."""


@pytest.mark.rule("XX-04")
@pytest.mark.parametrize("method", METHODS)
async def test_bytes_that_are_no_request_are_refused(world: World, call: Caller, method: Method) -> None:
    before = await written(world, method.context)
    for body in (
        b"\xff" * 8,
        b"\x0a\xff" + CANARY.encode(),
        b"\x0a\x02\xff\xfe" if _begins_with_text(method) else b"\x07",
    ):
        result = await call.raw(method, body, call.metadata(method))
        refused(result, method, "INVALID_ARGUMENT", "REQUEST_UNREADABLE")
    assert await written(world, method.context) == before


def _begins_with_text(method: Method) -> bool:
    fields = method.descriptor.input_type.fields_by_number
    return 1 in fields and fields[1].type == fields[1].TYPE_STRING


@pytest.mark.rule("XX-04")
@pytest.mark.parametrize("method", METHODS)
async def test_a_request_about_nothing_is_refused_and_writes_nothing(
    world: World, call: Caller, method: Method
) -> None:
    """A valid request with ids that do not exist, by a member without an account."""
    before = await written(world, method.context)
    result = await call(method, valid(method.descriptor.input_type))
    clean(result, method)
    if (result is not None or method.policy.reads_only) and str(method) not in RECORDED:
        assert await written(world, method.context) == before


@pytest.mark.rule("XX-04")
@pytest.mark.parametrize("method", WITH_ODD_INPUT)
async def test_odd_input_never_breaks_a_method(world: World, call: Caller, method: Method) -> None:
    """Null characters, overrides of direction, SQL, escapes, impossible dates, masks of nothing; by a real member."""
    member = await People(world).sign_in()
    metadata = member.metadata if method.policy.access == Access.ACCESS_USER else call.metadata(method)
    before = await written(world, method.context)
    for each in odd(method.descriptor.input_type):
        result = await call(method, each.request, metadata)
        clean(result, method)
        after = await written(world, method.context)
        assert after == before or result is None or str(method) in RECORDED, f"{each.path} {each.why}"
        before = after
