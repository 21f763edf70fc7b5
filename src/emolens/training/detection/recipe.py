"""The recipe of a detector's training."""

from pathlib import Path
from typing import Literal

from pydantic import BaseModel, ConfigDict, Field

from emolens.training.optimisation import Optimisation


class _Part(BaseModel):
    model_config = ConfigDict(extra="forbid", frozen=True)


class DetectionData(_Part):
    """What is trained on.

    Attributes:
        split: the table's own name of the split to train on.
        validation: the split on which epochs are measured and the score threshold is chosen.
        sources: the data and its terms, for the model card.
    """

    split: str = "train"
    validation: str = "val"
    sources: tuple[str, ...] = ()


class DetectorNetwork(_Part):
    """See `emolens.networks.detector.FaceDetector`."""

    widths: tuple[int, int, int, int] = (32, 64, 96, 128)
    blocks: tuple[int, int, int, int] = (1, 2, 3, 3)
    neck: int = Field(32, gt=0)


class DetectionAugmentation(_Part):
    """How a training crop is made; the numbers are probabilities unless said otherwise.

    Attributes:
        size: side of the crop in pixels, a multiple of 32.
        smallest: faces under this many pixels (root of the area) count neither as face nor as background.
        grids: how often the crop is 1, 2, 3 or 4 photographs wide and high, as weights.
        paste: small faces are copied onto the crop.
        rotate: the crop is turned by up to `degrees`.
    """

    size: int = Field(384, multiple_of=32, gt=0)
    smallest: float = Field(7, gt=0)
    grids: tuple[float, float, float, float] = (0.45, 0.3, 0.15, 0.1)
    paste: float = Field(0.25, ge=0, le=1)
    rotate: float = Field(0.25, ge=0, le=1)
    degrees: float = Field(25, ge=0, le=90)
    grey: float = Field(0.1, ge=0, le=1)
    blur: float = Field(0.15, ge=0, le=1)
    noise: float = Field(0.1, ge=0, le=1)


class DetectionLoss(_Part):
    """Weights of the parts of the loss, and how many cells may answer for one face.

    Attributes:
        focus: how much more a cell counts for its score the further it is off: the power in the quality focal loss (Li
            et al., 2020); 0 counts all alike.
    """

    score: float = Field(1.0, gt=0)
    focus: float = Field(0.0, ge=0)
    box: float = Field(2.0, gt=0)
    landmarks: float = Field(1.0, ge=0)
    candidates: int = Field(10, gt=0)


class DetectorRecipe(_Part):
    """Everything that a detector's training depends on but the data's path.

    Attributes:
        weights: of the same network, in a file such as a run's, to begin with.
        false_boxes: per photograph of the validation split, how many the score threshold may let through.
    """

    task: Literal["detect"] = "detect"
    name: str
    version: str
    licence: str
    limits: tuple[str, ...] = ()
    data: DetectionData = DetectionData()
    network: DetectorNetwork = DetectorNetwork()
    weights: Path | None = None
    augmentation: DetectionAugmentation = DetectionAugmentation()
    loss: DetectionLoss = DetectionLoss()
    optimisation: Optimisation
    false_boxes: float = Field(0.05, gt=0)
    seed: int = 0
