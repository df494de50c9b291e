"""The one alembic environment. `unora_common.migrations` hands it a connection and the context's tables."""

from __future__ import annotations

from alembic import context

config = context.config
tables = config.attributes["tables"]

if context.is_offline_mode():
    context.configure(
        dialect_name="postgresql",
        literal_binds=True,
        target_metadata=tables,
        version_table_schema=tables.schema,
    )
else:
    context.configure(
        connection=config.attributes["connection"],
        target_metadata=tables,
        version_table_schema=tables.schema,
        include_schemas=True,
        include_name=lambda name, kind, _: kind != "schema" or name == tables.schema,
        compare_server_default=True,
    )

with context.begin_transaction():
    context.run_migrations()
