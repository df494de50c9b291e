"""The metadata of the identity schema, with the messaging tables in it."""

from sqlalchemy import text
from unora_common.tables import metadata as schema

metadata = schema("identity")
LIVING = text("deleted_at IS NULL")
"""The condition of indexes on rows that are not deleted."""
