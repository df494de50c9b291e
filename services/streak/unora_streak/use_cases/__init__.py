"""The use cases of streak: each is one transaction, or the reads of one call."""
