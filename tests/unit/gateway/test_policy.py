from __future__ import annotations

import json

import msgspec
import pytest
from unora_common.config import Config
from unora_gateway import contract, paths, policy, targets
from unora_gateway.clusters import CALLS_ON_ONE_CONNECTION
from unora_gateway.lua_tables import lua
from unora_gateway.render import CONFIG, render


def test_variables_set_numbers_and_origins() -> None:
    given = {"UNORA_GATEWAY_ADDRESS_BURST": "7", "UNORA_GATEWAY_ORIGINS": "https://a.example, https://b.example"}
    made = policy.load(given)
    assert made.address_burst == 7
    assert made.origins == ("https://a.example", "https://b.example")
    assert policy.load({}).address_burst == policy.Policy().address_burst


def test_a_variable_that_cannot_be_read_is_named() -> None:
    with pytest.raises(policy.PolicyError, match=r"^UNORA_GATEWAY_BODY_BYTES is 'much': give a whole number"):
        policy.load({"UNORA_GATEWAY_BODY_BYTES": "much"})
    with pytest.raises(policy.PolicyError, match=r"^UNORA_GATEWAY_CALL_SECONDS is 'ten': give a number"):
        policy.load({"UNORA_GATEWAY_CALL_SECONDS": "ten"})
    with pytest.raises(policy.PolicyError, match=r"^UNORA_GATEWAY_PROXY_PROTOCOL is 'v2': give true or false"):
        policy.load({"UNORA_GATEWAY_PROXY_PROTOCOL": "v2"})


@pytest.mark.parametrize(
    ("given", "named"),
    [
        ({"UNORA_GATEWAY_TRACES_ENDPOINT": "collector:4317"}, "UNORA_GATEWAY_TRACES_ENDPOINT cannot be used"),
        ({"UNORA_GATEWAY_TRACES_ENDPOINT": "http://collector:x"}, "UNORA_GATEWAY_TRACES_ENDPOINT cannot be used"),
        ({"UNORA_GATEWAY_TRACES_RATIO": "7"}, "UNORA_GATEWAY_TRACES_RATIO is 7.0: give a share"),
    ],
)
def test_a_collector_of_traces_that_cannot_be_is_named(given: dict[str, str], named: str) -> None:
    with pytest.raises(policy.PolicyError, match=named):
        policy.load(given)


def test_without_a_collector_envoy_has_no_tracer() -> None:
    """Its log then has the trace that the script made."""
    for target in (targets.compose({}), targets.kubernetes({})):
        made = render(target)[CONFIG].decode()
        assert "opentelemetry" not in made
        assert "%DYNAMIC_METADATA(unora:trace)%" in made
        assert '"remove": "traceparent"' in made, "no caller chooses the id of a trace"


def test_a_collector_with_tls_is_judged_by_its_name_and_its_authority() -> None:
    given = {"UNORA_GATEWAY_TRACES_ENDPOINT": "https://otlp.example.com:4317", "UNORA_GATEWAY_TRACES_CA": "/ca.pem"}
    config = json.loads(render(targets.kubernetes(given))[CONFIG])
    (cluster,) = (each for each in config["static_resources"]["clusters"] if each["name"] == "traces")
    tls = cluster["transport_socket"]["typed_config"]
    judged = tls["common_tls_context"]["validation_context"]
    assert (tls["sni"], judged["trusted_ca"]) == ("otlp.example.com", {"filename": "/ca.pem"})
    assert judged["match_typed_subject_alt_names"] == [{"san_type": "DNS", "matcher": {"exact": "otlp.example.com"}}]


def test_no_page_may_call_unless_its_origin_is_configured() -> None:
    config = json.loads(render(targets.compose({}))[CONFIG])
    manager = config["static_resources"]["listeners"][0]["filter_chains"][0]["filters"][0]["typed_config"]
    cors = manager["route_config"]["virtual_hosts"][0]["typed_per_filter_config"]["envoy.filters.http.cors"]
    assert cors["allow_origin_string_match"] == []


def test_outside_one_machine_clients_need_tls_and_envoys_commands_are_not_reached() -> None:
    for target in (targets.compose({}), targets.kubernetes({})):
        assert target.plain is None
        assert target.admin.host == "127.0.0.1"


def test_a_change_is_sent_again_only_if_its_service_has_not_begun_it() -> None:
    retried = {True: set[str](), False: set[str]()}
    for route in contract.routes():
        made = paths.of_clients(targets.compose({}), [route])["virtual_hosts"][0]["routes"][0]
        retried[route.reads_only].add(made["route"]["retry_policy"]["retry_on"])
    assert retried[False] == {"connect-failure,refused-stream"}
    assert retried[True] == {"connect-failure,refused-stream,reset,unavailable"}


def test_a_connection_carries_fewer_calls_than_a_service_takes() -> None:
    """A service may count a call whose answer has left already."""
    (taken,) = (each.default for each in msgspec.structs.fields(Config) if each.name == "connection_calls")
    assert taken - 4 >= CALLS_ON_ONE_CONNECTION


def test_texts_become_lua_as_they_are() -> None:
    assert lua({"a\n": ['"\\', True, 3]}) == '{["a\\010"]={"\\034\\092",true,3}}'
