"""The use cases of discovery: each is a function on one open transaction, and emits its events."""
