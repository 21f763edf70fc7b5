"""Outliers of a label are those far from its median, measured by how far its samples usually are."""

import numpy as np

from emolens.classic.outliers import is_usual


def cloud(count: int, centre: float) -> np.ndarray:
    return np.random.default_rng(0).normal(centre, 1, (count, 5)).astype(np.float32)


def test_what_lies_far_from_its_own_label_is_an_outlier_and_a_wide_label_is_none():
    features = np.concatenate([cloud(100, 0), 10 * cloud(100, 3)])
    labels = np.repeat([0, 1], 100)
    features[7] = 30
    assert np.flatnonzero(~is_usual(features, labels, 3.5)[:100]).tolist() == [7]
    # Among those of the other label the same sample would be a usual one.
    labels[7] = 1
    assert is_usual(features, labels, 3.5)[7]


def test_outliers_do_not_hide_each_other():
    features = cloud(100, 0)
    features[:20] = 50
    assert not is_usual(features, np.zeros(100, int), 3.5)[:20].any()


def test_samples_that_are_all_alike_are_usual():
    assert is_usual(np.ones((4, 3), np.float32), np.zeros(4, int), 3.5).all()


def test_a_smaller_bound_leaves_more_out():
    counts = [(~is_usual(cloud(500, 0), np.zeros(500, int), most)).sum() for most in (1, 2, 8)]
    assert counts[0] > counts[1] > counts[2] == 0
