"""What is said of the variables that the services read."""

import pytest
from unora_common.config import CONTEXTS
from unora_common.declarations import load_service
from unora_gateway.policy import Policy
from unora_tools import variables


@pytest.mark.parametrize("context", CONTEXTS)
def test_every_variable_says_what_it_means(context: str) -> None:
    listed = {variable.name: variable for variable in [*variables.common(), *variables.own(context)]}
    fields = [name for name in load_service(context).config.__struct_fields__ if name != "peers"]
    assert set(listed) == {f"UNORA_{name.upper()}" for name in fields} | {"UNORA_<CONTEXT>_ADDRESS"}
    assert [name for name, variable in listed.items() if not variable.meaning] == []


def test_every_variable_of_the_gateway_says_what_it_means() -> None:
    listed = variables.gateway()
    assert [each.name for each in listed] == [f"UNORA_GATEWAY_{name.upper()}" for name in Policy.__struct_fields__]
    assert [each.name for each in listed if not each.meaning or not each.default] == []


def test_defaults_are_written_as_they_would_be_set() -> None:
    listed = {variable.name: variable.default for variable in [*variables.common(), *variables.own("identity")]}
    assert listed["UNORA_DATABASE_URL"] == ""
    assert listed["UNORA_REFLECTION"] == "false"
    assert listed["UNORA_RETRY_DELAYS"] == "1.0,5.0,15.0,60.0"
    assert listed["UNORA_METRICS_LISTEN"] == "nothing"
    assert listed["UNORA_LISTEN"] == "0.0.0.0:8443"
    text = variables.describe(["identity"])
    assert "UNORA_PHONE_KEY (must be set)\n      A file of 32 random bytes" in text
    assert "UNORA_SHUTDOWN_DELAY [5.0]" in text
    assert "UNORA_SHUTDOWN_GRACE [10.0]" in text
