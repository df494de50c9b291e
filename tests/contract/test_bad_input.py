"""Bad input to every method of the running services: the right status, nothing written, nothing leaked."""

from __future__ import annotations

from collections.abc import AsyncIterator, Callable

import aiohttp
import pytest
from unora.common.v1.options_pb2 import Access
from unora_common.config import CONTEXTS
from unora_local.tls import OUTSIDE
from unora_testing.deadlines import eventually
from unora_testing.gateway import gateway_before
from unora_testing.world import World

from tests.contract.callers import ON_THE_WAY, Caller, GrpcCaller, RestCaller, over_rest, written
from tests.contract.contract import CANARY, RAW, Method, bad, methods, odd, valid
from tests.integration.identity.people import People

OVER_REST = over_rest()
RECORDED = {"billing.CreatePayment"}
"""Methods that write although they refuse: a payment is recorded before its owner authorises it."""


def by_both(fits: Callable[[Method], bool] = lambda method: True) -> pytest.MarkDecorator:
    """Runs a test for each method that fits, called by gRPC, and also over REST if it has a route."""
    ways = (("grpc", methods()), ("rest", OVER_REST))
    pairs = [pytest.param(way, each, id=f"{each}-{way}") for way, every in ways for each in every if fits(each)]
    return pytest.mark.parametrize(("call", "method"), pairs, indirect=["call"])


def is_ours(method: Method) -> bool:
    """Whether the contract says what its request is."""
    return method.descriptor.input_type.full_name != RAW


@pytest.fixture(scope="module")
async def rest(world: World) -> AsyncIterator[RestCaller]:
    """Calls over REST, through a gateway before the world. At the end no line of its log repeats what was sent."""
    async with gateway_before(world) as door, aiohttp.ClientSession() as http:
        yield RestCaller(world, door, http)
        await eventually(lambda: "milliseconds" in door.log.read_text(), "the log has lines of calls")
        assert CANARY not in door.log.read_text()


@pytest.fixture
def call(request: pytest.FixtureRequest, world: World) -> Caller:
    if request.param == "grpc":
        return GrpcCaller(world)
    rest: RestCaller = request.getfixturevalue("rest")
    return rest


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


@pytest.mark.rule("XX-03")
@pytest.mark.parametrize("method", methods(), ids=str)
async def test_a_certificate_that_is_not_named_is_denied(world: World, method: Method) -> None:
    call = GrpcCaller(world)
    allowed = {
        caller
        for caller in (*CONTEXTS, *OUTSIDE, "gateway", "stranger")
        if method.policy.may_call(caller, ("gateway",))
    }
    before = await written(world, method.context)
    for certificate in sorted({*CONTEXTS, *OUTSIDE, "gateway", "stranger"} - allowed):
        result = await call(method, valid(method.descriptor.input_type), certificate=certificate)
        call.refused(result, method, "PERMISSION_DENIED", "CALLER_NOT_ALLOWED")
    assert "stranger" not in allowed
    assert await written(world, method.context) == before


@pytest.mark.rule("XX-03")
@by_both(lambda method: method.policy.needs_member)
async def test_a_call_without_a_valid_token_is_refused(world: World, call: Caller, method: Method) -> None:
    before = await written(world, method.context)
    request = valid(method.descriptor.input_type)
    good = world.caller(roles=["admin"]).token
    call.refused(await call(method, request, ()), method, "UNAUTHENTICATED", "TOKEN_MISSING")
    for token in (CANARY, f"{CANARY}.{CANARY}.{CANARY}", good[:-6] + "AAAAAA", f"{good}x", good.partition(".")[2]):
        result = await call(method, request, (("authorization", f"Bearer {token}"),))
        call.refused(result, method, "UNAUTHENTICATED", "TOKEN_INVALID")
    assert await written(world, method.context) == before


@pytest.mark.rule("XX-03")
@by_both(lambda method: method.policy.access == Access.ACCESS_ADMIN)
async def test_a_member_is_no_admin(world: World, call: Caller, method: Method) -> None:
    before = await written(world, method.context)
    result = await call(method, valid(method.descriptor.input_type), world.caller().metadata)
    call.refused(result, method, "PERMISSION_DENIED", "ADMIN_ONLY")
    assert await written(world, method.context) == before


