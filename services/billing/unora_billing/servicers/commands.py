"""The commands of billing besides serving."""

from __future__ import annotations

import argparse
import sys
from uuid import UUID

from unora_common.runtime import Runtime
from unora_common.service import Command

from unora_billing.config import BillingConfig
from unora_billing.domain.errors import ProviderUnavailable
from unora_billing.domain.mismatches import MismatchResolution
from unora_billing.providers.payments import RefundRefused
from unora_billing.resources import Resources
from unora_billing.use_cases.resolutions import Resolution, resolve

RESOLUTION_TEXTS = {
    MismatchResolution.REFUND: "given back to the payer",
    MismatchResolution.CREDIT: "turned into credits",
}


async def _run(runtime: Runtime[BillingConfig, Resources], options: argparse.Namespace) -> int:
    payment_id, how = options.payment_id, options.how
    try:
        resolution = await resolve(runtime, payment_id, how)
    except ProviderUnavailable:
        return _fail("the payment provider does not answer; what was decided stays, so run it again")
    except RefundRefused as refused:
        return _fail(f"the provider refuses the refund ({refused}); look at the payment there")
    if resolution is Resolution.DONE:
        print(f"the money of payment {payment_id} was {RESOLUTION_TEXTS[how]}")
        return 0
    if resolution is Resolution.WAS_DONE:
        print(f"the money of payment {payment_id} was {RESOLUTION_TEXTS[how]} before; nothing was changed")
        return 0
    return _fail(f"{payment_id}: {resolution.value}; nothing was changed")


def _fail(why: str) -> int:
    print(f"resolve-payment: {why}", file=sys.stderr)
    return 1


def _arguments(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("payment_id", type=UUID, help="the payment, as the event PaymentMismatched names it")
    ways = parser.add_mutually_exclusive_group(required=True)
    ways.add_argument(
        "--refund",
        dest="how",
        action="store_const",
        const=MismatchResolution.REFUND,
        help="give back all that the provider took and that does not match the payment",
    )
    ways.add_argument(
        "--credit",
        dest="how",
        action="store_const",
        const=MismatchResolution.CREDIT,
        help="turn what the provider took into credits of the payer",
    )


resolve_payment: Command[BillingConfig, Resources] = Command(
    "give back money that does not match its payment, or turn it into credits (BI-10)", _arguments, _run
)
