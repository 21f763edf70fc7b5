"""The objective: cross-entropy against a distribution."""

import torch
from torch.nn import functional

from emolens.training.objective import distribution_loss

LOGITS = torch.tensor([[2.0, 0.5, -1.0], [0.1, 0.2, 0.3]])


def test_one_hot_targets_give_the_usual_cross_entropy() -> None:
    targets = torch.tensor([[1.0, 0, 0], [0, 0, 1.0]])
    expected = functional.cross_entropy(LOGITS, torch.tensor([0, 2]))
    torch.testing.assert_close(distribution_loss(LOGITS, targets, torch.ones(2)), expected)


def test_it_is_least_where_the_prediction_equals_the_votes() -> None:
    votes = torch.softmax(LOGITS, dim=1)
    at_votes = distribution_loss(LOGITS, votes, torch.ones(2))
    assert at_votes < distribution_loss(LOGITS + torch.tensor([0.3, 0, 0]), votes, torch.ones(2))
    entropy = -(votes * votes.log()).sum(dim=1).mean()
    torch.testing.assert_close(at_votes, entropy)


def test_a_sample_without_weight_does_not_count() -> None:
    targets = torch.tensor([[1.0, 0, 0], [0, 0, 1.0]])
    only_first = distribution_loss(LOGITS, targets, torch.tensor([1.0, 0.0]))
    torch.testing.assert_close(only_first, distribution_loss(LOGITS[:1], targets[:1], torch.ones(1)))
