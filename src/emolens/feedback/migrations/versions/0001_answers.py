"""The answers."""

import sqlalchemy as sa
from alembic import op

revision = "0001"
down_revision = None


def upgrade() -> None:
    op.create_table(
        "answers",
        sa.Column("client_id", sa.String(36), primary_key=True),
        sa.Column("created", sa.DateTime, nullable=False),
        sa.Column("model", sa.String(200), nullable=False),
        sa.Column("version", sa.String(200), nullable=False),
        sa.Column("sha256", sa.String(64)),
        sa.Column("probabilities", sa.JSON, nullable=False),
        sa.Column("said", sa.JSON, nullable=False),
        sa.Column("box", sa.JSON),
        sa.Column("consent", sa.Boolean, nullable=False),
        sa.Column("image_sha256", sa.String(64)),
        sa.Column("picture", sa.LargeBinary),
        sa.Column("picture_box", sa.JSON),
    )


def downgrade() -> None:
    op.drop_table("answers")
