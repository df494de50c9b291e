"""The tables of the billing schema. Migrations create them, and a test compares both; the service itself uses SQL."""

from unora_billing.tables import accounts, credit_entries, payments, recoveries, reversals
from unora_billing.tables.schema import metadata

__all__ = ["accounts", "credit_entries", "metadata", "payments", "recoveries", "reversals"]
