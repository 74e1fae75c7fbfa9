"""Alembic's entry: runs on the connection that `console.schema` hands over."""

from alembic import context

from console.migrations.types import render_item, same_type
from console.schema import metadata

connection = context.config.attributes["connection"]
context.configure(
    connection=connection,
    target_metadata=metadata,
    # SQLite cannot alter a constraint in place: Alembic copies the table instead.
    render_as_batch=connection.dialect.name == "sqlite",
    compare_type=same_type,
    render_item=render_item,
)
with context.begin_transaction():
    context.run_migrations()
