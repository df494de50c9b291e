"""The tables of the billing schema. Migrations make them; a test holds both equal; services use SQL."""

from __future__ import annotations

from unora_common.tables import metadata as schema

metadata = schema("billing")
