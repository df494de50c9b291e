"""The tables of the safety schema. Migrations create them, and a test compares both; the service itself uses SQL."""

from unora_safety.tables import audit, members, moderation, patterns
from unora_safety.tables.schema import metadata

__all__ = ["audit", "members", "metadata", "moderation", "patterns"]
