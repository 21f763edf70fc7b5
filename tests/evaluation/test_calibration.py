"""Calibration makes confidence mean what it says."""

from typing import Any

import numpy as np
import pytest
from numpy.typing import NDArray
from scipy.special import expit

from emolens.card import ModelCard
from emolens.errors import DataError
from emolens.evaluation.calibration import (
    calibrate_card,
    fit_consistent_temperature,
    fit_isotonic,
    fit_temperature,
    fit_vector,
)
from emolens.probability import softmax

LABELS = ("happy", "sad", "angry")


def card(objective: str = "distribution", **fields: Any) -> ModelCard:
    size = {"height": 8, "width": 8, "channels": 1}
    what = {"name": "m", "version": "1", "kind": "face", "labels": LABELS, "objective": objective, "input": size}
    return ModelCard.model_validate({**what, **fields})


def logits(rows: int = 4000) -> NDArray[np.float32]:
    return np.random.default_rng(0).normal(size=(rows, 3)).astype(np.float32)


def drawn(shares: NDArray[Any]) -> NDArray[np.float32]:
    """A hard label for each row, as likely as its share."""
    rng = np.random.default_rng(1)
    return np.eye(3, dtype=np.float32)[[rng.choice(3, p=row / row.sum()) for row in shares.astype(np.float64)]]


@pytest.mark.parametrize("temperature", [0.3, 1.0, 4.0])
def test_the_temperature_is_found_where_the_targets_are_the_true_distribution(temperature: float) -> None:
    assert fit_temperature(logits(), softmax(logits() / temperature)) == pytest.approx(temperature, rel=1e-3)
    independent = expit(logits() / temperature)
    assert fit_temperature(logits(), independent, several=True) == pytest.approx(temperature, rel=1e-3)


def test_hard_labels_of_an_overconfident_model_give_a_temperature_over_one() -> None:
    assert fit_temperature(3 * logits(), drawn(softmax(logits()))) == pytest.approx(3, rel=0.15)


@pytest.mark.parametrize("several", [False, True])
def test_vector_scaling_is_found_where_the_targets_are_the_true_distribution(several: bool) -> None:
    moved = logits() * np.float32([0.5, 2, 1]) + np.float32([0, 0.5, -1])
    scale, shift = fit_vector(logits(), expit(moved) if several else softmax(moved), several)
    np.testing.assert_allclose(scale, [0.5, 2, 1], atol=0.01)
    # Only differences of shifts count before a softmax.
    np.testing.assert_allclose(np.diff(shift), [0.5, -1.5], atol=0.01)


def test_isotonic_functions_rise_and_follow_the_shares() -> None:
    probabilities = np.random.default_rng(0).uniform(size=(5000, 3)).astype(np.float32)
    for function in fit_isotonic(probabilities, probabilities**2):
        assert len(function.x) <= 200
        np.testing.assert_allclose(np.interp([0.1, 0.5, 0.9], function.x, function.y), [0.01, 0.25, 0.81], atol=0.02)


@pytest.mark.parametrize("temperature", [0.3, 1.0, 4.0])
def test_the_consistent_temperature_makes_confidence_the_mean_share_of_the_answer(temperature: float) -> None:
    assert fit_consistent_temperature(logits(), softmax(logits() / temperature)) == pytest.approx(temperature, rel=1e-3)
    hard = drawn(softmax(logits()))
    found = fit_consistent_temperature(3 * logits(), hard)
    right = hard.argmax(axis=1) == logits().argmax(axis=1)
    assert softmax(3 * logits() / np.float32(found)).max(axis=1).mean() == pytest.approx(right.mean(), abs=1e-3)


def test_ties_do_not_count_for_the_consistent_temperature() -> None:
    votes = softmax(logits())
    ties = np.tile(np.float32([0.5, 0.5, 0]), (1000, 1))
    both = fit_consistent_temperature(np.concatenate([logits(), 9 * logits(1000)]), np.concatenate([votes, ties]))
    assert both == pytest.approx(fit_consistent_temperature(logits(), votes))
    with pytest.raises(DataError, match="no sample has a single most frequent label"):
        fit_consistent_temperature(logits(1000), ties)


