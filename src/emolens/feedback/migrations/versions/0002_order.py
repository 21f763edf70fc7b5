"""Answers are read in the order of their time, and purged by it: an index, so that many of them are no burden."""

from alembic import op

revision = "0002"
down_revision = "0001"


def upgrade() -> None:
    op.create_index("answers_in_order", "answers", ["created", "client_id"])


def downgrade() -> None:
    op.drop_index("answers_in_order", "answers")
