"""What comes in as parameters and goes out as JSON; OpenAPI is made from these."""

from collections.abc import Mapping
from typing import Any, Literal

from pydantic import BaseModel, ConfigDict, Field

from emolens.results import Prediction

_PROBABILITIES = {"happy": 0.97, "neutral": 0.03}


class Options(BaseModel):
    """How an image is to be read; as query parameters or as fields of the form, which win."""

    model_config = ConfigDict(extra="forbid")

    include_scores: bool = Field(False, description="adds emotion_scores, the probability of every emotion")
    threshold: float | None = Field(
        None, ge=0, le=1, description="from which probability on an emotion counts as found"
    )
    policy: str = Field("live", max_length=64, description="a policy of this server; live is the one of GET /policy")
    model: str | None = Field(None, max_length=64, description="a model of GET /models; the first without it")


class ErrorDetail(BaseModel):
    code: str = Field(examples=["too_many_bytes"])
    message: str = Field(examples=["the file has more bytes than this server reads; make it smaller"])


class IdentifiedError(ErrorDetail):
    request_id: str


class ErrorAnswer(BaseModel):
    """The one shape of all errors."""

    error: IdentifiedError


class DominantEmotion(BaseModel):
    dominant_emotion: str | None = Field(description="null where no face was found", examples=["happy"])
    confidence: float | None = Field(examples=[0.97])
    probability_distribution: dict[str, float] = Field(examples=[_PROBABILITIES])


class FaceAnswer(BaseModel):
    box: tuple[float, float, float, float] = Field(description="x, y, width, height in pixels of the upright image")
    score: float
    dominant: str
    confidence: float
    emotions: list[str]
    probabilities: dict[str, float]


class Reason(BaseModel):
    """The emotions that spoke for an emoji, and those that spoke against it."""

    allowed_by: list[str]
    blocked_by: list[str]


class ImageAnswer(BaseModel):
    """What one image says."""

    prediction: DominantEmotion
    all_emotions: list[str] = Field(description="every emotion that the model knows")
    predicted_emotions: list[str] = Field(
        description="at or over their thresholds, likeliest first", examples=[["happy"]]
    )
    allowed_emojis: list[str] = Field(examples=[["😀", "🎉"]])
    blocked_emojis: list[str] = Field(examples=[["😢"]])
    suggested_emojis: list[str] = Field(description="the allowed ones, that of the likeliest emotion first")
    reasons: dict[str, Reason] = Field(description="of every emoji that is allowed or blocked")
    emotion_scores: dict[str, float] | None = Field(None, description="with include_scores", examples=[_PROBABILITIES])
    unsure: bool = Field(description="the confidence is under the model's own threshold")
    faces: list[FaceAnswer]
    width: int
    height: int
    model: str = Field(examples=["face"])
    milliseconds: dict[str, float]

    @classmethod
    def of(cls, prediction: Prediction, options: Options) -> dict[str, Any]:
        """The fields of this class."""
        plain = prediction.to_dict()
        scores = {"emotion_scores": plain["probabilities"]} if options.include_scores else {}
        return {
            "prediction": {
                "dominant_emotion": plain["dominant"],
                "confidence": plain["confidence"],
                "probability_distribution": plain["probabilities"],
            },
            "all_emotions": list(prediction.probabilities),
            "predicted_emotions": plain["emotions"],
            "allowed_emojis": plain["reactions"]["allowed"],
            "blocked_emojis": plain["reactions"]["blocked"],
            "suggested_emojis": plain["reactions"]["suggested"],
            "reasons": plain["reactions"]["reasons"],
            **scores,
            **{key: plain[key] for key in ("unsure", "faces", "width", "height", "model", "milliseconds")},
        }


class PredictAnswer(ImageAnswer):
    status: Literal["success"] = "success"
    request_id: str


class FailedImage(BaseModel):
    error: ErrorDetail


class BatchAnswer(BaseModel):
    status: Literal["success"] = "success"
    results: list[ImageAnswer | FailedImage] = Field(description="one per file, in their order")
    request_id: str


class Emojis(BaseModel):
    emojis: list[str] = Field(description="those that fit, likeliest first", examples=[["😀", "🎉"]])


class Emotions(BaseModel):
    emotions: list[str]
    num_emotions: int


class Mapped(BaseModel):
    allowed: list[str]
    blocked: list[str]


class EmotionMappings(BaseModel):
    mappings: dict[str, Mapped]


class Health(BaseModel):
    status: Literal["ok"] = "ok"
    model_loaded: bool


class Ready(BaseModel):
    ready: bool


class Hello(BaseModel):
    message: str = "emolens is here"
    version: str


class ModelAnswer(BaseModel):
    name: str
    version: str
    kind: str
    labels: list[str]
    objective: str
    licence: str
    sha256: str | None
    default: bool


class Models(BaseModel):
    models: list[ModelAnswer]


class PolicyVersion(BaseModel):
    version: int
    name: str
    since: str


class PolicyAnswer(PolicyVersion):
    yaml: str
    versions: list[PolicyVersion]


class FeedbackKept(BaseModel):
    client_id: str
    new: bool = Field(description="false where it was there already")


def errors(*statuses: int) -> dict[int | str, dict[str, Any]]:
    """For `responses=` of a route: which errors it may answer with."""
    known: Mapping[int, str] = {
        400: "The body is broken or empty.",
        401: "The key is missing or wrong.",
        403: "There is no key on this server that may do this.",
        404: "There is none with that number or id.",
        408: "The body came too slowly.",
        409: "Something else has this id already.",
        413: "Too many bytes, pixels, files or parts.",
        415: "Not a type that is read.",
        422: "A parameter or an image cannot be used.",
        429: "More than this key may have; see Retry-After.",
        500: "A fault of the server.",
        503: "Too much at once, or no answer in time; see Retry-After.",
    }
    return {
        status: {
            "model": ErrorAnswer,
            "description": known[status],
            "headers": {name: {"schema": {"type": kind}} for name, kind in _HEADERS.get(status, {}).items()},
        }
        for status in statuses
    }


_HEADERS: Mapping[int, Mapping[str, str]] = {
    401: {"WWW-Authenticate": "string"},
    429: {"Retry-After": "integer"},
    503: {"Retry-After": "integer"},
}