def test_an_answer_that_no_sample_has_is_simply_wrong_for_the_consistent_temperature() -> None:
    hard = drawn(softmax(logits()) * [1, 1, 0])
    fitted = calibrate_card(card(), 3 * logits(), hard, "expectation-consistency", "rows")
    right = (hard.argmax(axis=1) == logits().argmax(axis=1)).mean()
    assert softmax(3 * logits() / np.float32(fitted.temperature)).max(axis=1).mean() == pytest.approx(right, abs=1e-3)


def test_an_answer_that_is_always_right_or_never_stops_the_consistent_temperature_at_its_bounds() -> None:
    right = np.eye(3, dtype=np.float32)[logits(50).argmax(axis=1)]
    assert fit_consistent_temperature(logits(50), right) == 0.05
    assert fit_consistent_temperature(logits(50), np.roll(right, 1, axis=1)) == 20.0


@pytest.mark.parametrize("method", ["temperature", "expectation-consistency", "vector", "isotonic"])
def test_every_method_mends_an_overconfident_model_and_says_by_how_much(method: Any) -> None:
    votes = 0.9 * softmax(logits()) + 0.1 * drawn(softmax(logits()))
    fitted = calibrate_card(card(temperature=0.5), 2 * logits(), votes, method, "some rows").calibration
    assert fitted is not None
    assert (fitted.method, fitted.fitted_on, fitted.samples) == (method, "some rows", 4000)
    assert set(fitted.before) == set(fitted.after) == {"nll", "brier", "ece", "adaptive_ece", "vote_ece"}
    assert fitted.after["vote_ece"] < 0.03 < 0.1 < fitted.before["vote_ece"]
    assert fitted.after["nll"] < fitted.before["nll"]


def test_a_former_calibration_is_replaced_and_compared_with() -> None:
    votes = softmax(logits())
    once = calibrate_card(card(), 3 * logits(), votes, "vector", "rows")
    again = calibrate_card(once, 3 * logits(), votes, "temperature", "rows")
    assert again.temperature == pytest.approx(3, rel=1e-2)
    assert again.calibration is not None
    assert once.calibration is not None
    assert again.calibration.before == once.calibration.after
    assert again.calibration.scale == ()


def test_a_label_that_no_sample_has_does_not_count_against_the_temperature() -> None:
    hard = drawn(softmax(logits()[:, :2] @ np.eye(2, 3)) * [1, 1, 0])
    seen = fit_temperature(logits()[:, :2], hard[:, :2])
    assert calibrate_card(card(), logits(), hard, "temperature", "rows").temperature == pytest.approx(seen, abs=1e-3)
    with pytest.raises(DataError, match="none is of angry; fit a temperature"):
        calibrate_card(card(), logits(), hard, "vector", "rows")


def test_independent_labels_are_calibrated_each() -> None:
    present = (np.random.default_rng(2).uniform(size=(4000, 3)) < expit(logits())).astype(np.float32)
    fitted = calibrate_card(card("multilabel"), 3 * logits(), present, "vector", "rows").calibration
    assert fitted is not None
    assert set(fitted.after) == {"nll"}
    np.testing.assert_allclose(fitted.scale, [1 / 3] * 3, atol=0.05)


def test_several_labels_at_once_have_no_one_answer_to_be_consistent() -> None:
    with pytest.raises(DataError, match="no one answer"):
        calibrate_card(card("multilabel"), logits(), (logits() > 0).astype(np.float32), "expectation-consistency", "x")


def test_certainty_of_a_label_that_no_sample_has_is_measured_and_no_fault() -> None:
    sure = logits(40)
    sure[0] = [0, 0, 200]
    hard = np.eye(3, dtype=np.float32)[np.arange(40) % 2]
    fitted = calibrate_card(card(), sure, hard, "temperature", "rows").calibration
    assert fitted is not None
    assert fitted.before["nll"] > 0.8


def test_samples_of_one_label_teach_no_confidence() -> None:
    with pytest.raises(DataError, match="every sample has the same label"):
        calibrate_card(card(), logits(20), np.tile(np.float32([1, 0, 0]), (20, 1)), "temperature", "rows")


def test_a_temperature_that_stops_at_its_bound_is_told(caplog: pytest.LogCaptureFixture) -> None:
    hard = np.eye(3, dtype=np.float32)[logits(50).argmax(axis=1)]
    assert calibrate_card(card(), logits(50), hard, "temperature", "rows").temperature == pytest.approx(0.05, rel=0.01)
    assert "stopped at its bound" in caplog.text
