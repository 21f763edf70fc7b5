"""Logits become probabilities as the card says."""

from typing import Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra import numpy as arrays

from emolens.card import ModelCard
from emolens.probability import calibrated, logit, sigmoid, softmax

FITTED = {"fitted_on": "rows", "samples": 10}
LOGITS = arrays.arrays(np.float32, (4, 3), elements=st.floats(-1e4, 1e4, width=32))


def card(calibration: dict[str, Any] | None, objective: str = "distribution") -> ModelCard:
    return ModelCard.model_validate(
        {
            "name": "m",
            "version": "1",
            "kind": "face",
            "labels": ("a", "b", "c"),
            "objective": objective,
            "input": {"height": 8, "width": 8, "channels": 1},
            "calibration": None if calibration is None else FITTED | calibration,
        }
    )


STEP = {"x": (0.2, 0.8), "y": (0.0, 1.0)}
VECTOR = {"method": "vector", "scale": (2, 1, 0.5), "shift": (0, 1, -1)}
ISOTONIC = {"method": "isotonic", "steps": (STEP, STEP, STEP)}


def test_vector_scaling_multiplies_and_shifts_each_label() -> None:
    logits = np.array([[1, 2, 3]], np.float32)
    np.testing.assert_allclose(calibrated(logits, card(VECTOR)), softmax(np.array([[2, 3, 0.5]])), rtol=1e-5)


def test_isotonic_functions_are_linear_between_points_and_constant_outside() -> None:
    logits = np.log(np.array([[0.1, 0.4, 0.5]], np.float32))
    moved = np.array([0, 1 / 3, 1 / 2])
    np.testing.assert_allclose(calibrated(logits, card(ISOTONIC))[0], moved / moved.sum(), atol=1e-6)


def test_independent_labels_are_not_divided_by_their_sum() -> None:
    logits = np.array([[-50, 0, 50]], np.float32)
    np.testing.assert_allclose(calibrated(logits, card(ISOTONIC, "multilabel"))[0], [0, 0.5, 1], atol=1e-6)


def test_where_every_label_is_ruled_out_the_own_answer_stands() -> None:
    never = {"x": (0.0, 1.0), "y": (0.0, 0.0)}
    logits = np.array([[1, 2, 3]], np.float32)
    given_ = calibrated(logits, card({"method": "isotonic", "steps": (never, never, never)}))
    np.testing.assert_allclose(given_, softmax(logits), rtol=1e-6)


@pytest.mark.parametrize("calibration", [None, VECTOR, ISOTONIC])
@given(logits=LOGITS)
def test_rows_stay_distributions(calibration, logits) -> None:
    probabilities = calibrated(logits, card(calibration))
    assert (probabilities >= 0).all()
    np.testing.assert_allclose(probabilities.sum(axis=1), 1, atol=1e-5)


@pytest.mark.parametrize(
    ("calibration", "message"),
    [
        ({"method": "vector", "scale": (1, 1), "shift": (0, 0, 0)}, "wants 3 in scale"),
        ({"method": "temperature", "scale": (1, 1, 1)}, "wants 0 in scale"),
        ({"method": "isotonic", "steps": (STEP, STEP)}, "wants 3 in steps"),
        ({"method": "isotonic", "steps": ({"x": (0.8, 0.2), "y": (0, 1)},) * 3}, "must not fall"),
        ({"method": "isotonic", "steps": ({"x": (0.2,), "y": (0, 1)},) * 3}, "differ in length"),
        ({"method": "vector", "scale": (1e9, 1, 1), "shift": (0, 0, 0)}, "less than or equal to 1000"),
    ],
)
def test_a_calibration_that_does_not_fit_the_labels_is_refused(calibration, message) -> None:
    with pytest.raises(ValueError, match=message):
        card(calibration)


@given(st.floats(0.001, 0.999))
def test_a_logit_is_what_the_sigmoid_makes_a_probability_of(probability: float) -> None:
    assert sigmoid(np.array([logit(probability)], np.float32))[0] == pytest.approx(probability, abs=1e-6)


def test_what_is_certain_has_an_infinite_logit() -> None:
    assert (logit(0), logit(1)) == (-np.inf, np.inf)
