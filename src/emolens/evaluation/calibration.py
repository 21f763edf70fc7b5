"""Calibration: what turns logits into probabilities that mean what they say, fitted to held-out targets."""

import logging
from collections.abc import Callable
from typing import Any

import numpy as np
from numpy.typing import NDArray
from scipy.optimize import brentq, minimize, minimize_scalar
from scipy.special import expit, log_softmax, softmax
from sklearn.isotonic import IsotonicRegression

from emolens.card import Calibration, Method, ModelCard, Steps
from emolens.data.samples import have_single_top
from emolens.errors import DataError
from emolens.evaluation.metrics import compute_metrics, compute_multilabel_metrics
from emolens.probability import calibrated

logger = logging.getLogger(__name__)

Floats = NDArray[np.float64]

_TEMPERATURES = (0.05, 20.0)
_SCALES, _SHIFTS = (0.01, 100.0), (-100.0, 100.0)
# A step function of thousands of points says no more than one of this many.
_MOST_POINTS = 200
_FIGURES = ("nll", "brier", "ece", "adaptive_ece", "vote_ece")


def fit_temperature(logits: NDArray[np.float32], targets: NDArray[np.float32], several: bool = False) -> float:
    """The temperature (Guo et al., 2017) with the least cross-entropy against the targets, votes or labels.

    Args:
        logits: `(N, L)` of held-out samples.
        targets: `(N, L)`; rows sum to one.
        several: several labels may be present; rows are multi-hot, and the cross-entropy is that of each label.
    """
    exact, cost = logits.astype(np.float64), _cost(several)
    found = minimize_scalar(
        lambda log: cost(exact / np.exp(log), targets), bounds=np.log(_TEMPERATURES), method="bounded"
    )
    return float(np.exp(found.x))


def fit_consistent_temperature(logits: NDArray[np.float32], targets: NDArray[np.float32]) -> float:
    """The temperature by which the answers are on average as confident as they are true (Clarte et al., 2023).

    How true an answer is, is its share of the votes; of labels, whether it is right. The other labels do not count,
    unlike in `fit_temperature`, nor do samples without a single top label, in which no answer is the true one.

    Args:
        logits: `(N, L)` of held-out samples.
        targets: `(N, L)`; rows sum to one.

    Raises:
        DataError: no sample has a single top label.
    """
    decided = have_single_top(targets)
    if not decided.any():
        raise DataError("no sample has a single most frequent label; fit --method temperature, which needs none")
    exact = logits[decided].astype(np.float64)
    truth = np.take_along_axis(targets[decided], exact.argmax(axis=1)[:, None], axis=1).mean(dtype=np.float64)

    def excess(log: float) -> float:
        return float(softmax(exact / np.exp(log), axis=1).max(axis=1).mean() - truth)

    least, most = np.log(_TEMPERATURES)  # the higher, the less confident
    if excess(least) <= 0:
        return _TEMPERATURES[0]
    if excess(most) >= 0:
        return _TEMPERATURES[1]
    return float(np.exp(brentq(excess, least, most)))


def fit_vector(
    logits: NDArray[np.float32], targets: NDArray[np.float32], several: bool = False
) -> tuple[tuple[float, ...], tuple[float, ...]]:
    """Vector scaling (Guo et al., 2017): a factor and a shift per label; for several labels that is Platt's (1999).

    Args are those of `fit_temperature`.

    Returns:
        `scale` and `shift`, L each.
    """
    exact, cost = logits.astype(np.float64), _cost(several)
    normalise = expit if several else lambda scaled: softmax(scaled, axis=1)
    count = exact.shape[1]

    def loss(parameters: Floats) -> tuple[float, Floats]:
        scaled = exact * parameters[:count] + parameters[count:]
        slope = normalise(scaled) - targets
        gradient = np.concatenate([(slope * exact).sum(axis=0), slope.sum(axis=0)])
        return cost(scaled, targets) / len(exact), gradient / len(exact)

    start = np.concatenate([np.ones(count), np.zeros(count)])
    found = minimize(loss, start, jac=True, method="L-BFGS-B", bounds=[_SCALES] * count + [_SHIFTS] * count).x
    return _rounded(found[:count]), _rounded(found[count:])


