"""The paths below `/local/`: the gateway of one machine leads them to the bridge, and no other knows them."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest
from unora_gateway import targets
from unora_gateway.openapi.document import committed
from unora_gateway.paths import LOCAL, PAST
from unora_gateway.render import CONFIG, render
from unora_gateway.target import Address, Files, Target

FILES = Files(Path("cert.pem"), Path("key.pem"), Path("ca.pem"))


def local(bridge: Address | None) -> Target:
    return targets.local(Path("/run"), front=FILES, own=FILES, policy=targets.local_policy({}), bridge=bridge)


@pytest.mark.parametrize("target", [targets.compose({}), targets.kubernetes({}), local(None)])
def test_a_gateway_without_a_bridge_has_no_trace_of_it(target: Target) -> None:
    files = render(target)
    assert not [name for name, content in files.items() if LOCAL.encode() in content]
    config = json.loads(files[CONFIG])
    assert "bridge" not in [cluster["name"] for cluster in config["static_resources"]["clusters"]]


def test_no_document_for_apps_names_it() -> None:
    assert [path for path in committed()["paths"] if path.startswith(LOCAL)] == []


def test_with_a_bridge_both_listeners_lead_to_it_past_the_filters_of_methods() -> None:
    config = json.loads(render(local(Address("127.0.0.1", 4711)))[CONFIG])["static_resources"]
    (cluster,) = (cluster for cluster in config["clusters"] if cluster["name"] == "bridge")
    assert cluster["load_assignment"]["endpoints"][0]["lb_endpoints"][0]["endpoint"]["address"] == {
        "socket_address": {"address": "127.0.0.1", "port_value": 4711}
    }
    found = {listener["name"]: routes_to_bridge(listener) for listener in config["listeners"]}
    assert sorted(name for name, routes in found.items() if routes) == ["front", "plain"]
    for (route,) in filter(None, found.values()):
        assert route["match"] == {"prefix": LOCAL}
        assert route["route"]["timeout"] == "0s"
        assert sorted(route["typed_per_filter_config"]) == sorted(f"envoy.filters.http.{name}" for name in PAST)


def routes_to_bridge(listener: Any) -> list[Any]:
    manager = listener["filter_chains"][0]["filters"][0]["typed_config"]
    routes = manager["route_config"]["virtual_hosts"][0]["routes"]
    return [route for route in routes if route.get("route", {}).get("cluster") == "bridge"]
