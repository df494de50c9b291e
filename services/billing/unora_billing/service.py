"""The billing service: plans, payments, credits."""

from __future__ import annotations

from unora_common.service import Service

from unora_billing.config import BillingConfig
from unora_billing.servicer import Billing, Webhooks

service = Service("billing", config=BillingConfig, servicers=[Billing, Webhooks])
