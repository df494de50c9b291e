"""The tables of the safety schema. Migrations make them; a test holds both equal; services use SQL."""

from unora_safety.tables import audit, members, moderation, patterns
from unora_safety.tables.schema import metadata

__all__ = ["audit", "members", "metadata", "moderation", "patterns"]
