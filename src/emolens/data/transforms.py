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
        resized_crop: how much of the area a random crop, resized to the whole, may leave out.
        brightness: relative, to either side.
        contrast: relative, to either side.
        saturation: relative, to either side.
        hue: to either side, as a fraction of the colour circle.
        trivial: one random change of random strength per crop (TrivialAugment, Mueller and Hutter, 2021).
        blur: probability of a slight blur, as of a face far away.
        erase: probability of covering a rectangle, as of a hand or hair.
        mixup: both parameters of the Beta distribution by which a batch is blended with itself (Zhang et al., 2018).
        cutmix: likewise for rectangles that crops of a batch take from each other (Yun et al., 2019). With `mixup`, a
            batch gets one of the two.
    """

    model_config = ConfigDict(extra="forbid", frozen=True)

    flip: float = Field(0, ge=0, le=1)
    rotate: float = Field(0, ge=0, le=180)
    shift: float = Field(0, ge=0, lt=1)
    scale: float = Field(0, ge=0, lt=1)
    shear: float = Field(0, ge=0, lt=90)
    resized_crop: float = Field(0, ge=0, lt=1)
    brightness: float = Field(0, ge=0, lt=1)
    contrast: float = Field(0, ge=0, lt=1)
    saturation: float = Field(0, ge=0, lt=1)
    hue: float = Field(0, ge=0, le=0.5)
    trivial: bool = False
    blur: float = Field(0, ge=0, le=1)
    erase: float = Field(0, ge=0, le=1)
    mixup: float = Field(0, ge=0)
    cutmix: float = Field(0, ge=0)

    def build(self, height: int, width: int) -> v2.Transform:
        """The transform of one `(C, H, W)` uint8 crop of this size, of the same shape and type."""
        steps: list[v2.Transform] = [v2.RandomHorizontalFlip(self.flip)]
        if self.resized_crop:
            steps.append(v2.RandomResizedCrop((height, width), scale=(1 - self.resized_crop, 1), antialias=True))
        if self.rotate or self.shift or self.scale or self.shear:
            steps.append(
                v2.RandomAffine(
                    self.rotate,
                    translate=(self.shift, self.shift),
                    scale=(1 - self.scale, 1 + self.scale),
                    shear=(-self.shear, self.shear),
                    interpolation=InterpolationMode.BILINEAR,
                )
            )
        if self.brightness or self.contrast or self.saturation or self.hue:
            steps.append(v2.ColorJitter(self.brightness, self.contrast, self.saturation, self.hue))
        if self.trivial:
            steps.append(v2.TrivialAugmentWide(interpolation=InterpolationMode.BILINEAR))
        if self.blur:
            steps.append(v2.RandomApply([v2.GaussianBlur(3, (0.4, 1.2))], self.blur))
        if self.erase:
            steps.append(v2.RandomErasing(self.erase, scale=(0.02, 0.2)))
        return v2.Compose(steps)

    def blend(self, images: Tensor, targets: Tensor) -> tuple[Tensor, Tensor]:
        """Mixes every sample of a batch with another one: `(N, C, H, W)` float and its `(N, L)` targets."""
        kinds = {v2.MixUp: self.mixup, v2.CutMix: self.cutmix}
        mixes = [kind(alpha=alpha, labels_getter=lambda batch: batch[1]) for kind, alpha in kinds.items() if alpha]
        if not mixes:
            return images, targets
        mixed: tuple[Tensor, Tensor] = v2.RandomChoice(mixes)(images, targets)
        return mixed
