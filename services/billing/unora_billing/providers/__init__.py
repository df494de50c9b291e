"""The outside world: the payment provider."""
