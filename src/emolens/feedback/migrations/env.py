"""Runs the scripts on the connection, and in the transaction, that `emolens.feedback.migrate` gives."""

from alembic import context

from emolens.feedback.tables import METADATA

context.configure(
    connection=context.config.attributes["connection"],
    target_metadata=METADATA,
    transactional_ddl=True,
)
with context.begin_transaction():
    context.run_migrations()
