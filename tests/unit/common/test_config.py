"""Configuration: typed, from the environment, with errors that name the variable."""

from __future__ import annotations

from pathlib import Path

import pytest
from unora_common.config import Config, load
from unora_sdk.environment import ConfigError

NEEDED = {
    "UNORA_DATABASE_URL": "postgresql://unora_streak@db/unora",
    "UNORA_NATS_URL": "tls://streak@nats:4222",
    "UNORA_TLS_CA": "/tls/ca.pem",
    "UNORA_TLS_CERT": "/tls/cert.pem",
    "UNORA_TLS_KEY": "/tls/key.pem",
}


class Policy(Config, frozen=True, kw_only=True):
    """A configuration with a number of its own."""

    at_risk_hours: float = 6.0


def test_a_variable_that_is_not_set_has_its_default() -> None:
    config = load(Policy, NEEDED)
    assert (config.at_risk_hours, config.tls_ca, config.peers) == (6.0, Path("/tls/ca.pem"), {})
    assert config.gateway_callers == ("gateway",)
    assert not config.reflection


def test_a_variable_is_read_as_its_type() -> None:
    more = {
        "UNORA_AT_RISK_HOURS": "4.5",
        "UNORA_REFLECTION": "true",
        "UNORA_GATEWAY_CALLERS": "gateway, developer",
        "UNORA_RETRY_DELAYS": "0.5,2",
        "UNORA_CONCURRENT_CALLS": "7",
        "UNORA_IDENTITY_ADDRESS": "identity:8443",
        "UNORA_NOBODY_ADDRESS": "nobody:1",
    }
    config = load(Policy, NEEDED | more)
    assert (config.at_risk_hours, config.reflection, config.concurrent_calls) == (4.5, True, 7)
    assert config.gateway_callers == ("gateway", "developer")
    assert config.retry_delays == (0.5, 2.0)
    assert config.peers == {"identity": "identity:8443"}


@pytest.mark.parametrize("name", NEEDED)
def test_a_required_variable_that_is_missing_is_named(name: str) -> None:
    with pytest.raises(ConfigError, match=f"^{name} is not set"):
        load(Policy, {key: value for key, value in NEEDED.items() if key != name})


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("UNORA_AT_RISK_HOURS", "six"),
        ("UNORA_REFLECTION", "maybe"),
        ("UNORA_CONCURRENT_CALLS", "1.5"),
        ("UNORA_RETRY_DELAYS", "1,soon"),
    ],
)
def test_a_variable_that_cannot_be_read_is_named(name: str, value: str) -> None:
    with pytest.raises(ConfigError, match=f"^{name} cannot be read"):
        load(Policy, NEEDED | {name: value})


@pytest.mark.parametrize(("outbox", "inbox"), [("14", "30"), ("23", "30"), ("14", "21")])
def test_days_are_taken_within_which_who_applied_an_event_remembers_it(outbox: str, inbox: str) -> None:
    config = load(Config, NEEDED | {"UNORA_OUTBOX_DAYS": outbox, "UNORA_INBOX_DAYS": inbox})
    assert (config.outbox_days, config.inbox_days) == (int(outbox), int(inbox))


@pytest.mark.parametrize(
    ("outbox", "inbox", "says"),
    [
        ("24", "40", "UNORA_OUTBOX_DAYS is 24: .* come 31 days after .* remember it for 30 days. Set it to 23 at most"),
        ("14", "20", "UNORA_INBOX_DAYS is 20: .* Set it to 21 at least, or UNORA_OUTBOX_DAYS to 13 at most"),
    ],
)
def test_days_after_which_an_event_would_be_applied_twice_are_refused(outbox: str, inbox: str, says: str) -> None:
    with pytest.raises(ConfigError, match=says):
        load(Policy, NEEDED | {"UNORA_OUTBOX_DAYS": outbox, "UNORA_INBOX_DAYS": inbox})


def test_a_secret_may_be_in_a_file(tmp_path: Path) -> None:
    secret = tmp_path / "database_url"
    secret.write_text("postgresql://unora_streak:secret@db/unora\n")
    others = {key: value for key, value in NEEDED.items() if key != "UNORA_DATABASE_URL"}
    config = load(Policy, others | {"UNORA_DATABASE_URL_FILE": str(secret)})
    assert config.database_url == "postgresql://unora_streak:secret@db/unora"
    with pytest.raises(ConfigError, match="UNORA_DATABASE_URL and UNORA_DATABASE_URL_FILE are both set"):
        load(Policy, NEEDED | {"UNORA_DATABASE_URL_FILE": str(secret)})
    with pytest.raises(ConfigError, match="UNORA_DATABASE_URL_FILE cannot be read"):
        load(Policy, others | {"UNORA_DATABASE_URL_FILE": str(tmp_path / "nothing")})
