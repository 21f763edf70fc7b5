"""What a classifier learns from: the parts of a dataset, as batches of crops."""

import logging
import os
import sys
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor
from torch.utils.data import DataLoader
from torch.utils.data import Dataset as TorchDataset

from emolens.cores import usable_cores
from emolens.data.balance import sampling_weights
from emolens.data.crops import cut_crop, cut_crops
from emolens.data.samples import Dataset
from emolens.training import processes
from emolens.training.optimisation import Optimisation
from emolens.training.order import Draw, Order
from emolens.training.recipe import ClassifierRecipe

logger = logging.getLogger(__name__)

Batch = tuple[Tensor, Tensor, Tensor]
"""Crops `(N, C, H, W)` uint8, targets `(N, L)`, weights `(N,)`."""

# Crops that fit are cut once; more than this are cut anew in every epoch, by the loader's workers.
_IN_MEMORY = 2 << 30
_MOST_WORKERS = 8

# Enough to see what range a network's activations have, and not much of a file.
_EXAMPLES, _EXAMPLES_SIZE = 512, 16 << 20


class CropDataset(TorchDataset[Batch]):
    """Crops with targets and weights, by their index or as a `Draw` says.

    Attributes:
        dataset: the samples whose images can be read; what cannot is noted there. Only a dataset too large for memory
            is not looked through beforehand.
        crops: `(N, H, W, C)` uint8, or None where they do not fit into memory.
        transform: changes each crop that is drawn.
    """

    def __init__(self, dataset: Dataset, recipe: ClassifierRecipe) -> None:
        (height, width), channels = recipe.size, recipe.input.channels
        self.size, self.crop = recipe.input, recipe.crop
        self.dataset, self.crops = dataset, None
        if len(dataset) * height * width * channels <= _IN_MEMORY:
            self.crops, unreadable = cut_crops(dataset.samples, self.size, self.crop)
            self.dataset = dataset.without("unreadable_image", unreadable)
        self.targets = torch.from_numpy(self.dataset.targets)
        self.weights = torch.tensor([sample.weight for sample in self.dataset.samples], dtype=torch.float32)
        self.transform = recipe.augmentation.build(height, width)

    def __len__(self) -> int:
        return len(self.dataset)

    def __getitem__(self, wanted: int | Draw) -> Batch:
        index = wanted.sample if isinstance(wanted, Draw) else wanted
        image = torch.tensor(self._cut(index)).permute(2, 0, 1)
        if isinstance(wanted, Draw):
            # Where there are no workers, the network's own random numbers go on as if nothing had been.
            with torch.random.fork_rng(devices=()):
                torch.default_generator.manual_seed(wanted.seed)
                image = self.transform(image)
        return image, self.targets[index], self.weights[index]

    def examples(self) -> NDArray[np.uint8]:
        """Some crops as they are, from all over the dataset, `(N, H, W, C)` uint8."""
        count = min(len(self), _EXAMPLES, max(1, _EXAMPLES_SIZE // self._cut(0).size))
        return np.stack([self._cut(index) for index in np.linspace(0, len(self) - 1, count, dtype=int)])

    def _cut(self, index: int) -> NDArray[np.uint8]:
        if self.crops is not None:
            kept: NDArray[np.uint8] = self.crops[index]
            return kept
        return cut_crop(self.dataset.samples[index], self.size, self.crop)


def training_loader(crops: CropDataset, recipe: ClassifierRecipe) -> DataLoader[Batch]:
    """Shuffled and augmented; drawn by the balance of the recipe."""
    weights = sampling_weights(crops.dataset.targets) if recipe.balance == "sampler" else None
    order = Order(len(crops), recipe.optimisation.batch_size, recipe.seed, weights)
    return DataLoader(crops, batch_sampler=order, **training_workers(recipe.optimisation))


def held_out_loader(crops: CropDataset, recipe: ClassifierRecipe, shared: bool = False) -> DataLoader[Batch]:
    """All samples in order, as they are; or the share of this process."""
    workers = 0 if crops.crops is not None else _workers(recipe.optimisation)
    share = range(processes.rank(), len(crops), processes.count()) if shared else None
    return DataLoader(crops, batch_size=recipe.optimisation.batch_size, sampler=share, num_workers=workers)


def training_workers(plan: Optimisation) -> dict[str, Any]:
    """How a loader of training batches employs its workers."""
    workers, on_cpu = _workers(plan), _is_on_cpu(plan)
    init = _give_way if on_cpu and hasattr(os, "nice") else None
    return {
        "num_workers": workers,
        "persistent_workers": workers > 0,
        "worker_init_fn": init,
        "pin_memory": not on_cpu,
    }


def _workers(plan: Optimisation) -> int:
    if _is_on_cpu(plan) and processes.count() > 1 and sys.version_info < (3, 12):
        # What is forked while a thread of gloo's enters the interpreter may stand still: python/cpython#112275 (late
        # releases of 3.11 have it mended, too).
        return 0
    return max(1, min(_MOST_WORKERS, usable_cores() // processes.count_here()))


def _is_on_cpu(plan: Optimisation) -> bool:
    return plan.device == "cpu" or not torch.accelerator.is_available()


def _give_way(_: int) -> None:
    # A worker that takes the processor from one of the network's threads holds them all up; so it takes their gaps.
    os.nice(19)
