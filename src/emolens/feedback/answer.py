"""Answer: what somebody said of one prediction."""

import re
from datetime import UTC, datetime
from typing import Annotated, Self

from pydantic import AfterValidator, AwareDatetime, BaseModel, ConfigDict, Field, model_validator

from emolens.results import Box

MOST_BYTES = 16 * 2**20
"""Of an image that comes with an answer."""

_UUID = re.compile(r"[0-9a-f]{8}-(?:[0-9a-f]{4}-){3}[0-9a-f]{12}")
_ULID = re.compile(r"[0-7][0-9A-HJKMNP-TV-Z]{25}")


def check_id(text: str) -> str:
    """The one spelling of a client's id.

    Raises:
        ValueError: it is neither a UUID nor a ULID.
    """
    if _UUID.fullmatch(text.lower()):
        return text.lower()
    if _ULID.fullmatch(text.upper()):
        return text.upper()
    raise ValueError("an id is a UUID or a ULID, made anew by the client for each answer")


def _check_box(box: Box) -> Box:
    if min(box[2:]) <= 0:
        raise ValueError("a box is x, y, width, height, with a width and a height over zero")
    return box


ClientId = Annotated[str, Field(max_length=36), AfterValidator(check_id)]
_PRINTED = r"^[^\x00-\x1f\x7f]+$"  # PostgreSQL keeps no NUL, and tables want lines
Name = Annotated[str, Field(max_length=200, pattern=_PRINTED)]
Label = Annotated[str, Field(max_length=64, pattern=_PRINTED)]
FaceBox = Annotated[
    tuple[
        Annotated[float, Field(ge=-1e6, le=1e6)],
        Annotated[float, Field(ge=-1e6, le=1e6)],
        Annotated[float, Field(ge=0, le=1e6)],
        Annotated[float, Field(ge=0, le=1e6)],
    ],
    AfterValidator(_check_box),
]


class Opinion(BaseModel):
    """What somebody said of one prediction, without their image.

    Attributes:
        client_id: a UUID or ULID, made by the client; an answer that is sent twice is kept once.
        model: the name of the model that predicted; likewise `version`.
        sha256: of its file, in hexadecimal; None where nobody knows.
        probabilities: as predicted, by label in the order of the label set.
        said: the right label or labels.
        box: the face that it is about, `(x, y, w, h)` in pixels of the upright image; None: the whole image.
        consent: that the image may be stored and learnt from.
    """

    model_config = ConfigDict(frozen=True, extra="forbid", allow_inf_nan=False, hide_input_in_errors=True)

    client_id: ClientId = Field(examples=["0b2f8a52-5f1e-4a57-9d0c-0d6a5c1f3a01"])
    model: Name = Field(examples=["face"])
    version: Name = Field(examples=["0.3.0"])
    sha256: Annotated[str, Field(pattern="^[0-9a-f]{64}$")] | None = None
    probabilities: dict[Label, Annotated[float, Field(ge=0, le=1)]] = Field(
        min_length=2, max_length=100, examples=[{"happy": 0.8, "sad": 0.2}]
    )
    said: tuple[Label, ...] = Field(min_length=1, max_length=100, examples=[["sad"]])
    box: FaceBox | None = Field(None, examples=[[320.0, 110.5, 90.0, 90.0]])
    consent: bool = False

    @model_validator(mode="after")
    def _names_known_labels(self) -> Self:
        if not any(self.probabilities.values()):
            raise ValueError("all probabilities are zero: nothing was predicted that could be right or wrong")
        if len(set(self.said)) != len(self.said) or not set(self.said) <= set(self.probabilities):
            raise ValueError("said names a label twice, or one that has no probability")
        return self

    @property
    def labels(self) -> tuple[str, ...]:
        """The label set of the model."""
        return tuple(self.probabilities)

    @property
    def predicted(self) -> str:
        """The likeliest label."""
        return max(self.probabilities, key=self.probabilities.__getitem__)

    @property
    def confidence(self) -> float:
        """The probability of `predicted`."""
        return self.probabilities[self.predicted]

    @property
    def agreed(self) -> bool:
        """Whether what was predicted is among what was said."""
        return self.predicted in self.said


class Answer(Opinion):
    """An opinion as it is kept.

    Attributes:
        created: when it was given; now, if nothing else is said.
        image: the bytes of the image's file; only with consent.
    """

    created: AwareDatetime = Field(default_factory=lambda: datetime.now(UTC))
    image: bytes | None = Field(None, max_length=MOST_BYTES, repr=False)

    @model_validator(mode="after")
    def _has_consent(self) -> Self:
        if self.image is not None and not self.consent:
            raise ValueError("an image comes only with consent; leave it away, or ask for consent")
        return self
