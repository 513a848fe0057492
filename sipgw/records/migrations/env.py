"""Runs migrations on the connection that `records.migrate` hands in; alembic loads this file by its path."""

from alembic import context

from sipgw.records.schema import metadata

context.configure(connection=context.config.attributes["connection"], target_metadata=metadata, render_as_batch=True)
context.run_migrations()
