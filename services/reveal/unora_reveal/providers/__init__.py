"""The outside world, as reveal needs it."""
