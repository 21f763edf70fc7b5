"""Feature steps as a recipe asks for them: opened, and described for the card."""

from dataclasses import dataclass
from pathlib import Path
from typing import Literal

from pydantic import ValidationError

from emolens import zoo
from emolens.card import Features, Input
from emolens.errors import ConfigError
from emolens.features.base import FeatureStep
from emolens.features.embedding import Embedding, EmbeddingParameters
from emolens.features.hog import Hog, HogParameters
from emolens.features.landmarks import Landmarks, LandmarksParameters
from emolens.session import file_hash


@dataclass(frozen=True)
class Opened:
    """A step, ready to be used.

    Attributes:
        features: what a card says of it.
        file: the model file that makes its features, which the trained model will need, too.
    """

    step: FeatureStep
    features: Features
    file: Path | None = None


class HogChoice(HogParameters):
    """See `emolens.features.hog`."""

    step: Literal["hog"]

    def open(self, size: Input) -> Opened:
        """Opens the step for crops of this size; errors as of `Hog`."""
        return Opened(Hog(self, size), Features.model_validate(self.model_dump(mode="json")))


class EmbeddingChoice(EmbeddingParameters):
    """See `emolens.features.embedding`.

    Attributes:
        model: the network's file, or its name among the models that `emolens models list` shows.
    """

    step: Literal["embedding"]
    model: str

    def open(self, size: Input) -> Opened:
        """Opens the step for crops of this size; errors as of `Embedding`, `zoo.find` and `Entry.check`."""
        path = _pulled(self.model) or zoo.find(self.model)
        return Opened(Embedding(self, size, path), _made_by(path, self), path)


class LandmarksChoice(LandmarksParameters):
    """See `emolens.features.landmarks`.

    Attributes:
        model: MediaPipe's bundle: a file, or its name among the models that can be pulled.
    """

    step: Literal["landmarks"]
    model: str = "mediapipe-face-landmarker"

    def open(self, size: Input) -> Opened:
        """Opens the step for crops of this size; errors as of `Landmarks`, and `ModelError` if it has to be pulled."""
        path = _pulled(self.model) or Path(self.model)
        # First, since it says what is missing.
        step = Landmarks(self, size, path)
        return Opened(step, _made_by(path, self), path)


def _pulled(name: str) -> Path | None:
    """The checked file of a model that can be pulled; None where no such model has that name."""
    known = zoo.entries().get(name)
    if known is None:
        return None
    known.check()
    return known.path


def _made_by(path: Path, choice: EmbeddingChoice | LandmarksChoice) -> Features:
    """What a card says of a step that runs the model file at `path`."""
    try:
        return Features.model_validate(
            {**choice.model_dump(mode="json"), "model": path.name, "sha256": file_hash(path)}
        )
    except ValidationError:
        raise ConfigError(
            f"{path}: rename it; a model file will look for it by its name, of letters, digits, '_', '-' and '.'"
        ) from None
