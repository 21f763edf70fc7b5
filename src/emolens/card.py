"""ModelCard: what a model file says of itself, kept as JSON inside the ONNX file."""

from collections.abc import Mapping
from itertools import pairwise
from typing import Annotated, Any, Literal, Self

from pydantic import BaseModel, ConfigDict, Field, JsonValue, ValidationError, model_validator

from emolens.errors import ModelError

METADATA_KEY = "emolens.card"

_MOST_POINTS = 1000

Fraction = Annotated[float, Field(ge=0, le=1)]


class _Part(BaseModel):
    model_config = ConfigDict(frozen=True, extra="ignore", allow_inf_nan=False)


class Input(_Part):
    """The pixels that the model takes. `None` for height and width: any multiple of 32 (detectors)."""

    height: Annotated[int, Field(gt=0, le=4096)] | None
    width: Annotated[int, Field(gt=0, le=4096)] | None
    channels: Literal[1, 3]


class Crop(_Part):
    """How a face box becomes a crop: `margin` is added on every side, as a fraction of the box's side."""

    margin: Annotated[float, Field(ge=-0.4, le=2)] = 0.0
    square: bool = True


class Features(_Part):
    """What stands between a crop and a graph that takes `features` instead of pixels.

    In JSON the parameters stand beside the other keys: `{"step": "hog", "orientations": 9}`.

    Attributes:
        step: `hog`, `embedding` or `landmarks`; see `emolens.features`.
        model: the name of the model file that makes the features; `hog` needs none.
        sha256: of that file.
    """

    model_config = ConfigDict(extra="allow")
    __pydantic_extra__: dict[str, JsonValue]

    step: Literal["hog", "embedding", "landmarks"]
    # A file's name and no path: it is looked up in folders.
    model: Annotated[str, Field(pattern=r"^[A-Za-z0-9_][A-Za-z0-9_.-]{0,99}$")] | None = None
    sha256: Annotated[str, Field(pattern="^[0-9a-f]{64}$")] | None = None

    @property
    def parameters(self) -> dict[str, JsonValue]:
        """What the step is told; the step itself checks it."""
        return self.__pydantic_extra__

    @model_validator(mode="after")
    def _names_what_it_needs(self) -> Self:
        if (self.step == "hog") != (self.model is None) or (self.model is None) != (self.sha256 is None):
            raise ValueError("embedding and landmarks name a model and its sha256, hog names none")
        return self


class Steps(_Part):
    """An isotonic function: linear between the points, constant outside of them."""

    x: Annotated[tuple[Fraction, ...], Field(min_length=1, max_length=_MOST_POINTS)]
    y: Annotated[tuple[Fraction, ...], Field(min_length=1, max_length=_MOST_POINTS)]

    @model_validator(mode="after")
    def _rises(self) -> Self:
        if len(self.x) != len(self.y):
            raise ValueError("x and y differ in length")
        for values in (self.x, self.y):
            if any(after < before for before, after in pairwise(values)):
                raise ValueError("x and y must not fall")
        return self


Method = Literal["temperature", "expectation-consistency", "vector", "isotonic"]


class Calibration(_Part):
    """How logits became probabilities that mean what they say, and what it was worth.

    Attributes:
        method: `temperature` (one number, the card's `temperature`, of the least cross-entropy),
            `expectation-consistency` (the same number, by which confidence is right on average; Clarte et al., 2023),
            `vector` (Guo et al., 2017: logits times `scale` plus `shift`, per label, before the softmax or the
            sigmoids), `isotonic` (Zadrozny and Elkan, 2002: a function of the probability per label; those of a
            `distribution` are then divided by their sum).
        scale: per label, of `vector` alone; likewise `shift`.
        steps: per label, of `isotonic` alone.
        fitted_on: the data, in words.
        samples: how many there were.
        before: figures of the model as it answered before, on those of the samples with a single top label: `nll,
            brier, ece, adaptive_ece`, and `vote_ece` where there were votes.
        after: the same with this calibration.
    """

    method: Method
    scale: tuple[Annotated[float, Field(ge=-1000, le=1000)], ...] = ()
    shift: tuple[Annotated[float, Field(ge=-1000, le=1000)], ...] = ()
    steps: tuple[Steps, ...] = ()
    fitted_on: str
    samples: Annotated[int, Field(ge=0, le=10**12)]
    before: dict[str, float] = {}
    after: dict[str, float] = {}

    def check_size(self, labels: int) -> None:
        """Refuses numbers that are not one per label."""
        wanted = {
            "scale": labels if self.method == "vector" else 0,
            "shift": labels if self.method == "vector" else 0,
            "steps": labels if self.method == "isotonic" else 0,
        }
        for name, count in wanted.items():
            if len(getattr(self, name)) != count:
                raise ValueError(f"{self.method} calibration of {labels} labels wants {count} in {name}")


