"""Who answers for the page: the models in this process, or an emolens server."""

from collections.abc import Iterable, Iterator
from contextlib import suppress
from threading import Lock
from typing import Protocol

from emolens import zoo
from emolens.card import ModelCard
from emolens.errors import ImageError, ModelError
from emolens.image import Limits
from emolens.policy import embedded_text
from emolens.predictor import Predictor, load
from emolens.results import Failure, Prediction, renamed
from emolens.ui.pictures import Picture

WHOLE = "none"
"""The detector that takes the whole picture for one face."""

DETECTOR = "detector"
_FACE = "face"
_POLICY = "social"


class Backend(Protocol):
    """Reads photographs for the page.

    Attributes:
        place: where photographs are read, in words.
        models: the names of the models, the one to begin with first.
        detectors: the names of the detectors, likewise; empty where there is no choice.
    """

    place: str
    models: tuple[str, ...]
    detectors: tuple[str, ...]

    def predict(self, picture: Picture, model: str, detector: str) -> Prediction:
        """Reads one photograph.

        Raises:
            ImageError: it cannot be read.
            EmolensError: nobody answers.
        """

    def predict_many(self, pictures: Iterable[Picture], model: str, detector: str) -> Iterator[Prediction | Failure]:
        """Reads photographs, one result each, in order."""

    def card(self, model: str) -> ModelCard | None:
        """What the model says of itself, where that is known."""

    def policy_text(self) -> str:
        """The YAML of the policy that answers follow."""


class Local:
    """The models in this process, each opened when it is first asked.

    Args:
        limits: what is refused.
    """

    place = "on this computer"

    def __init__(self, limits: Limits) -> None:
        self.limits = limits
        self.models = tuple(sorted(_classifiers(), key=lambda name: name != _FACE))
        self.detectors = (*sorted(_detectors(), key=lambda name: name != DETECTOR), WHOLE)
        self._opened: dict[tuple[str, str], Predictor] = {}
        self._opening = Lock()

    def predict(self, picture: Picture, model: str, detector: str) -> Prediction:
        (result,) = self.predict_many([picture], model, detector)
        if isinstance(result, Failure):
            raise ImageError(result.code, result.message)
        return result

    def predict_many(self, pictures: Iterable[Picture], model: str, detector: str) -> Iterator[Prediction | Failure]:
        names: list[str] = []

        def data() -> Iterator[bytes]:
            for picture in pictures:
                names.append(picture.name)
                yield picture.data

        results = self.predictor(model, detector).predict_many(data())
        for number, result in enumerate(results):
            yield renamed(result, names[number])

    def card(self, model: str) -> ModelCard | None:
        return zoo.card_of(zoo.find(model))

    def policy_text(self) -> str:
        return embedded_text(_POLICY)

    def predictor(self, model: str, detector: str) -> Predictor:
        """What reads photographs with these two.

        Raises:
            ModelError: one of them is missing or damaged.
        """
        with self._opening:
            if (model, detector) not in self._opened:
                self._opened[model, detector] = load(
                    model, detector=None if detector == WHOLE else detector, policy=_POLICY, limits=self.limits
                )
            return self._opened[model, detector]


def _classifiers() -> Iterator[str]:
    return (name for name, kind in _kinds() if kind != "detector")


def _detectors() -> Iterator[str]:
    yield from (name for name, kind in _kinds() if kind == "detector")
    for name, entry in zoo.entries().items():
        if entry.kind == "detector" and not entry.instead and entry.path.is_file():
            yield name


def _kinds() -> Iterator[tuple[str, str]]:
    """Name and kind of every model file that is here and can be opened."""
    for name, path in {**zoo.embedded(), **zoo.own()}.items():
        with suppress(ModelError):
            yield name, zoo.card_of(path).kind
