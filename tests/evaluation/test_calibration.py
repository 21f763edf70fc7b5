"""The temperature makes confidence mean what it says."""

import numpy as np
import pytest

from emolens.evaluation.calibration import fit_temperature
from emolens.probability import softmax


@pytest.mark.parametrize("temperature", [0.3, 1.0, 4.0])
def test_it_is_found_where_the_targets_are_the_true_distribution(temperature: float) -> None:
    logits = np.random.default_rng(0).normal(size=(500, 5)).astype(np.float32)
    assert fit_temperature(logits, softmax(logits / temperature)) == pytest.approx(temperature, rel=1e-3)


def test_hard_labels_of_an_overconfident_model_give_a_temperature_over_one() -> None:
    rng = np.random.default_rng(0)
    logits = rng.normal(size=(4000, 3)).astype(np.float32)
    labels = np.array([rng.choice(3, p=row) for row in softmax(logits.astype(np.float64))])
    assert fit_temperature(3 * logits, np.eye(3, dtype=np.float32)[labels]) == pytest.approx(3, rel=0.15)
