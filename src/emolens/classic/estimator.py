"""ImageClassifier: features of crops and a classifier over them, in the manner of scikit-learn's estimators."""

from typing import Any, Self

import numpy as np
from numpy.typing import ArrayLike, NDArray
from sklearn.base import BaseEstimator, ClassifierMixin, clone
from sklearn.utils.validation import check_is_fitted

from emolens.errors import DataError
from emolens.features.base import FeatureStep

# Crops at a time, so that what a step needs on the way does not grow with the data.
_CHUNK = 512


class ImageClassifier(ClassifierMixin, BaseEstimator):  # type: ignore[misc]
    """Classifies crops by their features.

    Args:
        step: makes features of crops.
        head: a classifier of scikit-learn with `predict_proba`; it is cloned before it is fitted.

    Attributes:
        head_: the fitted head.
        classes_: the labels, in the order of the probabilities.
        nothing_found_: how many crops gave no features and were left out of the fit.
    """

    def __init__(self, step: FeatureStep, head: Any) -> None:
        self.step = step
        self.head = head

    def fit(self, crops: NDArray[np.uint8], labels: ArrayLike, sample_weight: ArrayLike | None = None) -> Self:
        """Learns from `(N, H, W, C)` uint8 crops and `(N,)` labels.

        Raises:
            DataError: no crop gives features, or they are too few for the head.
        """
        return self.fit_features(self.transform(crops), labels, sample_weight)

    def predict(self, crops: NDArray[np.uint8]) -> NDArray[Any]:
        """The likeliest label of each crop, `(N,)`."""
        likeliest = self.predict_proba(crops).argmax(axis=1)
        labels: NDArray[Any] = self.classes_[likeliest]
        return labels

    def predict_proba(self, crops: NDArray[np.uint8]) -> NDArray[np.float64]:
        """`(N, L)`, rows sum to one; all the same where a crop gives no features."""
        check_is_fitted(self, "head_")  # before the work of making features
        return self.predict_features(self.transform(crops))

    def transform(self, crops: NDArray[np.uint8]) -> NDArray[np.float32]:
        """The features of crops, `(N, F)` float32, NaN where there are none; memory is bounded but for them."""
        features = np.empty((len(crops), self.step.size), np.float32)
        for start in range(0, len(crops), _CHUNK):
            features[start : start + _CHUNK] = self.step(crops[start : start + _CHUNK])
        return features

    def fit_features(
        self, features: NDArray[np.float32], labels: ArrayLike, sample_weight: ArrayLike | None = None
    ) -> Self:
        """As `fit`, for data whose crops do not fit into memory: features that were made in parts."""
        found = ~np.isnan(features).any(axis=1)
        self.nothing_found_ = int((~found).sum())
        kept = features if found.all() else features[found]
        weights = {} if sample_weight is None else {"sample_weight": np.asarray(sample_weight)[found]}
        try:
            self.head_ = clone(self.head).fit(kept, np.asarray(labels)[found], **weights)
        except ValueError as error:
            raise DataError(f"{len(kept)} samples with features cannot be learnt from: {error}") from None
        self.classes_ = self.head_.classes_
        return self

    def predict_features(self, features: NDArray[np.float32]) -> NDArray[np.float64]:
        """As `predict_proba`, of features."""
        probabilities = np.full((len(features), len(self.classes_)), 1 / len(self.classes_))
        found = ~np.isnan(features).any(axis=1)
        if found.any():
            probabilities[found] = self.head_.predict_proba(features[found])
        return probabilities
