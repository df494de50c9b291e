"""The billing service: plans, subscriptions, payments, credits."""

from __future__ import annotations

from unora_common.erasing import ErasureEvents
from unora_common.service import Service

from unora_billing.config import BillingConfig
from unora_billing.consumers.fulfilment import FulfilmentEvents
from unora_billing.consumers.members import ConnectionEvents, MemberEvents
from unora_billing.domain.errors import PaymentPending
from unora_billing.jobs import ErasureJobs, PaymentGauges, PaymentJobs, ProtectionJobs, RetentionJobs, SubscriptionJobs
from unora_billing.metrics import METRICS
from unora_billing.resources import make_resources
from unora_billing.servicers.billing import Billing
from unora_billing.servicers.commands import resolve_payment
from unora_billing.servicers.data_subjects import DataSubjects
from unora_billing.servicers.projections import Projections
from unora_billing.servicers.rebuild import rebuild
from unora_billing.servicers.wallet import Wallet
from unora_billing.servicers.webhooks import Webhooks

service = Service(
    "billing",
    config=BillingConfig,
    servicers=[Billing, Wallet, Webhooks, Projections, DataSubjects],
    consumers=[FulfilmentEvents, ConnectionEvents, MemberEvents, ErasureEvents],
    jobs=[PaymentJobs, SubscriptionJobs, ProtectionJobs, RetentionJobs, ErasureJobs],
    resources=make_resources,
    gauges=[PaymentGauges],
    metrics=METRICS,
    commands={"rebuild": rebuild, "resolve-payment": resolve_payment},
    constraints={"uq_payments_one_open_subscription": PaymentPending},
)
