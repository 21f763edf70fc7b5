"""The order in which a training looks at its samples: a function of its seed, so that it can be taken up anywhere."""

from collections.abc import Callable, Iterator
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray
from torch.utils.data import Sampler

from emolens.training import processes


class Draw(NamedTuple):
    """A look at a sample, by its index, with the seed of all that is random about how it is shown."""

    sample: int
    seed: int


class Order(Sampler[list[Draw]]):
    """The batches of this process, shuffled anew in every epoch; what remains of an epoch is left out.

    Several processes share out what would be one batch of one process, so that they train as that one would.

    Args:
        samples: how many there are.
        batch_size: of this process, at most.
        seed: of everything.
        weights: `(samples,)`, how likely each one is drawn, with replacement; None takes each once.

    Attributes:
        batches_done: how many batches of the training, in all epochs, have been learnt from; batches go on from there.
    """

    def __init__(self, samples: int, batch_size: int, seed: int, weights: NDArray[np.float64] | None = None) -> None:
        self.samples, self.seed = samples, seed
        self.likely = None if weights is None else weights / weights.sum()
        self.together = min(batch_size * processes.count(), samples)
        self.batches_done: Callable[[], int] = lambda: 0

    def __len__(self) -> int:
        return self.samples // self.together

    def __iter__(self) -> Iterator[list[Draw]]:
        epoch, first = divmod(self.batches_done(), len(self))
        random = np.random.default_rng((self.seed, epoch))
        order = random.choice(self.samples, self.samples, replace=self.likely is not None, p=self.likely)
        seeds = random.integers(2**63, size=self.samples)
        for batch in range(first, len(self)):
            places = slice(batch * self.together + processes.rank(), (batch + 1) * self.together, processes.count())
            yield [Draw(*draw) for draw in zip(order[places].tolist(), seeds[places].tolist(), strict=True)]
