"""What answers for a crop: a model, several crops of the same face through it, or several models."""

from collections.abc import Sequence
from typing import Any, Literal, Protocol, get_args

import numpy as np
from numpy.typing import NDArray
from PIL import Image

from emolens.card import Crop, Input, ModelCard
from emolens.errors import ConfigError

Framing = tuple[Crop, Input]
"""How a face becomes the pixels that a model takes."""

Tta = Literal["flip", "full"]

# Full: the five views of the ten-crop test (Krizhevsky et al., 2012) show nine tenths of the crop each way.
_SHOWN = 0.9


class Classifier(Protocol):
    """Anything that gives probabilities for crops; an `OnnxModel` is one."""

    @property
    def card(self) -> ModelCard:
        """Labels, objective, thresholds; `temperature` and `calibration` are applied already."""

    @property
    def framings(self) -> tuple[Framing, ...]:
        """The distinct ways in which every face has to be cut."""

    def classify(self, framed: Sequence[NDArray[np.uint8]]) -> NDArray[np.float32]:
        """Calibrated probabilities.

        Args:
            framed: per framing `(N, H, W, C)` uint8, the same faces.

        Returns:
            `(N, L)` float32.
        """

    def for_many(self) -> "Classifier":
        """The same for many images, beside whose search it runs: small models in one thread a call, unless a number was
        given.
        """

    @property
    def about(self) -> dict[str, Any]:
        """What was used, for reports; JSON-able."""


class Augmented:
    """Test-time augmentation: the mean of the probabilities that a model gives for several views of a crop.

    Args:
        model: answers for each view.
        tta: `flip`, the crop and its mirror image; `full`, its middle and its four corners, nine tenths of it each, and
            their mirror images.

    Raises:
        ConfigError: there is no such augmentation.
    """

    def __init__(self, model: Classifier, tta: Tta) -> None:
        if tta not in get_args(Tta):
            raise ConfigError(f"'{tta}' is no test-time augmentation; there are {' and '.join(get_args(Tta))}")
        self.model, self.tta = model, tta

    @property
    def card(self) -> ModelCard:
        return self.model.card

    @property
    def framings(self) -> tuple[Framing, ...]:
        return self.model.framings

    def classify(self, framed: Sequence[NDArray[np.uint8]]) -> NDArray[np.float32]:
        if self.tta == "full":
            views = [[_corner(crops, x, y) for crops in framed] for x, y in _CORNERS]
        else:
            views = [list(framed)]
        mirrored = [[crops[:, :, ::-1] for crops in view] for view in views]
        answers = [self.model.classify(view) for view in (*views, *mirrored)]
        mean: NDArray[np.float32] = np.mean(answers, axis=0, dtype=np.float32)
        return mean

    def for_many(self) -> "Augmented":
        return Augmented(self.model.for_many(), self.tta)

    @property
    def about(self) -> dict[str, Any]:
        return {**self.model.about, "tta": self.tta}


class Ensemble:
    """Several models that answer as one: the weighted mean of their probabilities, over the labels of the first.

    Args:
        models: two or more, of one kind and objective, with the same labels in any order.
        weights: one for each; all alike without them.

    Raises:
        ConfigError: the models do not go together, or the weights are not one positive number for each.
    """

    def __init__(self, models: Sequence[Classifier], weights: Sequence[float] | None = None) -> None:
        self.models = tuple(models)
        first = self.models[0].card
        for other in (model.card for model in self.models[1:]):
            for what, theirs, wanted in (
                ("kind", other.kind, first.kind),
                ("objective", other.objective, first.objective),
                ("labels", ", ".join(sorted(other.labels)), ", ".join(sorted(first.labels))),
            ):
                if theirs != wanted:
                    raise ConfigError(
                        f"{first.name} and {other.name} cannot answer together: {what} {wanted} and {theirs}; "
                        "take models that agree"
                    )
        self.weights = _shares(weights, len(self.models))
        self._columns = [[model.card.labels.index(label) for label in first.labels] for model in self.models]
        cards = [model.card for model in self.models]
        mean = {label: self._mean([card.threshold_of(label) for card in cards]) for label in first.labels}
        # What was fitted to or measured of one member says nothing of them all.
        unknown = {"metrics": {}, "temperature": 1.0, "calibration": None, "abstention": None, "parity": None}
        names = " + ".join(card.name for card in cards)[:100]
        self.card = first.model_copy(update={"name": names, "thresholds": mean, **unknown})
        """The first one's, under the names of all, with weighted means of their thresholds."""

    @property
    def framings(self) -> tuple[Framing, ...]:
        return tuple(dict.fromkeys(framing for model in self.models for framing in model.framings))

    def classify(self, framed: Sequence[NDArray[np.uint8]]) -> NDArray[np.float32]:
        crops = dict(zip(self.framings, framed, strict=True))
        answers = [
            model.classify([crops[framing] for framing in model.framings])[:, columns]
            for model, columns in zip(self.models, self._columns, strict=True)
        ]
        mean: NDArray[np.float32] = np.average(answers, axis=0, weights=self.weights).astype(np.float32)
        return mean

    def for_many(self) -> "Ensemble":
        return Ensemble([model.for_many() for model in self.models], self.weights)

    @property
    def about(self) -> dict[str, Any]:
        members = [{**model.about, "weight": weight} for model, weight in zip(self.models, self.weights, strict=True)]
        return {"name": self.card.name, "version": self.card.version, "members": members}

    def _mean(self, values: Sequence[float]) -> float:
        return float(np.average(values, weights=self.weights))


_CORNERS = tuple((x, y) for x, y in ((0.5, 0.5), (0, 0), (1, 0), (0, 1), (1, 1)))


def _corner(crops: NDArray[np.uint8], x: float, y: float) -> NDArray[np.uint8]:
    """The part of every crop that leaves a tenth out, at its old size; `x` and `y` in 0 to 1 say on which side."""
    count, height, width, channels = crops.shape
    left, top = (1 - _SHOWN) * x * width, (1 - _SHOWN) * y * height
    box = (left, top, left + _SHOWN * width, top + _SHOWN * height)
    parts = [
        np.asarray(Image.fromarray(crop.squeeze(-1) if channels == 1 else crop).resize((width, height), box=box))
        for crop in crops
    ]
    return np.array(parts, np.uint8).reshape(count, height, width, channels)


def _shares(weights: Sequence[float] | None, count: int) -> tuple[float, ...]:
    if weights is None:
        return (1 / count,) * count
    if len(weights) != count or not all(0 < weight < float("inf") for weight in weights):
        given = ", ".join(f"{weight:g}" for weight in weights)
        raise ConfigError(f"{count} models need {count} weights, each over zero; given: {given or 'none'}")
    shares = np.array(weights) / max(weights)
    return tuple((shares / shares.sum()).tolist())
