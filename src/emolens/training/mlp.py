"""MlpClassifier: dense layers over feature vectors, in the manner of scikit-learn's estimators."""

import logging
from collections.abc import Sequence
from typing import Any, Self

import numpy as np
import torch
from numpy.typing import ArrayLike, NDArray
from sklearn.base import BaseEstimator, ClassifierMixin
from sklearn.utils.validation import check_is_fitted
from torch import Tensor

from emolens.classic.outliers import is_usual
from emolens.data.balance import class_weights
from emolens.networks.feature_mlp import FeatureMlp
from emolens.training.objective import Distribution
from emolens.training.optimisation import Optimisation, configure

logger = logging.getLogger(__name__)


class MlpClassifier(ClassifierMixin, BaseEstimator):  # type: ignore[misc]
    """Standardises features, projects them onto their principal components, and classifies these by dense layers.

    Trained with Adam on the cross-entropy, in one cycle of the learning rate (Smith and Topin, 2018).

    Args:
        components: K, how many principal components there are.
        widths: of the hidden layers.
        dropout: behind each of them.
        outliers: over how many deviations from the usual distance to its label's median a sample is left out; see
            `is_usual`. None keeps all.
        epochs: looks at every sample.
        batch_size: samples in a step.
        learning_rate: the highest one.
        weight_decay: of the weights.
        weighted: whether errors on rare labels count more.
        random_state: the seed.

    Attributes:
        network_: takes `(N, F)` float32 features, gives `(N, L)` logits; standardisation and projection are inside.
        classes_: the labels, in the order of the logits.
        outliers_: how many samples were left out.
    """

    def __init__(
        self,
        components: int = 256,
        widths: Sequence[int] = (512, 256, 128, 64),
        dropout: float = 0.3,
        outliers: float | None = None,
        epochs: int = 12,
        batch_size: int = 256,
        learning_rate: float = 0.002,
        weight_decay: float = 0.0001,
        weighted: bool = False,
        random_state: int = 0,
    ) -> None:
        self.components, self.widths, self.dropout, self.outliers = components, widths, dropout, outliers
        self.epochs, self.batch_size, self.learning_rate = epochs, batch_size, learning_rate
        self.weight_decay, self.weighted, self.random_state = weight_decay, weighted, random_state

    def fit(self, features: NDArray[np.float32], labels: ArrayLike, sample_weight: ArrayLike | None = None) -> Self:
        """Learns.

        Args:
            features: `(N, F)`, N over K.
            labels: `(N,)`, or `(N, L)` distributions over the labels 0 to L - 1.
            sample_weight: `(N,)`, how much each sample counts.

        Raises:
            ValueError: there are too few samples.
        """
        self.classes_, targets = _distributions(np.asarray(labels))
        weights = np.ones(len(features)) if sample_weight is None else np.asarray(sample_weight)
        with torch.random.fork_rng(devices=[]):
            torch.manual_seed(self.random_state)
            network = FeatureMlp(features.shape[1], self.components, self.widths, len(self.classes_), self.dropout)
            network.projection.fit(features)
            usual = self._is_usual(network.projection(torch.from_numpy(features)).numpy(), targets)
            self.outliers_ = int((~usual).sum())
            if self.outliers_:
                features, targets, weights = features[usual], targets[usual], weights[usual]
                network.projection.fit(features)
            self._learn(network, *(torch.from_numpy(part.astype(np.float32)) for part in (features, targets, weights)))
        self.network_ = network.eval().requires_grad_(False)
        return self

    def predict(self, features: NDArray[np.float32]) -> NDArray[Any]:
        """The likeliest label of each row, `(N,)`."""
        likeliest = self.predict_proba(features).argmax(axis=1)
        labels: NDArray[Any] = self.classes_[likeliest]
        return labels

    def predict_proba(self, features: NDArray[np.float32]) -> NDArray[np.float32]:
        """`(N, L)`, rows sum to one."""
        check_is_fitted(self, "network_")
        probabilities: NDArray[np.float32] = self.network_(torch.from_numpy(features)).softmax(dim=1).numpy()
        return probabilities

    def _is_usual(self, projected: NDArray[np.float32], targets: NDArray[np.float32]) -> NDArray[np.bool_]:
        if self.outliers is None:
            return np.ones(len(projected), bool)
        return is_usual(projected, targets.argmax(axis=1), self.outliers)

    def _learn(self, network: FeatureMlp, features: Tensor, targets: Tensor, weights: Tensor) -> None:
        label_weights = torch.from_numpy(class_weights(targets.numpy())) if self.weighted else None
        batch = min(self.batch_size, len(features))
        steps = len(features) // batch
        plan = Optimisation(
            epochs=self.epochs, optimiser="adam", learning_rate=self.learning_rate, weight_decay=self.weight_decay
        )
        moved = configure(network, plan, self.epochs * steps, "train_loss", "min")
        optimiser, schedule = moved["optimizer"], moved["lr_scheduler"]["scheduler"]
        projected = network.projection(features)  # the same all along
        for epoch in range(self.epochs):
            told = 0.0
            order = torch.randperm(len(features))
            # What remains of an epoch is left out; batch norm has no use for a batch of one.
            for start in range(0, steps * batch, batch):
                rows = order[start : start + batch]
                loss = Distribution().measure(
                    network.layers(projected[rows]), targets[rows], weights[rows], label_weights
                )
                optimiser.zero_grad()
                loss.backward()  # type: ignore[no-untyped-call]
                optimiser.step()
                schedule.step()
                told += loss.item() / steps
            logger.info("epoch %d of %d: train_loss %.4f", epoch + 1, self.epochs, told)


def _distributions(labels: NDArray[Any]) -> tuple[NDArray[Any], NDArray[np.float32]]:
    """The labels that there are, and a row over them for each sample."""
    if labels.ndim == 2:
        return np.arange(labels.shape[1]), labels.astype(np.float32)
    classes, codes = np.unique(labels, return_inverse=True)
    return classes, np.eye(len(classes), dtype=np.float32)[codes]
