"""The metadata of the safety schema, with the messaging tables in it."""

from unora_common.tables import metadata as schema

metadata = schema("safety", functions=("open_audit_chain",))
