"""Dense layers over features learn hard and soft labels, repeatably, and leave outliers out where they are told to."""

import numpy as np
import pytest
import torch
from sklearn.base import clone
from sklearn.decomposition import PCA
from sklearn.exceptions import NotFittedError
from sklearn.preprocessing import StandardScaler

from emolens.training.mlp import MlpClassifier

SMALL = {"components": 6, "widths": (16, 8), "epochs": 15, "batch_size": 32, "learning_rate": 0.02}


def samples(count: int = 240) -> tuple[np.ndarray, np.ndarray]:
    """Three labels along two directions of 20 features of very different scales."""
    random = np.random.default_rng(0)
    labels = random.integers(0, 3, count)
    centres = random.normal(0, 3, (3, 20))
    features = (centres[labels] + random.normal(0, 1, (count, 20))) * np.logspace(-2, 2, 20) + 5
    return features.astype(np.float32), labels


def test_it_learns_what_can_be_told_apart():
    features, labels = samples()
    names = np.array(["happy", "neutral", "sad"])[labels]
    learnt = MlpClassifier(**SMALL).fit(features[:200], names[:200])
    assert learnt.classes_.tolist() == ["happy", "neutral", "sad"]
    assert learnt.score(features[200:], names[200:]) > 0.9
    np.testing.assert_allclose(learnt.predict_proba(features).sum(axis=1), 1, rtol=1e-5)


def test_the_projection_is_that_of_scikit_learn_half_whitened():
    features, labels = samples()
    network = MlpClassifier(**{**SMALL, "epochs": 1}).fit(features, labels).network_
    scaled = StandardScaler().fit_transform(features)
    components = PCA(6).fit_transform(scaled)
    expected = components / np.sqrt(components.std(axis=0, ddof=1))
    found = network.projection(torch.from_numpy(features)).numpy()
    np.testing.assert_allclose(np.abs(found), np.abs(expected), atol=1e-3)


def test_a_distribution_of_one_label_is_that_label_and_others_are_learnt_as_they_are():
    features, labels = samples()
    hard = MlpClassifier(**SMALL).fit(features, labels)
    one_hot = MlpClassifier(**SMALL).fit(features, np.eye(3)[labels])
    np.testing.assert_array_equal(hard.predict_proba(features), one_hot.predict_proba(features))
    soft = MlpClassifier(**SMALL).fit(features, 0.4 * np.eye(3)[labels] + 0.2)
    assert soft.predict_proba(features).max(axis=1).mean() == pytest.approx(0.6, abs=0.1)
    assert hard.predict_proba(features).max(axis=1).mean() > 0.9


def test_the_seed_decides_and_what_is_random_elsewhere_goes_on_as_if_nothing_had_been():
    features, labels = samples()
    torch.manual_seed(5)
    expected = torch.rand(1)
    torch.manual_seed(5)
    first, again, other = (MlpClassifier(**SMALL, random_state=seed).fit(features, labels) for seed in (0, 0, 1))
    assert torch.rand(1) == expected
    np.testing.assert_array_equal(first.predict_proba(features), again.predict_proba(features))
    assert not np.array_equal(first.predict_proba(features), other.predict_proba(features))


def test_outliers_are_left_out_and_counted_where_that_is_asked_for():
    features, labels = samples()
    features[:3] += 1000 * features.std(axis=0)
    for outliers, expected in ((None, 0), (6.0, 3)):
        assert MlpClassifier(**SMALL, outliers=outliers).fit(features, labels).outliers_ == expected


def test_samples_of_no_weight_and_the_weights_of_labels_count():
    features, labels = samples()
    weights = np.where(labels == 0, 0, 1)
    assert 0 not in MlpClassifier(**SMALL).fit(features, labels, weights).predict(features)
    random = np.random.default_rng(1)
    noise, rare = random.normal(0, 1, (400, 20)).astype(np.float32), (random.random(400) < 0.1).astype(int)
    shares = [
        MlpClassifier(**SMALL, weighted=weighted).fit(noise, rare).predict_proba(noise)[:, 1].mean()
        for weighted in (False, True)
    ]
    assert shares[0] < 0.25 < shares[1]


def test_it_is_an_estimator_as_scikit_learn_knows_them():
    assert clone(MlpClassifier(widths=(3,))).get_params()["widths"] == (3,)
    with pytest.raises(NotFittedError):
        MlpClassifier().predict(samples()[0])
    with pytest.raises(ValueError, match="n_components"):
        MlpClassifier().fit(*samples(30))
