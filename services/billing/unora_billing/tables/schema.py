"""The metadata of the billing schema, with the messaging tables in it."""

from __future__ import annotations

from unora_common.tables import metadata as schema
from unora_common.tables import rebuilds

metadata = schema("billing")

rebuilds(metadata)
