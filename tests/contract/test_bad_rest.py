"""What only REST can have wrong, for every route of a real gateway before the running services."""

from __future__ import annotations

from collections.abc import AsyncIterator
from functools import cache

import aiohttp
import pytest
from unora_testing.gateway import gateway_before
from unora_testing.rest.binding import VARIABLE, binding_of
from unora_testing.world import World

from tests.contract.callers import RestCaller, over_rest, written
from tests.contract.contract import Method
from tests.contract.rest_faults import faults_of
from tests.integration.common.test_access import FORGED, Forger


@cache
def taken(method: Method) -> frozenset[str]:
    """The verbs that the path of a method takes."""
    path = VARIABLE.sub("{}", binding_of(method.policy.path).template)
    return frozenset(
        binding_of(each.policy.path).verb
        for each in over_rest()
        if VARIABLE.sub("{}", binding_of(each.policy.path).template) == path
    )


@pytest.fixture(scope="module")
async def rest(world: World) -> AsyncIterator[RestCaller]:
    async with gateway_before(world) as door, aiohttp.ClientSession() as http:
        yield RestCaller(world, door, http)


@pytest.mark.rule("XX-04")
@pytest.mark.parametrize("method", over_rest(), ids=str)
async def test_what_no_service_may_see_is_refused_by_its_name(world: World, rest: RestCaller, method: Method) -> None:
    """JSON that cannot be read, fields and parameters that are unknown, of another kind or given twice, other verbs."""
    before, route = await written(world, method.context), binding_of(method.policy.path)
    metadata, faults = rest.metadata(method), list(faults_of(method.descriptor.input_type, route, taken(method)))
    wrong = []
    for fault in faults:
        result = await rest.send(fault.request, metadata)
        if result is None or result.reason != fault.reason or fault.field not in ("", *result.violations):
            wrong.append(f"{fault.why}: {result}")
    assert not wrong
    assert len(faults) > 3
    assert await written(world, method.context) == before


@pytest.mark.rule("XX-03")
async def test_a_token_that_cannot_be_trusted_is_refused_through_the_gateway(world: World, rest: RestCaller) -> None:
    """The gateway reads tokens for its log; the services judge them, and say why."""
    (method,) = (each for each in over_rest() if str(each) == "streak.GetDashboard")
    forger = Forger(world)
    dashboard = rest.emptiest(method)
    assert await rest(method, dashboard, (("authorization", f"Bearer {forger.right()}"),)) is None
    for kind, forge in FORGED.items():
        refused = await rest(method, dashboard, (("authorization", f"Bearer {forge(forger)}"),))
        assert refused is not None, kind
        assert (refused.code, refused.reason) == ("UNAUTHENTICATED", "TOKEN_INVALID"), kind
    for value in ("", "Bearer", "Bearer ", "Basic dTpw", "token"):
        refused = await rest(method, dashboard, (("authorization", value),))
        assert refused is not None, value
        assert (refused.code, refused.reason) == ("UNAUTHENTICATED", "TOKEN_MISSING"), value
