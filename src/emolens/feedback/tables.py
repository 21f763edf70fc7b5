"""The one table, and how a row of it is made from an answer and back."""

import hashlib
from datetime import UTC, datetime
from typing import Any

import sqlalchemy as sa

from emolens.feedback.answer import Answer
from emolens.feedback.pictures import to_keep

METADATA = sa.MetaData()

ANSWERS = sa.Table(
    "answers",
    METADATA,
    sa.Column("client_id", sa.String(36), primary_key=True),
    sa.Column("created", sa.DateTime, nullable=False),  # UTC
    sa.Column("model", sa.String(200), nullable=False),
    sa.Column("version", sa.String(200), nullable=False),
    sa.Column("sha256", sa.String(64)),
    sa.Column("probabilities", sa.JSON, nullable=False),
    sa.Column("said", sa.JSON, nullable=False),
    sa.Column("box", sa.JSON(none_as_null=True)),
    sa.Column("consent", sa.Boolean, nullable=False),
    # Only with consent: the hash of the file that was sent, and the picture that is kept of it.
    sa.Column("image_sha256", sa.String(64)),
    sa.Column("picture", sa.LargeBinary),
    sa.Column("picture_box", sa.JSON(none_as_null=True)),
    sa.Index("answers_in_order", "created", "client_id"),
)

CONTENT = ("model", "version", "sha256", "probabilities", "said", "box", "consent", "image_sha256")
"""The columns by which an answer that is sent again is the same; when it was sent is not among them."""


def to_row(answer: Answer) -> dict[str, Any]:
    """The columns of an answer.

    Raises:
        ImageError: its image cannot be read.
    """
    row = answer.model_dump(exclude={"image", "created"})
    row |= {"said": list(answer.said), "box": None if answer.box is None else list(answer.box)}
    row |= {"created": to_stored(answer.created), "image_sha256": None, "picture": None, "picture_box": None}
    if answer.image is not None:
        kept = to_keep(answer.image, answer.box)
        row |= {"image_sha256": hashlib.sha256(answer.image).hexdigest(), "picture": kept.jpeg, "picture_box": kept.box}
    return row


def to_answer(row: "sa.Row[Any]") -> Answer:
    """The answer of a row, without its image."""
    columns = row._mapping
    given = {name: columns[name] for name in Answer.model_fields if name not in ("created", "image")}
    return Answer(created=columns["created"].replace(tzinfo=UTC), **given)


def to_stored(moment: datetime) -> datetime:
    """UTC without saying so, as both databases keep it alike."""
    return moment.astimezone(UTC).replace(tzinfo=None)
