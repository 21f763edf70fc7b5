"""Whether predictions have shifted, told with an eye to chance."""

from typing import Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra import numpy as arrays

import emolens
from emolens.card import ModelCard
from emolens.feedback.answer import Answer
from emolens.feedback.drift import Reference, Verdict, drift, jensen_shannon
from feedback_answers import make_answer

LABELS = ("happy", "sad", "neutral")
REFERENCE = Reference("the test split", LABELS, np.array([600.0, 300, 100]), (0.5,), np.array([100.0, 900]))

SHARES = arrays.arrays(np.float64, 5, elements=st.floats(0, 1)).filter(lambda shares: shares.sum() > 0.01)


def answers(happy: int, sad: int, neutral: int) -> list[Answer]:
    counts = {"happy": happy, "sad": sad, "neutral": neutral}
    return [make_answer(label) for label, count in counts.items() for _ in range(count)]


@pytest.mark.parametrize(
    ("counts", "verdict"),
    [
        ((0, 0, 0), "too few"),
        ((0, 0, 29), "too few"),
        ((58, 32, 10), "as evaluated"),
        ((20, 7, 3), "as evaluated"),
        ((430, 430, 140), "somewhat different"),
        ((2, 8, 40), "clearly different"),
    ],
)
def test_a_shift_is_told_in_words(counts: tuple[int, int, int], verdict: Verdict) -> None:
    told = drift(answers(*counts), REFERENCE)
    assert (told.emotions.verdict, told.answers, told.source) == (verdict, sum(counts), "the test split")
    assert told.emotions.expected.tolist() == [0.6, 0.3, 0.1]


def test_confidence_is_compared_by_the_classes_that_are_known() -> None:
    low = [make_answer(probabilities={"happy": 0.4, "sad": 0.3, "neutral": 0.3}) for _ in range(4)]
    told = drift([*answers(36, 0, 0), *low], REFERENCE).confidence
    assert told is not None
    assert (told.names, told.found.tolist()) == (("under 50%", "50% and over"), [0.1, 0.9])
    assert (told.divergence, told.verdict) == (0, "as evaluated")


def test_chance_alone_is_rarely_taken_for_a_shift() -> None:
    random = np.random.default_rng(0)
    over = []
    for _ in range(300):
        told = drift(answers(*random.multinomial(60, (0.6, 0.3, 0.1))), REFERENCE).emotions
        over.append(told.divergence > told.chance)
    assert 0.01 < np.mean(over) < 0.1


def test_a_label_that_the_evaluation_did_not_know_is_a_shift() -> None:
    told = drift([make_answer("awe")] * 40, REFERENCE).emotions
    assert (told.names[-1], told.found[-1], told.verdict) == ("awe", 1.0, "clearly different")
    assert told.divergence == pytest.approx(1)


@given(SHARES, SHARES)
def test_the_divergence_is_a_measure(first: Any, second: Any) -> None:
    first, second = first / first.sum(), second / second.sum()
    assert 0 <= jensen_shannon(first, second) <= 1
    assert jensen_shannon(first, second) == pytest.approx(jensen_shannon(second, first))
    assert jensen_shannon(first, first) == 0


def test_the_card_of_the_embedded_model_is_a_reference() -> None:
    card = emolens.load("face").model.card
    told = Reference.of_card(card)
    assert told is not None
    assert card.abstention is not None
    assert told.labels == card.labels
    assert told.predicted.sum() == 2783
    assert told.edges == (card.abstention.threshold,)


@pytest.mark.parametrize("confusion", [None, "x", [[1, 2]], [[1, 2], [3, "x"]], [[1, 2], [3, -1]], [[0, 0], [0, 0]]])
def test_a_card_without_a_confusion_matrix_is_none(confusion: object) -> None:
    fields = {"name": "a", "version": "1", "kind": "face", "labels": ("happy", "sad"), "objective": "distribution"}
    box = {"height": 8, "width": 8, "channels": 1}
    card = ModelCard.model_validate({**fields, "input": box, "metrics": {"test": {"confusion": confusion}, "more": 1}})
    assert Reference.of_card(card) is None


def test_an_evaluations_answers_tell_confidence_in_tenths() -> None:
    rows = np.array([[0.95, 0.03, 0.02], [0.2, 0.45, 0.35], [1, 0, 0]], np.float32)
    told = Reference.of_probabilities("test", LABELS, rows)
    assert told.predicted.tolist() == [2, 1, 0]
    assert told.confidence is not None
    assert told.confidence.tolist() == [0, 0, 0, 0, 1, 0, 0, 0, 0, 2]
