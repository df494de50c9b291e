"""The billing service: plans, payments, credits."""

from __future__ import annotations

from unora_common.service import Service

from unora_billing.config import BillingConfig
from unora_billing.consumers import Others, Outcomes
from unora_billing.domain.errors import PaymentPending
from unora_billing.jobs import Clockwork
from unora_billing.resources import make_resources
from unora_billing.servicers.billing import Billing
from unora_billing.servicers.webhooks import Webhooks

service = Service(
    "billing",
    config=BillingConfig,
    servicers=[Billing, Webhooks],
    consumers=[Outcomes, Others],
    jobs=[Clockwork],
    resources=make_resources,
    constraints={"uq_payments_one_open_subscription": PaymentPending},
)
