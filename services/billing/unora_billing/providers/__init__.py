"""The payment provider: the interface that billing needs, and its adapter for Stripe."""