class Abstention(_Part):
    """Under which confidence an answer is marked as unsure.

    Attributes:
        threshold: of the top probability.
        risk: the share of wrong answers among those that are not unsure, on `fitted_on`.
        coverage: the share of answers that are not unsure, there.
        fitted_on: the data, in words.
    """

    threshold: Fraction
    risk: Fraction
    coverage: Fraction
    fitted_on: str


class Parity(_Part):
    """How far a model file answers as what it was made from: a trained network over real crops, or a foreign file.

    Attributes:
        form: what `--format` asked for; `import` for a foreign file, which is asked about random images.
        crops: how many there were.
        max_difference: the largest difference of any probability; of a detector also of boxes, in strides.
        mean_difference: the mean difference of all of them.
        agreement: the share of the crops for which both name the same label first; of several labels, for which both
            find the same ones; of a detector, of the places at which both see a face or neither does.
    """

    form: str
    crops: int
    max_difference: float
    mean_difference: float
    agreement: Fraction


class ModelCard(_Part):
    """What a model file says of itself.

    Attributes:
        kind: what the model looks at; a `face` model needs a detector in front, `detector` is one.
        labels: in the order of the outputs.
        objective: `distribution` ends in a softmax, `multilabel` in sigmoids, `detection` in boxes.
        features: what makes of a crop the features that the graph takes; without it the graph takes the crop.
        temperature: logits are divided by it before the softmax (Guo et al., 2017).
        calibration: how the probabilities were made to mean what they say; without it the temperature is all there is.
        abstention: under which confidence an answer is unsure; without it none is.
        parity: what the export or the import changed.
        threshold: a label at or over it counts as present; `thresholds` overrides it per label.
        metrics: as in `metrics.json`, under the name of what they were measured on.
        trained_on: the data, one entry per source, each with its terms.
        limits: what the model cannot do and must not be used for.
    """

    name: Annotated[str, Field(min_length=1, max_length=100)]
    version: str
    kind: Literal["face", "scene", "emoji", "generic", "detector"]
    labels: Annotated[tuple[str, ...], Field(min_length=1, max_length=1000)]
    objective: Literal["distribution", "multilabel", "detection"]
    input: Input
    crop: Crop = Crop()
    features: Features | None = None
    temperature: Annotated[float, Field(ge=0.01, le=100)] = 1.0
    calibration: Calibration | None = None
    abstention: Abstention | None = None
    parity: Parity | None = None
    threshold: Fraction = 0.35
    thresholds: dict[str, Fraction] = {}
    metrics: dict[str, Any] = {}
    trained_on: tuple[str, ...] = ()
    limits: tuple[str, ...] = ()
    licence: str = ""
    created: str = ""
    emolens_version: str = ""

    @model_validator(mode="after")
    def _labels_agree(self) -> Self:
        if len(set(self.labels)) != len(self.labels):
            raise ValueError("labels repeat")
        if self.calibration is not None:
            self.calibration.check_size(len(self.labels))
        unknown = set(self.thresholds) - set(self.labels)
        if unknown:
            raise ValueError(f"thresholds name labels that the model lacks: {', '.join(sorted(unknown))}")
        return self

    @classmethod
    def from_metadata(cls, metadata: Mapping[str, str], source: str) -> Self:
        """Reads the card of a model file's `metadata_props`.

        Raises:
            ModelError: there is no card, or it is damaged.
        """
        if METADATA_KEY not in metadata:
            raise ModelError(
                f"{source} has no model card, so its labels and preprocessing are unknown; "
                f"wrap it once with `emolens models import {source} --labels ... --out FILE`"
            )
        try:
            return cls.model_validate_json(metadata[METADATA_KEY])
        except ValidationError as error:
            first = error.errors(include_url=False, include_context=False)[0]
            place = ".".join(str(step) for step in first["loc"]) or "card"
            raise ModelError(
                f"{source}: its model card is damaged: {place}: {first['msg']}; export or pull the model again"
            ) from None

    def to_metadata(self) -> dict[str, str]:
        """The entry to put into a model file's `metadata_props`."""
        return {METADATA_KEY: self.model_dump_json()}

    def threshold_of(self, label: str) -> float:
        return self.thresholds.get(label, self.threshold)
