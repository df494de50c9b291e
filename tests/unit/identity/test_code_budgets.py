"""ID-11: what codes spend, and what an operator sees of it."""

from __future__ import annotations

import io
import json
from uuid import UUID

import pytest
from unora_common.logs import logger
from unora_common.metrics import Metrics
from unora_identity.config import IdentityConfig
from unora_identity.domain.code_budgets import Asker, Budget, Codes, TooManyCodes, allowed_codes, require_codes_left
from unora_identity.domain.policy import Policy
from unora_identity.metrics import METRICS
from unora_identity.providers.code_alarm import LOG_INTERVAL, CodeAlarm
from unora_sdk.environment import ConfigError

POLICY = Policy(codes_per_country_of={49: 2000})
ASKER = Asker(device=b"d", address=b"a", calling_code=41)
NONE = Codes(of_device=0, of_address=0, of_country=0, in_all=0)


@pytest.mark.rule("ID-11")
def test_each_budget_bars_when_it_is_spent_and_all_refusals_are_equal() -> None:
    allowed = allowed_codes(41, POLICY)
    require_codes_left(ASKER, NONE, allowed, POLICY)
    refusals = []
    for budget, spent in (
        (Budget.DEVICE, {"of_device": 10}),
        (Budget.ADDRESS, {"of_address": 30}),
        (Budget.COUNTRY, {"of_country": 300}),
        (Budget.ALL, {"in_all": 1000}),
    ):
        fields = {"of_device": 0, "of_address": 0, "of_country": 0, "in_all": 0}
        require_codes_left(
            ASKER, Codes(**{**fields, **{name: most - 1 for name, most in spent.items()}}), allowed, POLICY
        )
        with pytest.raises(TooManyCodes) as refused:
            require_codes_left(ASKER, Codes(**{**fields, **spent}), allowed, POLICY)
        assert refused.value.budget is budget
        refusals.append((refused.value.reason, refused.value.metadata))
    assert refusals == [("TOO_MANY_CODES", {"retry_after": "3600"})] * 4


@pytest.mark.rule("ID-11", "ID-14")
def test_a_member_who_changes_the_number_is_barred_only_by_what_they_spent_themselves() -> None:
    member = Asker(device=b"m", address=b"a", calling_code=41, changes_user_id=UUID(int=1))
    allowed = allowed_codes(41, POLICY)
    require_codes_left(member, Codes(of_device=0, of_address=0, of_country=300, in_all=1000), allowed, POLICY)
    with pytest.raises(TooManyCodes):
        require_codes_left(member, Codes(of_device=10, of_address=0, of_country=0, in_all=0), allowed, POLICY)


@pytest.mark.rule("ID-11")
def test_a_country_may_have_another_number() -> None:
    assert [allowed_codes(code, POLICY).of_country for code in (49, 41)] == [2000, 300]


def config(**given: tuple[str, ...]) -> IdentityConfig:
    needed = dict.fromkeys(("database_url", "nats_url", "s3_bucket"), "")
    paths = dict.fromkeys(("tls_ca", "tls_cert", "tls_key", "token_key", "phone_key", "sms_sandbox"), None)
    return IdentityConfig(**needed, **paths, **given)  # type: ignore[arg-type]


@pytest.mark.rule("ID-11")
def test_budgets_and_prefixes_come_from_variables() -> None:
    policy = config(codes_per_country_of=("49=2000", "1=5"), phone_prefixes_refused=("+88",)).policy
    assert (policy.codes_per_country_of, policy.phone_prefixes_refused) == ({49: 2000, 1: 5}, ("+88",))
    with pytest.raises(ConfigError, match="UNORA_CODES_PER_COUNTRY_OF"):
        _ = config(codes_per_country_of=("49",)).policy
    for prefix in ("49", "+", "+49x", "+0"):
        with pytest.raises(ConfigError, match="UNORA_PHONE_PREFIXES_ALLOWED"):
            _ = config(phone_prefixes_allowed=(prefix,)).policy


@pytest.mark.rule("ID-11")
def test_an_operator_sees_which_budget_is_spent_in_a_metric_and_once_a_minute_in_the_log() -> None:
    out, metrics, now = io.StringIO(), Metrics(METRICS), [0.0]
    alarm = CodeAlarm(logger("identity", "info", out), metrics, lambda: now[0])
    registry = metrics.registry
    alarm.sent(49)
    for _ in range(5):
        alarm.refused(Budget.COUNTRY, 49)
    alarm.refused(Budget.WRONG_CODES)
    now[0] = LOG_INTERVAL
    alarm.refused(Budget.COUNTRY, 1)
    lines = [json.loads(line) for line in out.getvalue().splitlines()]
    assert [(line["level"], line["event"], line["reason"], line["count"]) for line in lines] == [
        ("warning", "codes refused", "country", 1),
        ("warning", "codes refused", "wrong_codes", 1),
        ("warning", "codes refused", "country", 5),
    ]
    assert "49" not in "".join(line["reason"] for line in lines)
    refused = {"budget": "country", "calling_code": "49"}
    assert registry.get_sample_value("unora_codes_refused_total", refused) == 5
    assert registry.get_sample_value("unora_codes_sent_total", {"calling_code": "49"}) == 1
