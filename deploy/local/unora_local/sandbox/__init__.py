"""The payment provider's stand-in on this machine: what billing uses of Stripe's HTTP API, with signed webhooks.

No card is ever charged. Test payment methods decide what happens: `pm_card_visa` pays, `pm_card_chargeDeclined` is
declined, and `pm_card_chargeCustomerFail` pays when the member confirms and is declined at every renewal. What the
provider's API cannot do has paths of its own under `/v1/test/`: disputes, warnings of fraud, refunds that fail, and
takings of another amount than was asked.
"""
