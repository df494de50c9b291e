"""The metadata of the identity schema, with the messaging tables in it."""

from sqlalchemy import text
from unora_common.tables import metadata as schema
from unora_common.tables import rebuilds

metadata = schema("identity")
rebuilds(metadata)
LIVING = text("deleted_at IS NULL")
"""The condition of indexes on rows that are not deleted."""
