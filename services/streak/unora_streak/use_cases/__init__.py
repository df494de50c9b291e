"""The use cases of streak: each is a function on one open transaction, or the reads of one call."""
