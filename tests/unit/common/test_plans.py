"""The numbers of the plans are the same in every service that shows or applies them."""

from __future__ import annotations

import pytest
from unora_common.config import load
from unora_common.declarations import load_service
from unora_common.plans import PlanConfig
from unora_sdk.environment import ConfigError

NEEDED = ("DATABASE_URL", "NATS_URL", "TLS_CA", "TLS_CERT", "TLS_KEY", "STRIPE_SECRET_KEY", "STRIPE_WEBHOOK_SECRET")
REQUIRED = {f"UNORA_{name}": "x" for name in NEEDED}
CONTEXTS = ("billing", "discovery", "matching", "streak")
NUMBERS = list(PlanConfig.__annotations__)


@pytest.mark.parametrize("context", CONTEXTS)
@pytest.mark.parametrize("field", NUMBERS)
def test_all_services_take_and_refuse_the_same_numbers(context: str, field: str) -> None:
    config, variable = load_service(context).config, f"UNORA_{field.upper()}"
    assert getattr(load(config, REQUIRED | {variable: "7"}), field) == 7
    with pytest.raises(ConfigError, match=variable):
        load(config, REQUIRED | {variable: "1.5"})
