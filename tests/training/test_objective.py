"""Objectives: what they make small, and how samples and labels weigh in them."""

import pytest
import torch
from torch.nn import functional

from emolens.training.objective import Distribution, Multilabel

LOGITS = torch.tensor([[2.0, 0.5, -1.0], [0.1, 0.2, 0.3]])
ONE_HOT = torch.tensor([[1.0, 0, 0], [0, 0, 1.0]])
MULTI_HOT = torch.tensor([[1.0, 1, 0], [0, 0, 0]])
EQUAL = torch.ones(2)


def test_one_hot_targets_give_the_usual_cross_entropy() -> None:
    expected = functional.cross_entropy(LOGITS, torch.tensor([0, 2]))
    torch.testing.assert_close(Distribution().measure(LOGITS, ONE_HOT, EQUAL), expected)


def test_it_is_least_where_the_prediction_equals_the_votes() -> None:
    votes = torch.softmax(LOGITS, dim=1)
    at_votes = Distribution().measure(LOGITS, votes, EQUAL)
    assert at_votes < Distribution().measure(LOGITS + torch.tensor([0.3, 0, 0]), votes, EQUAL)
    entropy = -(votes * votes.log()).sum(dim=1).mean()
    torch.testing.assert_close(at_votes, entropy)


def test_smoothing_and_weights_of_labels_are_those_of_torch() -> None:
    weights, classes = torch.tensor([1.0, 2.0, 5.0]), torch.tensor([0, 2])
    smoothed = functional.cross_entropy(LOGITS, classes, label_smoothing=0.1)
    torch.testing.assert_close(Distribution(smoothing=0.1).measure(LOGITS, ONE_HOT, EQUAL), smoothed)
    weighted = functional.cross_entropy(LOGITS, classes, weight=weights)
    torch.testing.assert_close(Distribution().measure(LOGITS, ONE_HOT, EQUAL, weights), weighted)


@pytest.mark.parametrize("objective", [Distribution(), Multilabel(), Multilabel(loss="focal")])
def test_a_sample_without_weight_does_not_count(objective: Distribution | Multilabel) -> None:
    only_first = objective.measure(LOGITS, ONE_HOT, torch.tensor([1.0, 0.0]))
    torch.testing.assert_close(only_first, objective.measure(LOGITS[:1], ONE_HOT[:1], torch.ones(1)))


def test_several_labels_give_the_usual_binary_cross_entropy() -> None:
    expected = functional.binary_cross_entropy_with_logits(LOGITS, MULTI_HOT)
    torch.testing.assert_close(Multilabel().measure(LOGITS, MULTI_HOT, EQUAL), expected)


def test_presence_can_weigh_more_than_absence() -> None:
    weights = torch.tensor([1.0, 4.0, 9.0])
    expected = functional.binary_cross_entropy_with_logits(LOGITS, MULTI_HOT, pos_weight=weights)
    weighted = Multilabel(loss="weighted_bce").measure(LOGITS, MULTI_HOT, EQUAL, weights)
    torch.testing.assert_close(weighted, expected)


def test_focal_loss_counts_easy_answers_less_and_without_gamma_it_is_plain() -> None:
    sure = torch.tensor([[6.0, 6.0, -6.0]])
    targets = MULTI_HOT[:1]
    assert Multilabel(loss="focal").measure(sure, targets, EQUAL[:1]) < 0.01 * Multilabel().measure(
        sure, targets, EQUAL[:1]
    )
    torch.testing.assert_close(
        Multilabel(loss="focal", gamma=0).measure(LOGITS, MULTI_HOT, EQUAL),
        Multilabel().measure(LOGITS, MULTI_HOT, EQUAL),
    )
