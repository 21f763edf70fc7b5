"""Which cells answer for which face, and how wrong they are."""

from dataclasses import dataclass
from typing import NamedTuple

import torch
import torch.nn.functional as F
from torch import Tensor
from torchvision.ops import complete_box_iou_loss

from emolens.detect.own import STRIDES
from emolens.training.detection.recipe import DetectionLoss

# A face is answered for by cells whose centre is this near to its own, in strides: always, and at most.
_NEAR, _FAR = 0.75, 2.5
_SCORE_POWER, _OVERLAP_POWER = 0.5, 6.0
_EPSILON = 1e-9


class Targets(NamedTuple):
    """What is known of a batch of crops, padded with zeros to the most of any crop.

    Attributes:
        boxes: `(B, G, 4)`, `x0, y0, x1, y1`; a face of no area is padding.
        landmarks: `(B, G, 5, 2)`.
        ignore: `(B, I, 4)`, as `boxes`.
    """

    boxes: Tensor
    landmarks: Tensor
    ignore: Tensor


@dataclass(frozen=True)
class Cells:
    """Every cell of the three maps: `centres` `(A, 2)` in pixels, `strides` `(A,)`."""

    centres: Tensor
    strides: Tensor

    @classmethod
    def of(cls, maps: tuple[Tensor, ...]) -> "Cells":
        centres, strides = [], []
        for level, stride in zip(maps, STRIDES, strict=True):
            high, wide = level.shape[2:]
            y, x = torch.meshgrid(torch.arange(high), torch.arange(wide), indexing="ij")
            centres.append((torch.stack([x, y], dim=2).reshape(-1, 2) + 0.5) * stride)
            strides.append(torch.full((high * wide,), float(stride)))
        return cls(torch.cat(centres), torch.cat(strides))


@dataclass(frozen=True)
class Answers:
    """The maps as one list of cells: `logits` `(B, A)`, `boxes` `(B, A, 4)` corners, `landmarks` `(B, A, 5, 2)`."""

    logits: Tensor
    boxes: Tensor
    landmarks: Tensor

    @classmethod
    def of(cls, maps: tuple[Tensor, ...], cells: Cells) -> "Answers":
        raw = torch.cat([level.float().flatten(2) for level in maps], dim=2).transpose(1, 2)
        strides = cells.strides[:, None]
        centre = cells.centres + raw[..., 1:3] * strides
        half = raw[..., 3:5].clamp(max=6).exp() * strides / 2
        landmarks = raw[..., 5:].reshape(*raw.shape[:2], 5, 2) * strides[..., None] + cells.centres[:, None]
        return cls(raw[..., 0], torch.cat([centre - half, centre + half], dim=2), landmarks)


def detection_loss(maps: tuple[Tensor, ...], targets: Targets, weights: DetectionLoss) -> dict[str, Tensor]:
    """The parts of the loss, weighted: `score`, `box`, `landmarks`.

    The score learns one for the cell that answers best for a face and less for those beside it, zero for background;
    cells in an ignored region that answer for no face learn nothing.
    """
    cells = Cells.of(maps)
    answers = Answers.of(maps, cells)
    with torch.no_grad():
        quality, face = assign(answers, cells, targets.boxes, weights.candidates)
        learns = ~(within(cells.centres, targets.ignore).any(dim=1) & (quality == 0))
    total = quality.sum().clamp(min=1)
    score = F.binary_cross_entropy_with_logits(answers.logits, quality, reduction="none")
    score = score * (answers.logits.sigmoid() - quality).abs() ** weights.focus
    crop, cell = quality.nonzero(as_tuple=True)
    weight, face = quality[crop, cell], face[crop, cell]
    boxes = targets.boxes[crop, face]
    box = complete_box_iou_loss(answers.boxes[crop, cell], boxes, reduction="none")
    off = answers.landmarks[crop, cell] - targets.landmarks[crop, face]
    side = (boxes[:, 2:] - boxes[:, :2]).prod(dim=1).sqrt()[:, None, None]
    landmarks = F.smooth_l1_loss(off / side, torch.zeros_like(off), reduction="none", beta=0.05).mean(dim=(1, 2))
    return {
        "score": weights.score * (score * learns).sum() / total,
        "box": weights.box * (box * weight).sum() / total,
        "landmarks": weights.landmarks * (landmarks * weight).sum() / total,
    }


def assign(answers: Answers, cells: Cells, boxes: Tensor, candidates: int) -> tuple[Tensor, Tensor]:
    """Task-aligned assignment (Feng et al., 2021) among the cells near a face's centre.

    Args:
        answers: of the network as it is now.
        cells: their places.
        boxes: `(B, G, 4)` of the faces, padded.
        candidates: at most this many cells answer for one face.

    Returns:
        `(B, A)` how well a cell answers, relative to the best for its face (0 where it answers for none); `(B, A)` the
        index of its face.
    """
    sides = boxes[..., 2:] - boxes[..., :2]
    real = sides.prod(dim=2) > 0
    centres = (boxes[..., 2:] + boxes[..., :2]) / 2
    strides = cells.strides[:, None]
    reach = (sides[:, :, None] / 2).clamp(min=_NEAR * strides, max=_FAR * strides)
    near = ((cells.centres - centres[:, :, None]).abs() < reach).all(dim=3) & real[..., None]
    overlap = pairwise_iou(boxes, answers.boxes)
    fit = answers.logits.sigmoid()[:, None] ** _SCORE_POWER * overlap**_OVERLAP_POWER
    fit = (fit + _EPSILON) * near
    best = fit.topk(candidates, dim=2).indices
    taken = near & torch.zeros_like(near).scatter_(2, best, True)
    # A cell that two faces want answers for the one that it overlaps more.
    face = (overlap + _EPSILON).masked_fill(~taken, 0).argmax(dim=1)
    taken &= F.one_hot(face, boxes.shape[1]).transpose(1, 2).bool()
    fit = fit * taken
    quality = (fit / fit.amax(dim=2, keepdim=True).clamp(min=_EPSILON)).amax(dim=1)
    return quality, face


def pairwise_iou(boxes: Tensor, others: Tensor) -> Tensor:
    """`(B, G, 4)`, `(B, A, 4)` corners -> `(B, G, A)`."""
    low = torch.maximum(boxes[:, :, None, :2], others[:, None, :, :2])
    high = torch.minimum(boxes[:, :, None, 2:], others[:, None, :, 2:])
    shared = (high - low).clamp(min=0).prod(dim=3)
    size = (boxes[..., 2:] - boxes[..., :2]).prod(dim=2)
    other_size = (others[..., 2:] - others[..., :2]).prod(dim=2)
    return shared / (size[:, :, None] + other_size[:, None] - shared).clamp(min=_EPSILON)


def within(points: Tensor, regions: Tensor) -> Tensor:
    """`(A, 2)`, `(B, I, 4)` corners -> `(B, I, A)` whether the point lies in the region."""
    return ((points > regions[:, :, None, :2]) & (points < regions[:, :, None, 2:])).all(dim=3)
