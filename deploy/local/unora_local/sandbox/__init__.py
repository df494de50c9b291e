"""The payment provider's stand-in on this machine: what billing uses of Stripe's HTTP API, with signed webhooks.

It charges nobody. Test payment methods decide what happens: `pm_card_visa` pays, `pm_card_chargeDeclined` is declined,
and `pm_card_chargeCustomerFail` pays when its owner confirms and is declined at every renewal.
"""
