"""Augmentation of crops, composed of torchvision's transforms."""

from pydantic import BaseModel, ConfigDict, Field
from torch import Tensor
from torchvision.transforms import InterpolationMode, v2


class Augmentation(BaseModel):
    """How far a training crop may be changed; zero switches a change off.

    Attributes:
        flip: probability of mirroring.
        rotate: degrees to either side.
        shift: to either side, as a fraction of the crop's side.
        scale: relative zoom to either side.
        shear: degrees to either side.
        brightness: relative, to either side.
        contrast: relative, to either side.
        blur: probability of a slight blur, as of a face far away.
        erase: probability of covering a rectangle, as of a hand or hair.
        mixup: both parameters of the Beta distribution by which a batch is blended with itself (Zhang et al., 2018).
    """

    model_config = ConfigDict(extra="forbid", frozen=True)

    flip: float = Field(0, ge=0, le=1)
    rotate: float = Field(0, ge=0, le=180)
    shift: float = Field(0, ge=0, lt=1)
    scale: float = Field(0, ge=0, lt=1)
    shear: float = Field(0, ge=0, lt=90)
    brightness: float = Field(0, ge=0, lt=1)
    contrast: float = Field(0, ge=0, lt=1)
    blur: float = Field(0, ge=0, le=1)
    erase: float = Field(0, ge=0, le=1)
    mixup: float = Field(0, ge=0)

    def build(self) -> v2.Transform:
        """The transform of one `(C, H, W)` uint8 crop, of the same shape and type."""
        steps: list[v2.Transform] = [
            v2.RandomHorizontalFlip(self.flip),
            v2.RandomAffine(
                self.rotate,
                translate=(self.shift, self.shift),
                scale=(1 - self.scale, 1 + self.scale),
                shear=(-self.shear, self.shear),
                interpolation=InterpolationMode.BILINEAR,
            ),
        ]
        if self.brightness or self.contrast:
            steps.append(v2.ColorJitter(self.brightness, self.contrast))
        if self.blur:
            steps.append(v2.RandomApply([v2.GaussianBlur(3, (0.4, 1.2))], self.blur))
        if self.erase:
            steps.append(v2.RandomErasing(self.erase, scale=(0.02, 0.2)))
        return v2.Compose(steps)

    def blend(self, images: Tensor, targets: Tensor) -> tuple[Tensor, Tensor]:
        """Mixes every sample of a batch with another one: `(N, C, H, W)` float and its `(N, L)` targets."""
        if not self.mixup:
            return images, targets
        mix = v2.MixUp(alpha=self.mixup, labels_getter=lambda batch: batch[1])
        mixed: tuple[Tensor, Tensor] = mix(images, targets)
        return mixed
