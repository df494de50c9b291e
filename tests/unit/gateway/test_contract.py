"""What passes the gateway and what does not, over all methods of the contract."""

from __future__ import annotations

import re
from itertools import combinations

import pytest
from google.api.annotations_pb2 import http as http_option
from google.protobuf.descriptor_pb2 import FileDescriptorSet
from unora_gateway import contract
from unora_gateway.bootstrap import bootstrap
from unora_gateway.contract import Route
from unora_gateway.descriptors import descriptor_set
from unora_gateway.lua_tables import Types, route_tree
from unora_gateway.render import script
from unora_gateway.targets import compose

from tests.contract.contract import methods

ROUTES = contract.routes()
INTERNAL = contract.internal_paths()


def test_each_method_of_the_contract_either_passes_or_is_internal() -> None:
    every = {f"/{each.descriptor.containing_service.full_name}/{each.descriptor.name}" for each in methods()}
    assert {route.path for route in ROUTES} | set(INTERNAL) == every
    assert not {route.path for route in ROUTES} & set(INTERNAL)
    assert len(INTERNAL) > 30
    assert len(ROUTES) > 80


@pytest.mark.rule("XX-03")
def test_no_file_of_the_gateway_knows_an_internal_method() -> None:
    config = bootstrap(compose({}), ROUTES, list(dict.fromkeys(route.service for route in ROUTES)))
    listener = config["static_resources"]["listeners"][0]
    manager = listener["filter_chains"][0]["filters"][0]["typed_config"]
    routed = {each["match"].get("path") for each in manager["route_config"]["virtual_hosts"][0]["routes"]}
    known = {
        f"/{file.package}.{service.name}/{method.name}"
        for file in descriptor_set(contract.image()).file
        for service in file.service
        for method in service.method
    }
    assert known == {route.path for route in ROUTES}
    assert routed - {None} == {route.path for route in ROUTES}
    text = script(compose({}))
    assert not [path for path in INTERNAL if f'"{path}"' in text]


@pytest.mark.rule("XX-03")
def test_no_route_leads_to_a_service_but_those_of_single_methods() -> None:
    config = bootstrap(compose({}), ROUTES, [])
    manager = config["static_resources"]["listeners"][0]["filter_chains"][0]["filters"][0]["typed_config"]
    for route in manager["route_config"]["virtual_hosts"][0]["routes"]:
        if route.get("route", {}).get("cluster", "nowhere") != "nowhere":
            assert set(route["match"]) == {"path"}


def test_a_method_without_a_route_stops_the_generator() -> None:
    files = FileDescriptorSet()
    files.CopyFrom(contract.image())
    file = next(file for file in files.file if file.name.endswith("streak_service.proto"))
    kept = file.service[0].method[0].options
    kept.ClearExtension(http_option)
    with pytest.raises(ValueError, match=r"no google\.api\.http route"):
        contract.routes(files)


def test_two_methods_with_one_path_stop_the_generator() -> None:
    with pytest.raises(ValueError, match="path of another method"):
        route_tree([*ROUTES, ROUTES[-1]], Types(contract.image()))


def shape(route: Route) -> tuple[str, list[str], str]:
    path, _, custom = route.template.partition(":")
    return route.verb, path.split("/"), custom


def meet(one: Route, other: Route) -> bool:
    """Whether some request fits both."""
    (verb, parts, custom), (other_verb, other_parts, other_custom) = shape(one), shape(other)
    if (verb, custom, len(parts)) != (other_verb, other_custom, len(other_parts)):
        return False
    return all(a == b or "{" in a or "{" in b for a, b in zip(parts, other_parts, strict=True))


def test_no_request_fits_two_methods() -> None:
    assert [(one.template, other.template) for one, other in combinations(ROUTES, 2) if meet(one, other)] == []


@pytest.mark.parametrize("route", ROUTES, ids=lambda route: route.path.split("/")[-1])
def test_variables_of_a_path_are_single_fields_that_a_body_need_not_have(route: Route) -> None:
    if route.takes_bytes:
        assert "{" not in route.template
        return
    names = re.findall(r"{(\w+)}", route.template)
    assert len(names) == route.template.count("{")
    assert len(set(names)) == len(names)
    types = Types(contract.image())
    for name in names:
        _, _, field = types.variable(route.request, name)
        assert field[1] is False
        assert field[0] in "silbe"


@pytest.mark.parametrize("route", ROUTES, ids=lambda route: route.path.split("/")[-1])
def test_what_changes_something_has_a_body_and_what_reads_has_none(route: Route) -> None:
    assert (route.verb == "GET") == route.reads_only
    assert (route.body == "") == (route.verb in ("GET", "DELETE"))
