"""Alembic's entry: runs the migrations inside the transaction that ``store.migrate`` holds."""

from alembic import context

from airlock_server.store.schema import metadata

connection = context.config.attributes["connection"]
context.configure(connection=connection, target_metadata=metadata)
with context.begin_transaction():
    context.run_migrations()
