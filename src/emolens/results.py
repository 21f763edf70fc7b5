"""What comes out: the frozen, JSON-able results of one image."""

from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from typing import Any

from emolens.errors import ImageError

Box = tuple[float, float, float, float]


@dataclass(frozen=True)
class Face:
    """One face.

    Attributes:
        box: `(x, y, w, h)` in pixels of the upright image.
        score: the detector's confidence that this is a face, 0 to 1.
        probabilities: per label; they sum to one for a `distribution` model.
        emotions: every label at or over its threshold (else the top one, if the policy falls back to it), likeliest
            first.
    """

    box: Box
    score: float
    probabilities: Mapping[str, float]
    emotions: tuple[str, ...]

    @property
    def dominant(self) -> str:
        return max(self.probabilities, key=self.probabilities.__getitem__)

    @property
    def confidence(self) -> float:
        return self.probabilities[self.dominant]

    def to_dict(self) -> dict[str, Any]:
        return {
            "box": [round(value, 1) for value in self.box],
            "score": round(self.score, 4),
            "dominant": self.dominant,
            "confidence": round(self.confidence, 6),
            "emotions": list(self.emotions),
            "probabilities": _rounded(self.probabilities),
        }


@dataclass(frozen=True)
class Reactions:
    """What a policy makes of a prediction.

    Attributes:
        allowed: emoji that fit.
        blocked: emoji that do not; none stands in both.
        suggested: the allowed emoji, the one of the likeliest emotion first.
        reasons: per emoji the labels that allowed it and the labels that blocked it.
    """

    allowed: tuple[str, ...] = ()
    blocked: tuple[str, ...] = ()
    suggested: tuple[str, ...] = ()
    reasons: Mapping[str, Mapping[str, tuple[str, ...]]] = field(default_factory=dict)

    def to_dict(self) -> dict[str, Any]:
        return {
            "allowed": list(self.allowed),
            "blocked": list(self.blocked),
            "suggested": list(self.suggested),
            "reasons": {
                emoji: {side: list(labels) for side, labels in reason.items()} for emoji, reason in self.reasons.items()
            },
        }


@dataclass(frozen=True)
class Prediction:
    """The result for one image.

    Attributes:
        input: the path, or a name for what was passed in.
        model: the model's name.
        width: of the upright image as stored, in pixels.
        height: likewise.
        probabilities: per label; with several faces their mean, weighted by box area times score. All zero where no
            face was found.
        emotions: as in `Face`.
        faces: largest first; empty where none was found.
        reactions: what the policy allows and blocks.
        unsure: the confidence is under the model's abstention threshold, or no label is likelier than another.
        milliseconds: `decode, detect, classify, total`.
    """

    input: str
    model: str
    width: int
    height: int
    probabilities: Mapping[str, float]
    emotions: tuple[str, ...]
    faces: tuple[Face, ...]
    reactions: Reactions
    unsure: bool = False
    milliseconds: Mapping[str, float] = field(default_factory=dict)

    @property
    def dominant(self) -> str | None:
        """The likeliest label, or None where no face was found."""
        top = max(self.probabilities, key=self.probabilities.__getitem__)
        return top if self.probabilities[top] > 0 else None

    @property
    def confidence(self) -> float | None:
        """The probability of `dominant`, or None where no face was found."""
        return None if self.dominant is None else self.probabilities[self.dominant]

    def to_dict(self) -> dict[str, Any]:
        return {
            "input": self.input,
            "model": self.model,
            "width": self.width,
            "height": self.height,
            "dominant": self.dominant,
            "confidence": None if self.confidence is None else round(self.confidence, 6),
            "unsure": self.unsure,
            "emotions": list(self.emotions),
            "probabilities": _rounded(self.probabilities),
            "faces": [face.to_dict() for face in self.faces],
            "reactions": self.reactions.to_dict(),
            "milliseconds": {step: round(value, 2) for step, value in self.milliseconds.items()},
        }


@dataclass(frozen=True)
class Failure:
    """The twin of `Prediction` for an image that could not be read."""

    input: str
    code: str
    message: str

    @classmethod
    def from_error(cls, name: str, error: ImageError) -> "Failure":
        return cls(name, error.code, str(error))

    def to_dict(self) -> dict[str, Any]:
        return {"input": self.input, "error": {"code": self.code, "message": self.message}}


def _rounded(probabilities: Mapping[str, float]) -> dict[str, float]:
    return {label: round(value, 6) for label, value in probabilities.items()}


def renamed(result: Prediction | Failure, name: str) -> Prediction | Failure:
    """The result under another name, for what had none of its own when it was read."""
    if isinstance(result, Failure):
        return replace(result, input=name, message=f"{name}:{result.message.partition(':')[2]}")
    return replace(result, input=name)
