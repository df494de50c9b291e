"""The events of other contexts that streak applies."""
