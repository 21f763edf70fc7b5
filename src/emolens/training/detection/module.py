"""The training of the detector, as a Lightning module."""

from collections.abc import Sequence
from itertools import pairwise
from typing import Any

import numpy as np
import torch
from torch import Tensor
from torch.nn.utils.rnn import pad_sequence
from torch.utils.data import Dataset

from emolens.detect.fit import fit
from emolens.detect.own import decode
from emolens.networks.detector import FaceDetector
from emolens.networks.weights import load_all
from emolens.training.detection.augment import Scene, SceneMaker
from emolens.training.detection.loss import Targets, detection_loss
from emolens.training.detection.measure import Matches, match
from emolens.training.detection.recipe import DetectorRecipe
from emolens.training.module import NetworkModule
from emolens.training.order import Draw

Batch = tuple[Tensor, Targets]

# Of pixels in 0 to 1; zero after normalisation is mid-grey, as the convolutions' padding.
MEAN, STD = (0.5, 0.5, 0.5), (0.25, 0.25, 0.25)

_LOWEST_SCORE = 0.02


class SceneDataset(Dataset[Scene]):
    """Training crops, another one at every look."""

    def __init__(self, maker: SceneMaker) -> None:
        self.maker = maker

    def __len__(self) -> int:
        return len(self.maker.scenes)

    def __getitem__(self, draw: Draw) -> Scene:
        return self.maker.make(draw.sample, np.random.default_rng(draw.seed))


def collate(scenes: Sequence[Scene]) -> Batch:
    """Crops as `(B, H, W, 3)` uint8, with their targets padded."""

    def corners(boxes: Any) -> Tensor:
        return torch.from_numpy(np.concatenate([boxes[:, :2], boxes[:, :2] + boxes[:, 2:]], axis=1))

    def padded(parts: list[Tensor]) -> Tensor:
        # One row more, so that there is one where no crop has any.
        return pad_sequence([torch.cat([part, part.new_zeros(1, *part.shape[1:])]) for part in parts], batch_first=True)

    images = torch.from_numpy(np.stack([scene.pixels for scene in scenes]))
    boxes = padded([corners(scene.boxes) for scene in scenes])
    landmarks = padded([torch.from_numpy(scene.landmarks) for scene in scenes])
    return images, Targets(boxes, landmarks, padded([corners(scene.ignore) for scene in scenes]))


class DetectorModule(NetworkModule):
    """Trains the network; reports recall and average precision on whole photographs."""

    monitor, mode = "val_average_precision", "max"

    def __init__(self, recipe: DetectorRecipe) -> None:
        network = FaceDetector(**recipe.network.model_dump())
        if recipe.weights is not None:
            load_all(network, recipe.weights)
        super().__init__(network, MEAN, STD, recipe.optimisation)
        self.recipe = recipe
        self.matches: list[Matches] = []

    def forward(self, images: Tensor) -> tuple[Tensor, ...]:
        """`(N, H, W, 3)` uint8 to the three maps."""
        maps: tuple[Tensor, ...] = self.network(self.normalised(images.permute(0, 3, 1, 2)))
        return maps

    def training_step(self, batch: Batch) -> Tensor:
        images, targets = batch
        parts = detection_loss(self(images), targets, self.recipe.loss)
        self.log_dict({f"train_{name}": part for name, part in parts.items()}, on_epoch=True, batch_size=len(images))
        return torch.stack(list(parts.values())).sum()

    def validation_step(self, scene: Scene) -> None:
        self.matches.append(search(self, scene))

    def on_validation_epoch_end(self) -> None:
        figures = summary(Matches.joined(self.matches), self.recipe.false_boxes)
        self.matches.clear()
        losses = {key: float(value) for key, value in self.trainer.callback_metrics.items() if key.endswith("_epoch")}
        # Batch norm differs between processes, and they must agree on which epoch was the best.
        self.log_dict({f"val_{name}": value for name, value in figures.items()}, sync_dist=True)
        self.tell_epoch({**losses, **figures})


def search(module: DetectorModule, scene: Scene) -> Matches:
    """What the network finds in a whole photograph; faces too small to have been learnt count neither way."""
    fitted = fit(scene.pixels)
    maps = module(torch.from_numpy(fitted.pixels[None]).to(module.device))
    found = fitted.restore(decode([level[0].float().cpu().numpy() for level in maps], _LOWEST_SCORE))
    small = scene.boxes[:, 2] * scene.boxes[:, 3] < module.recipe.augmentation.smallest**2
    return match(found, scene.boxes[~small], np.concatenate([scene.ignore, scene.boxes[small]]))


def summary(matches: Matches, false_per_photo: float) -> dict[str, float]:
    """Figures at the score that lets so many false boxes through; `recall_8` is that of faces of 8 to 16 px."""
    threshold = matches.threshold_for(false_per_photo)
    sizes = pairwise((8, 16, 32, 96, np.inf))
    recalls = {f"recall_{low}": matches.recall(threshold, low, high) for low, high in sizes}
    return {
        "average_precision": matches.average_precision(),
        "threshold": threshold,
        "false_boxes": float(matches.false_boxes(threshold)),
        "recall": matches.recall(threshold),
        **recalls,
    }
