"""Predictor: the first flow, end to end: an image in, emotions and fitting reactions out."""

import os
from collections import deque
from collections.abc import Generator, Iterable, Mapping, Sequence
from concurrent.futures import Future, ThreadPoolExecutor
from contextlib import closing
from dataclasses import replace
from functools import cached_property
from itertools import islice
from time import perf_counter

import numpy as np
from numpy.typing import NDArray

from emolens import zoo
from emolens.card import METADATA_KEY, ModelCard
from emolens.classifier import Augmented, Classifier, Ensemble, Tta
from emolens.cores import usable_cores
from emolens.detect.base import Detector
from emolens.detect.fit import MULTIPLE
from emolens.errors import ConfigError, ImageError
from emolens.image import ImageSource, Limits, decode, source_name
from emolens.look import Look, Looker, as_box
from emolens.policy import Policy
from emolens.results import Face, Failure, Prediction
from emolens.runtime import OnnxModel
from emolens.session import Device, metadata_of

DETECTOR_SIZE = 1024

ModelName = str | os.PathLike[str]

# Each holds a photograph and the detector's working memory; so many of them keep the interpreter busy.
_WORKERS = min(16, usable_cores())


def load(
    name: ModelName | Sequence[ModelName] = "face",
    *,
    weights: Sequence[float] | None = None,
    tta: Tta | None = None,
    detector: str | os.PathLike[str] | None = "detector",
    policy: str | os.PathLike[str] | Policy = "social",
    device: Device = "auto",
    threshold: float | None = None,
    detector_size: int | None = DETECTOR_SIZE,
    limits: Limits = Limits(),
    threads: int = 0,
    crop_emoji: bool = False,
) -> "Predictor":
    """Opens a model with all that it needs to read photographs.

    Args:
        name: an embedded model, a model file, a name in the zoo, or `hf://owner/repo/file.onnx` on the Hugging Face
            hub; or several, which answer together.
        weights: of several models, one for each; all alike without them.
        tta: test-time augmentation, `flip` or `full`: slower and, as a rule, somewhat better.
        detector: likewise; `None` takes every image for one face. Models that do not look at faces have none anyway.
        policy: an embedded policy, a YAML file, or a `Policy`.
        device: `auto`, `cpu` or `cuda`.
        threshold: from which probability on an emotion counts as found; `None` leaves it to policy and model.
        detector_size: longest side, in pixels, at which faces are searched; `None` searches every pixel.
        limits: what is refused before memory is spent on it.
        threads: for one call of a model; 0 takes all cores, but for many images, which are searched side by side, each
            in one thread, and classified by small models in one beside that.
        crop_emoji: a model of emoji answers for each emoji on a plain background, whose boxes are then `faces`, instead
            of for the whole image.

    Raises:
        ModelError: the model or the detector is missing or damaged.
        MissingExtraError: a model on the hub needs the extra `hub`.
        PolicyError: the policy is missing or breaks a rule.
        ConfigError: an argument cannot be used.
    """
    model = open_classifier(name, weights, tta, device, threads)
    finder: Detector | None = None
    if crop_emoji:
        finder = _emoji_finder(model.card)
    elif model.card.kind == "face" and detector is not None:
        finder = open_detector(detector, detector_size, device, threads)
    return Predictor(
        model,
        finder,
        policy if isinstance(policy, Policy) else Policy.load(policy),
        threshold=threshold,
        limits=limits,
    )


def _emoji_finder(card: ModelCard) -> Detector:
    if card.kind != "emoji":
        raise ConfigError(f"{card.name} is no model of emoji but of kind {card.kind}; crop emoji for --model emoji")
    from emolens.detect.blobs import BlobDetector

    return BlobDetector()


def open_classifier(
    name: ModelName | Sequence[ModelName],
    weights: Sequence[float] | None = None,
    tta: Tta | None = None,
    device: Device = "auto",
    threads: int = 0,
) -> Classifier:
    """Opens one or several emotion models; the arguments are those of `load`.

    Raises:
        ModelError: one is missing, damaged, or a detector.
        ConfigError: an argument cannot be used, or the models do not go together.
    """
    names = [name] if isinstance(name, str | os.PathLike) else list(name)
    if not names:
        raise ConfigError("there is no model to open; name one or several")
    models: list[Classifier] = [OnnxModel(zoo.find(one), device, threads) for one in names]
    if len(models) == 1 and weights is not None:
        raise ConfigError("one model needs no weight; weights are for several models")
    model = models[0] if len(models) == 1 else Ensemble(models, weights)
    return model if tta is None else Augmented(model, tta)


