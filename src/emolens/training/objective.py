"""Objectives: what a network is trained to make small."""

from torch import Tensor
from torch.nn import functional


def distribution_loss(logits: Tensor, targets: Tensor, weights: Tensor) -> Tensor:
    """Cross-entropy against a distribution, which is KL(target || prediction) and a constant.

    Args:
        logits: `(N, L)`.
        targets: `(N, L)`, rows sum to one; one-hot rows give the usual cross-entropy.
        weights: `(N,)`, how much each sample counts.
    """
    per_sample = -(targets * functional.log_softmax(logits.float(), dim=1)).sum(dim=1)
    return (per_sample * weights).sum() / weights.sum()
