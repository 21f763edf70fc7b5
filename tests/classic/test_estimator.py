"""ImageClassifier keeps to the manners of scikit-learn, and learns what features tell."""

import numpy as np
import pytest

pytest.importorskip("skimage")
pytest.importorskip("sklearn")

from sklearn.base import clone
from sklearn.exceptions import NotFittedError
from sklearn.linear_model import LogisticRegression
from sklearn.model_selection import cross_val_score

from emolens.card import Input
from emolens.classic.estimator import ImageClassifier
from emolens.classic.heads import LogisticHead, SvmHead
from emolens.errors import DataError
from emolens.features.hog import Hog, HogParameters

SIZE = Input(height=16, width=16, channels=1)


def striped(count: int, seed: int = 0) -> tuple[np.ndarray, np.ndarray]:
    """Noisy crops with stripes that lie or stand, and which they are."""
    random = np.random.default_rng(seed)
    lying = np.tile(np.array([0, 0, 200, 200]).repeat(1), 4)[:, None].repeat(16, 1)
    labels = np.arange(count) % 2
    crops = np.stack([lying if label else lying.T for label in labels]) + random.integers(0, 56, (count, 16, 16))
    return crops.astype(np.uint8)[..., None], np.array(["stand", "lie"])[labels]


@pytest.fixture
def classifier() -> ImageClassifier:
    return ImageClassifier(Hog(HogParameters(cell=4), SIZE), LogisticRegression())


@pytest.mark.parametrize("head", [SvmHead(name="svm"), LogisticHead(name="logistic")])
@pytest.mark.parametrize("weighted", [False, True])
def test_every_head_tells_stripes_that_lie_from_stripes_that_stand(head, weighted, classifier):
    classifier.set_params(head=head.build(weighted, seed=0)).fit(*striped(40))
    crops, labels = striped(20, seed=1)
    assert classifier.score(crops, labels) == 1
    probabilities = classifier.predict_proba(crops)
    assert probabilities.shape == (20, 2)
    np.testing.assert_allclose(probabilities.sum(axis=1), 1)
    assert list(classifier.classes_) == ["lie", "stand"]


def test_fit_returns_the_classifier_and_leaves_its_parameters_alone(classifier):
    before = classifier.get_params(deep=False)
    assert classifier.fit(*striped(20)) is classifier
    assert classifier.get_params(deep=False) == before
    assert not hasattr(before["head"], "coef_")


def test_it_can_be_cloned_and_cross_validated(classifier):
    assert cross_val_score(clone(classifier), *striped(30), cv=3).mean() == 1


def test_what_is_not_fitted_does_not_predict(classifier):
    with pytest.raises(NotFittedError):
        classifier.predict(striped(2)[0])


def test_weights_decide_where_labels_disagree(classifier):
    crops, _ = striped(2)
    same, labels = np.repeat(crops[:1], 4, axis=0), np.array(["a", "a", "b", "b"])
    classifier.fit(same, labels, sample_weight=[1, 1, 5, 5])
    assert classifier.predict(same[:1]) == ["b"]


class Choosy:
    """Finds nothing in dark crops."""

    size = 2

    def __call__(self, crops: np.ndarray) -> np.ndarray:
        means = crops.reshape(len(crops), -1).mean(axis=1)
        features = np.stack([means, means**2], axis=1).astype(np.float32)
        features[means < 10] = np.nan
        return features


def test_crops_without_features_are_left_out_counted_and_answered_evenly():
    crops = np.full((12, 4, 4, 1), 100, np.uint8)
    crops[::2] = 200
    crops[-3:] = 0
    classifier = ImageClassifier(Choosy(), LogisticRegression()).fit(crops, np.arange(12) % 2)
    assert classifier.nothing_found_ == 3
    np.testing.assert_array_equal(classifier.predict_proba(crops[-1:]), [[0.5, 0.5]])


def test_too_few_samples_are_an_error_of_ours(classifier):
    with pytest.raises(DataError, match="4 samples with features cannot be learnt from"):
        classifier.set_params(head=SvmHead(name="svm").build(False, seed=0)).fit(*striped(4))
