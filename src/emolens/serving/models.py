"""The models that a server answers with: opened, tried, and which state of their file they are."""

from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np

from emolens import zoo
from emolens.card import ModelCard
from emolens.errors import ConfigError
from emolens.image import Limits
from emolens.policy import Policy
from emolens.predictor import Predictor, open_classifier
from emolens.serving.look_process import Asked
from emolens.serving.settings import ServerSettings

Stamp = tuple[int, ...]


@dataclass(frozen=True)
class Served:
    """A model that is open.

    Attributes:
        name: by which clients ask for it.
        predictor: with the model; the detector is the processes', the policy each request's own.
        about: of the model: `name, version, sha256`.
        path: of its file.
        stamp: of the file when it was opened; None where it does not change, such as that of an embedded model.
    """

    name: str
    predictor: Predictor
    about: dict[str, Any]
    path: Path
    stamp: Stamp | None

    @property
    def card(self) -> ModelCard:
        return self.predictor.model.card

    @property
    def asked(self) -> Asked:
        """What the processes have to know of it."""
        model = self.predictor.model
        return Asked(model.framings, model.card.kind == "face", self.path, self.about["sha256"])

    def reopened(self) -> "Served":
        """What its file holds now.

        Raises:
            ModelError: the file is missing or damaged.
        """
        return _opened(self.name, self.path, True, self.predictor.limits)


def open_models(settings: ServerSettings, limits: Limits) -> list[Served]:
    """Opens the models of the settings.

    Raises:
        ConfigError: there is none, or two have the same name.
        ModelError: one is missing or damaged.
    """
    served: list[Served] = []
    for name in filter(None, (part.strip() for part in settings.models.split(","))):
        path = zoo.find(name)
        is_file = name.endswith(".onnx")
        served.append(_opened(Path(name).stem if is_file else name, path, is_file, limits))
    if not served:
        raise ConfigError("EMOLENS_SERVE_MODELS names no model")
    if len({one.name for one in served}) < len(served):
        raise ConfigError("EMOLENS_SERVE_MODELS names two models alike; give one of the files another name")
    return served


def stamp_of(path: Path) -> Stamp | None:
    """Something that changes with a file, in place or by another that takes its name; None if it is not there."""
    try:
        found = path.stat()
    except OSError:
        return None
    return found.st_dev, found.st_ino, found.st_size, found.st_mtime_ns


def _opened(name: str, path: Path, may_change: bool, limits: Limits) -> Served:
    stamp = stamp_of(path) if may_change else None
    model = open_classifier(path, threads=1)
    predictor = Predictor(model, None, Policy.load("social"), limits=limits)
    # A graph may open and then fail; better here than in a request.
    predictor.classify([np.zeros((8, 8, 3), np.uint8)])
    return Served(name, predictor, model.about, path, stamp)
