"""The metadata of the safety schema, with the plumbing tables in it."""

from unora_common.tables import metadata as schema

metadata = schema("safety")
