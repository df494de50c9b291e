"""The tables of the identity schema. Migrations create them, and a test compares both; the service itself uses SQL."""

from unora_identity.tables import (
    accounts,
    code_budgets,
    devices,
    disclosures,
    erasures,
    exports,
    numbers,
    profiles,
    verification,
)
from unora_identity.tables.schema import metadata

__all__ = [
    "accounts",
    "code_budgets",
    "devices",
    "disclosures",
    "erasures",
    "exports",
    "metadata",
    "numbers",
    "profiles",
    "verification",
]