@pytest.mark.rule("XX-04")
@by_both()
async def test_a_field_that_breaks_its_rule_is_named(world: World, call: Caller, method: Method) -> None:
    """Malformed ids, unknown enum values, over-long text, too many, too few, out of range."""
    before = await written(world, method.context)
    for each in bad(method.descriptor.input_type):
        result = await call(method, each.request)
        assert result is not None, f"{each.path} {each.why}"
        if not call.reaches(method, each.request):
            assert result.reason in ON_THE_WAY
            continue
        assert result.code == "INVALID_ARGUMENT", f"{each.path} {each.why}: {result}"
        call.refused(result, method, "INVALID_ARGUMENT", "INVALID_ARGUMENT")
        assert each.path in result.violations, f"{each.path} {each.why}: {result.violations}"
    assert await written(world, method.context) == before


@pytest.mark.rule("XX-04")
@by_both(is_ours)
async def test_an_empty_request_is_refused_with_the_missing_fields(world: World, call: Caller, method: Method) -> None:
    empty = call.emptiest(method)
    faults = [each for each in bad(method.descriptor.input_type) if each.why in LACKING and "[" not in each.path]
    wrong = {each.path.partition(".")[0] for each in faults}
    lacking = wrong - {
        field.name
        for field in method.descriptor.input_type.fields
        if field.has_presence and field.message_type is None  # `optional`: left out is not empty
    }
    lacking -= {field.name for field, _ in empty.ListFields()}
    before = await written(world, method.context)
    result = await call(method, empty)
    if lacking:
        call.refused(result, method, "INVALID_ARGUMENT", "INVALID_ARGUMENT")
        assert result is not None
        assert set(result.violations) == lacking
        assert not [why for why in result.violations.values() if "[" in why], "say what is missing in words"
        assert await written(world, method.context) == before
    else:
        call.clean(result, method)
        assert method.policy.reads_only
        assert await written(world, method.context) == before


LACKING = ("empty", "absent", "empty list")
"""The faults of a field that is missing."""


@pytest.mark.rule("XX-04")
@pytest.mark.parametrize("method", methods(), ids=str)
async def test_bytes_that_are_no_request_are_refused(world: World, method: Method) -> None:
    call = GrpcCaller(world)
    before = await written(world, method.context)
    for body in (
        b"\xff" * 8,
        b"\x0a\xff" + CANARY.encode(),
        b"\x0a\x02\xff\xfe" if _begins_with_text(method) else b"\x07",
    ):
        result = await call.raw(method, body, call.metadata(method))
        call.refused(result, method, "INVALID_ARGUMENT", "REQUEST_UNREADABLE")
    assert await written(world, method.context) == before


def _begins_with_text(method: Method) -> bool:
    fields = method.descriptor.input_type.fields_by_number
    return 1 in fields and fields[1].type == fields[1].TYPE_STRING


@pytest.mark.rule("XX-04")
@by_both()
async def test_a_request_about_nothing_is_refused_and_writes_nothing(
    world: World, call: Caller, method: Method
) -> None:
    """A valid request with ids that do not exist, by a member without an account."""
    before = await written(world, method.context)
    result = await call(method, valid(method.descriptor.input_type))
    call.clean(result, method)
    if (result is not None or method.policy.reads_only) and str(method) not in RECORDED:
        assert await written(world, method.context) == before


@pytest.mark.rule("XX-04")
@by_both(lambda method: bool(odd(method.descriptor.input_type)))
async def test_odd_input_never_breaks_a_method(world: World, call: Caller, method: Method) -> None:
    """Null characters, overrides of direction, SQL, escapes, impossible dates, masks of nothing; by a real member."""
    member = await People(world).sign_in()
    metadata = member.metadata if method.policy.access == Access.ACCESS_USER else call.metadata(method)
    before = await written(world, method.context)
    for each in filter(lambda each: call.carries(each.request), odd(method.descriptor.input_type)):
        result = await call(method, each.request, metadata)
        if call.reaches(method, each.request):
            call.clean(result, method)
        after = await written(world, method.context)
        assert after == before or result is None or str(method) in RECORDED, f"{each.path} {each.why}"
        before = after
