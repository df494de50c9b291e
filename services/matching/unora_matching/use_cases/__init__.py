"""The use cases of matching: each is a function on one open transaction, and emits its events."""
