"""Balance: what is done about labels that are rare, before or while a network learns them."""

from dataclasses import replace
from typing import Literal

import numpy as np
from numpy.typing import NDArray

from emolens.data.samples import Dataset
from emolens.errors import DataError

Balance = Literal["none", "down", "over", "sampler", "class_weights"]
"""How labels are balanced.

`down` draws from every label as many samples as the rarest has, `over` repeats samples up to the most frequent one's
count, `sampler` draws every epoch anew with the probability that `sampling_weights` gives, `class_weights` leaves the
samples alone and weighs the loss.
"""


def resampled(dataset: Dataset, balance: Balance, seed: int) -> Dataset:
    """The dataset with as many samples of every label, for `down` and `over`; else as it is.

    A sample belongs to its target's top label. Labels without a sample stay without one.

    Raises:
        DataError: samples of a multi-label dataset belong to no single label.
    """
    if balance not in ("down", "over"):
        return dataset
    if dataset.objective == "multilabel":
        raise DataError(f"balance: {balance} needs one label per sample; for several take sampler or class_weights")
    tops = dataset.targets.argmax(axis=1)
    members = [np.flatnonzero(tops == label) for label in np.unique(tops)]
    counts = [len(group) for group in members]
    random = np.random.default_rng(seed)
    if balance == "down":
        drawn = [random.choice(group, min(counts), replace=False) for group in members]
    else:
        drawn = [np.concatenate([group, random.choice(group, max(counts) - len(group))]) for group in members]
    indices = np.sort(np.concatenate(drawn))
    return replace(dataset, samples=tuple(dataset.samples[index] for index in indices.tolist()))


def sampling_weights(targets: NDArray[np.float32]) -> NDArray[np.float64]:
    """How likely each sample is drawn, `(N,)`: the mean inverse frequency of its labels, weighted by its target.

    Samples without any label count as a label of their own.

    Args:
        targets: `(N, L)`: one-hot, distributions or multi-hot.
    """
    with_nothing = np.concatenate([targets, ~targets.any(axis=1, keepdims=True)], axis=1).astype(np.float64)
    inverse = np.divide(
        1, with_nothing.sum(axis=0), out=np.zeros(with_nothing.shape[1]), where=with_nothing.any(axis=0)
    )
    weights: NDArray[np.float64] = with_nothing @ inverse / with_nothing.sum(axis=1)
    return weights


def class_weights(targets: NDArray[np.float32]) -> NDArray[np.float32]:
    """How much each label counts in a loss over one softmax, `(L,)`: its inverse frequency.

    One on average over samples. A label without a sample gets one.
    """
    frequency = targets.mean(axis=0)
    present = frequency > 0
    weights = np.ones(len(frequency), dtype=np.float32)
    weights[present] = 1 / (frequency[present] * present.sum())
    return weights


def presence_weights(targets: NDArray[np.float32]) -> NDArray[np.float32]:
    """How much more a label's presence counts than its absence, `(L,)`: absent over present samples, at least one."""
    present = targets.sum(axis=0)
    weights: NDArray[np.float32] = ((len(targets) - present) / np.maximum(present, 1)).astype(np.float32)
    return weights