def fit_isotonic(probabilities: NDArray[np.float32], targets: NDArray[np.float32]) -> tuple[Steps, ...]:
    """A rising function of the probability per label (Zadrozny and Elkan, 2002).

    Args:
        probabilities: `(N, L)`, not calibrated.
        targets: `(N, L)` in 0 to 1.
    """
    functions = []
    for column in range(probabilities.shape[1]):
        learner = IsotonicRegression(y_min=0, y_max=1, out_of_bounds="clip")
        learner.fit(probabilities[:, column].astype(np.float64), targets[:, column].astype(np.float64))
        points = len(learner.X_thresholds_)
        kept = np.unique(np.linspace(0, points - 1, min(points, _MOST_POINTS), dtype=int))
        functions.append(Steps(x=_rounded(learner.X_thresholds_[kept]), y=_rounded(learner.y_thresholds_[kept])))
    return tuple(functions)


def calibrate_card(
    card: ModelCard, logits: NDArray[np.float32], targets: NDArray[np.float32], method: Method, fitted_on: str
) -> ModelCard:
    """The card with a calibration fitted to held-out samples, and with what it was worth on them.

    The temperature of the least cross-entropy is fitted over the labels that some sample has. The figures are of the
    samples with a single top label.

    Args:
        card: of the model that gave the logits; its own calibration is replaced.
        logits: `(N, L)`.
        targets: `(N, L)` over the card's labels, as they are: votes or labels.
        method: see `emolens.card.Calibration`.
        fitted_on: the data, in words.

    Raises:
        DataError: no sample has one of the labels, and the method needs them all; all samples have the same one; or
            expectation consistency is asked of several labels at once, or of samples without a single top label.
    """
    several, known = card.objective == "multilabel", np.asarray(targets.any(axis=0))
    if not several and known.sum() < 2:
        raise DataError("every sample has the same label, from which no confidence can be learnt; take others, too")
    if several and method == "expectation-consistency":
        raise DataError("of several labels at once there is no one answer to be consistent; fit --method vector")
    if not known.all() and method in ("vector", "isotonic"):
        lacking = ", ".join(label for label, has in zip(card.labels, known, strict=True) if not has)
        raise DataError(
            f"{method} calibration needs samples of every label, and none is of {lacking}; fit a temperature"
        )
    plain = card.model_copy(update={"temperature": 1.0, "calibration": None})
    temperature = 1.0
    learnt: dict[str, Any] = {}
    match method:
        case "temperature":
            temperature = round(fit_temperature(logits[:, known], targets[:, known], several), 4)
        case "expectation-consistency":
            temperature = round(fit_consistent_temperature(logits, targets), 4)
        case "vector":
            learnt["scale"], learnt["shift"] = fit_vector(logits, targets, several)
        case "isotonic":
            learnt["steps"] = fit_isotonic(calibrated(logits, plain), targets)
    if not _TEMPERATURES[0] * 1.01 < temperature < _TEMPERATURES[1] / 1.01:
        logger.warning("the temperature stopped at its bound, %g; these samples say nothing of doubt", temperature)
    fitted = Calibration(method=method, fitted_on=fitted_on, samples=len(logits), **learnt)
    after = plain.model_copy(update={"temperature": temperature, "calibration": fitted})
    figures = {name: _figures(one, logits, targets) for name, one in (("before", card), ("after", after))}
    return after.model_copy(update={"calibration": fitted.model_copy(update=figures)})


def _figures(card: ModelCard, logits: NDArray[np.float32], targets: NDArray[np.float32]) -> dict[str, float]:
    probabilities = calibrated(logits, card)
    if card.objective == "multilabel":
        thresholds = [card.threshold_of(label) for label in card.labels]
        metrics = compute_multilabel_metrics(probabilities, targets, card.labels, thresholds)
    else:
        decided = have_single_top(targets)
        if not decided.any():
            return {}
        metrics = compute_metrics(probabilities[decided], targets[decided], card.labels)
    return {key: round(metrics[key], 6) for key in _FIGURES if key in metrics}


def _cost(several: bool) -> Callable[[Floats, NDArray[np.float32]], float]:
    def independent(scaled: Floats, targets: NDArray[np.float32]) -> float:
        return float((np.logaddexp(0, scaled) - targets * scaled).sum())

    def together(scaled: Floats, targets: NDArray[np.float32]) -> float:
        return float(-(targets * log_softmax(scaled, axis=1)).sum())

    return independent if several else together


def _rounded(values: Floats) -> tuple[float, ...]:
    return tuple(np.round(values, 6).tolist())
