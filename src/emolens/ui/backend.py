"""Who answers for the page: the models in this process, or an emolens server."""

import os
from collections.abc import Callable, Generator, Iterable, Iterator
from contextlib import suppress
from dataclasses import dataclass, replace
from threading import Lock
from typing import TYPE_CHECKING, Protocol

from emolens import settings, zoo
from emolens.card import ModelCard
from emolens.errors import ImageError, ModelError, ServerError
from emolens.image import Limits
from emolens.policy import embedded_text
from emolens.predictor import Predictor, load
from emolens.results import Failure, Prediction, renamed
from emolens.ui.pictures import Picture

if TYPE_CHECKING:
    from emolens.feedback import Answer

WHOLE = "none"
"""The detector that takes the whole picture for one face."""

DETECTOR = "detector"
_FACE = "face"
_POLICY = "social"


@dataclass(frozen=True)
class About:
    """What is known of a model.

    Attributes:
        kind: as of its card.
        sha256: of its file, if it is known.
        card: None where only a server has it.
    """

    version: str
    kind: str
    sha256: str | None
    card: ModelCard | None = None


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
        """Reads photographs, one result each, in order; a few are taken ahead of the result that is asked for.

        Raises:
            EmolensError: nobody answers.
        """

    def about(self, model: str) -> About:
        """What is known of a model."""

    def policy_text(self) -> str:
        """The YAML of the policy that answers follow."""


class Local:
    """The models in this process, each opened when it is first asked.

    Args:
        limits: what is refused.
    """

    place = "on the computer that shows this page"

    def __init__(self, limits: Limits) -> None:
        self.limits = limits
        self.models = tuple(sorted(_classifiers(), key=lambda name: name != _FACE))
        self.detectors = (*sorted(_detectors(), key=lambda name: name != DETECTOR), WHOLE)
        self._opened: dict[tuple[str, str], Predictor] = {}
        self._opening = Lock()

    def predict(self, picture: Picture, model: str, detector: str) -> Prediction:
        return _read(picture, self.predictor(model, detector).predict)

    def predict_many(self, pictures: Iterable[Picture], model: str, detector: str) -> Iterator[Prediction | Failure]:
        return _read_many(pictures, self.predictor(model, detector).predict_many)

    def about(self, model: str) -> About:
        opened = self.predictor(model, DETECTOR).model
        return About(opened.card.version, opened.card.kind, opened.about.get("sha256"), opened.card)

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


class Remote:
    """An emolens server, with its own models, detector and policy.

    Args:
        url: of the server; `EMOLENS_UI_KEY` is the key for it.
        limits: what is refused before it is sent.

    Raises:
        MissingExtraError: the extra `client` is not installed.
        ServerError: the server does not answer, or refuses.
    """

    detectors: tuple[str, ...] = ()

    def __init__(self, url: str, limits: Limits) -> None:
        from emolens.client import Client  # its extra is needed by nobody else

        self.place = f"by the server {url}"
        self._client = Client(url, key=os.environ.get(settings.UI_KEY) or None, limits=limits)
        self._served = {model.name: model for model in self._client.models()}
        self.models = tuple(sorted(self._served, key=lambda name: not self._served[name].default))

    def predict(self, picture: Picture, model: str, detector: str) -> Prediction:  # noqa: ARG002
        return _read(picture, lambda data: self._client.predict(data, model=model))

    def predict_many(self, pictures: Iterable[Picture], model: str, detector: str) -> Iterator[Prediction | Failure]:  # noqa: ARG002
        return _read_many(pictures, lambda data: self._client.predict_many(data, model=model))

    def about(self, model: str) -> About:
        served = self._served[model]
        return About(served.version, served.kind, served.sha256)

    def policy_text(self) -> str:
        return self._client.policy().yaml

    def keep(self, answer: "Answer") -> bool:
        """Sends what a visitor says of an answer; False where the server keeps none.

        Raises:
            ServerError: it is away, or refuses.
        """
        try:
            self._client.feedback(answer)
        except ServerError as error:
            if error.code != "not_found":
                raise
            return False
        return True

    def forget(self, client_id: str) -> None:
        """Has the server remove what a visitor has said.

        Raises:
            ServerError: it is away, or refuses.
        """
        self._client.delete_feedback(client_id)


def _read(picture: Picture, predict: Callable[[bytes], Prediction]) -> Prediction:
    """The result under the picture's name, and so the error."""
    try:
        return replace(predict(picture.data), input=picture.name)
    except ImageError as error:
        # Bytes have no name of their own, and the message begins with what stands for it.
        raise ImageError(error.code, f"{picture.name}:{str(error).partition(':')[2]}") from None


def _read_many(
    pictures: Iterable[Picture], predict: Callable[[Iterable[bytes]], Generator[Prediction | Failure]]
) -> Iterator[Prediction | Failure]:
    names: list[str] = []

    def data() -> Iterator[bytes]:
        for picture in pictures:
            names.append(picture.name)
            yield picture.data

    for number, result in enumerate(predict(data())):
        yield renamed(result, names[number])


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