def open_detector(
    name: str | os.PathLike[str], size: int | None = DETECTOR_SIZE, device: Device = "auto", threads: int = 0
) -> Detector:
    """Opens a face detector: an embedded one, a file, or a name in the zoo; the arguments are those of `load`.

    Raises:
        ModelError: it is missing, damaged, or no detector.
        ConfigError: an argument cannot be used.
    """
    if size is not None and size < MULTIPLE:
        raise ConfigError(f"faces are searched at {MULTIPLE} pixels or more, not {size}; None searches every pixel")
    from emolens.detect.own import OwnDetector
    from emolens.detect.yunet import YunetDetector

    path = zoo.find(name)
    kind = OwnDetector if METADATA_KEY in metadata_of(path) else YunetDetector
    return kind(path, size=size, device=device, threads=threads)


class Predictor:
    """Faces, emotions and reactions of photographs.

    Args:
        model: the emotion classifier: an `OnnxModel`, or several in an `Ensemble`.
        detector: finds the faces; `None` classifies the whole image.
        policy: turns emotions into reactions.
        threshold: overrides those of the policy and the model card, 0 to 1.
        limits: what is refused before memory is spent on it.
    """

    def __init__(
        self,
        model: Classifier,
        detector: Detector | None,
        policy: Policy,
        *,
        threshold: float | None = None,
        limits: Limits = Limits(),
    ) -> None:
        if threshold is not None:
            if not 0 <= threshold <= 1:
                raise ConfigError(f"a threshold is a probability, 0 to 1, not {threshold}")
            policy = replace(policy, threshold=threshold, thresholds={})
        self.model, self.detector, self.policy, self.limits = model, detector, policy, limits
        self._looker = Looker(model.framings, detector, limits)

    def predict(self, source: ImageSource) -> Prediction:
        """Reads one image.

        Raises:
            ImageError: it cannot be read; see `emolens.image.decode` for the codes.
        """
        (prediction,) = self._predict([self.look(source)], self.model)
        return prediction

    def predict_many(self, sources: Iterable[ImageSource], batch_size: int = 16) -> Generator[Prediction | Failure]:
        """Yields one result per image, in order; an unreadable image yields a `Failure` and the rest go on.

        Images are decoded and searched in threads, a few ahead of the one that is asked for; all faces of
        `batch_size` images go through the model in one call. What is kept of an image meanwhile is its crops.

        Raises:
            ConfigError: `batch_size` is under one.
        """
        if batch_size < 1:
            raise ConfigError(f"a batch has at least one image, not {batch_size}")
        # So far ahead that threads have work while a batch with many faces is classified.
        with closing(self._look_ahead(sources, ahead=2 * batch_size)) as looks:
            while batch := list(islice(looks, batch_size)):
                # One that is not full is the last one, and has all cores for itself.
                model = self._model_for_many if len(batch) == batch_size else self.model
                predictions = iter(self._predict([look for look in batch if isinstance(look, Look)], model))
                for look in batch:
                    yield look if isinstance(look, Failure) else next(predictions)

    def classify(self, crops: NDArray[np.uint8] | Sequence[NDArray[np.uint8]]) -> NDArray[np.float32]:
        """Classifies faces that are cut out already.

        Args:
            crops: `(N, H, W, C)` uint8 at the card's size, or any number of `(h, w, 3)` or `(h, w)` arrays of any
                size, which are resized.

        Returns:
            `(N, L)` float32 probabilities, in the order of the card's labels.

        Raises:
            ImageError: an array is not an image.
        """
        size = self.model.card.input
        shape = (size.height, size.width, size.channels)
        is_cut = isinstance(crops, np.ndarray) and crops.dtype == np.uint8 and crops.shape[1:] == shape
        if is_cut and len(self.model.framings) == 1:
            return self.model.classify([np.asarray(crops)])
        grey = [crop[..., 0] if crop.ndim == 3 and crop.shape[2] == 1 else crop for crop in crops]
        return self.model.classify(self._looker.frame([(decode(crop, self.limits).pixels, None) for crop in grey]))

    def look(self, source: ImageSource, name: str | None = None) -> Look:
        """The first step of `predict`, everything that comes before the model: decode, detect, crop.

        May be called from several threads at once.

        Args:
            source: see `ImageSource`.
            name: of the image in results and messages; `None` takes its path, or a name for what it is.

        Raises:
            ImageError: as of `predict`.
        """
        return self._looker.look(source, name)

    def classify_looks(self, looks: Sequence[Look]) -> list[NDArray[np.float32]]:
        """The second step: the crops of all these images through the model at once.

        Returns:
            Per look the probabilities of its faces, `(N, L)` float32, in the order of the card's labels.

        Raises:
            ModelError: the model fails.
        """
        return self._classified(looks, self.model)

    def _classified(self, looks: Sequence[Look], model: Classifier) -> list[NDArray[np.float32]]:
        if not looks:
            return []
        framed = [np.concatenate(crops) for crops in zip(*(look.framed for look in looks), strict=True)]
        ends = np.cumsum([len(look) for look in looks])
        return np.split(model.classify(framed), ends[:-1])

    def decide(self, look: Look, rows: NDArray[np.float32], classify: float) -> Prediction:
        """The last step: one image's result.

        Args:
            look: the image.
            rows: of its faces, from `classify_looks`.
            classify: the milliseconds that these took.
        """
        faces = tuple(
            self._face(box, score, row) for box, score, row in zip(look.boxes, look.scores, rows, strict=False)
        )
        if len(rows):
            # A score may be so small that it is zero; weights must not all be.
            weights = (look.boxes[:, 2] * look.boxes[:, 3] * look.scores).clip(1e-9) if faces else np.ones(len(rows))
            probabilities = self._named(weights @ rows / weights.sum())
            emotions = self.policy.present(probabilities, self.model.card.threshold_of)
            reactions = self.policy.decide(emotions, probabilities)
        else:
            probabilities = dict.fromkeys(self.model.card.labels, 0.0)
            emotions, reactions = (), self.policy.decide_no_face()
        steps = {**look.milliseconds, "classify": classify}
        return Prediction(
            input=look.name,
            model=self.model.card.name,
            width=look.width,
            height=look.height,
            probabilities=probabilities,
            emotions=emotions,
            faces=faces,
            reactions=reactions,
            unsure=self._unsure(probabilities),
            milliseconds={**steps, "total": sum(steps.values())},
        )

    def _look_ahead(self, sources: Iterable[ImageSource], ahead: int) -> Generator[Look | Failure]:
        pending: deque[Future[Look | Failure]] = deque()
        pool = ThreadPoolExecutor(_WORKERS, thread_name_prefix="emolens")
        try:
            for index, source in enumerate(sources):
                # The first may be the only one, for which all cores are free.
                looker = self._looker_for_many if index else self._looker
                pending.append(pool.submit(_try_look, looker, source, source_name(source, index)))
                if len(pending) > ahead:
                    yield pending.popleft().result()
            while pending:
                yield pending.popleft().result()
        finally:
            pool.shutdown(cancel_futures=True)

    @cached_property
    def _looker_for_many(self) -> Looker:
        # Of two calls at once that each take all cores, one stands in the way of the other.
        return Looker(self.model.framings, self.detector and self.detector.for_many(), self.limits)

    @cached_property
    def _model_for_many(self) -> Classifier:
        return self.model.for_many()

    def _predict(self, looks: Sequence[Look], model: Classifier) -> list[Prediction]:
        """The other two steps, of these images together."""
        start = perf_counter()
        rows = self._classified(looks, model)
        share = 1e3 * (perf_counter() - start) / max(len(looks), 1)
        return [self.decide(look, part, share) for look, part in zip(looks, rows, strict=True)]

    def _unsure(self, probabilities: Mapping[str, float]) -> bool:
        abstention, top = self.model.card.abstention, max(probabilities.values())
        if top == 0:  # without a face there is no answer to be unsure of
            return False
        undecided = len(probabilities) > 1 and top == min(probabilities.values())
        return undecided or (abstention is not None and top < abstention.threshold)

    def _face(self, box: NDArray[np.float32], score: np.float32, row: NDArray[np.float32]) -> Face:
        probabilities = self._named(row)
        emotions = self.policy.present(probabilities, self.model.card.threshold_of)
        return Face(as_box(box), float(score), probabilities, emotions)

    def _named(self, row: NDArray[np.floating]) -> dict[str, float]:
        return dict(zip(self.model.card.labels, row.tolist(), strict=True))


def _try_look(looker: Looker, source: ImageSource, name: str) -> Look | Failure:
    try:
        return looker.look(source, name)
    except ImageError as error:
        return Failure.from_error(name, error)
