"""The picture of an explanation: the crop, the map over it, and what the colours mean."""

from dataclasses import dataclass
from functools import lru_cache

import numpy as np
from numpy.typing import NDArray
from PIL import Image, ImageDraw, ImageFont

from emolens.card import ModelCard
from emolens.text import percent, printable

# Okabe and Ito (2008): told apart with any kind of colour vision.
_FOR, _AGAINST = np.array([(213, 94, 0), (0, 114, 178)], np.float32)
_PAPER, _INK, _FAINT = (255, 255, 255), (25, 28, 34), (105, 110, 120)

_PANEL, _GAP = 360, 24
_WIDTH = 2 * _PANEL + 3 * _GAP
_TITLE, _TEXT = 26, 15
_BAR_HEIGHT = 16
_STRONGEST = 0.8
"""How much of the picture the strongest colour covers."""


def draw_occlusion(
    card: ModelCard, probabilities: NDArray[np.float32], crop: NDArray[np.uint8], heat: NDArray[np.float32]
) -> Image.Image:
    """Draws what `occlusion.explain` found for the likeliest label.

    Args:
        card: of the model.
        probabilities: `(L,)`, its answer.
        crop: `(H, W, C)` uint8, one channel or three.
        heat: `(H, W)`.
    """
    label = card.labels[int(probabilities.argmax())]
    points = 100 * float(np.abs(heat).max())
    most = f"{points:.0f} points" if points >= 10 else f"{points:.1f} points"
    ends = f"covered, {label} falls by {most}", f"covered, {label} rises by {most}"
    return _draw(crop, heat, _Legend.of(card, probabilities, "occlusion (Zeiler and Fergus, 2014)", *ends))


def draw_gradcam(
    card: ModelCard, probabilities: NDArray[np.float32], crop: NDArray[np.uint8], heat: NDArray[np.float32]
) -> Image.Image:
    """Draws what `gradcam.explain` found for the likeliest label; the arguments are those of `draw_occlusion`."""
    label = card.labels[int(probabilities.argmax())]
    end = f"speaks most for {label}"
    return _draw(crop, heat, _Legend.of(card, probabilities, "Grad-CAM (Selvaraju et al., 2017)", end, None))


@dataclass(frozen=True)
class _Legend:
    """The words of a picture; each is cut off where it does not fit.

    Attributes:
        title: what the model answered.
        source: which model, by which method.
        label: that is explained.
        supports: what the strongest orange means.
        opposes: what the strongest blue means; None where there is none.
    """

    title: str
    source: str
    label: str
    supports: str
    opposes: str | None

    @classmethod
    def of(
        cls, card: ModelCard, probabilities: NDArray[np.float32], method: str, supports: str, opposes: str | None
    ) -> "_Legend":
        top = int(probabilities.argmax())
        title = f"{card.labels[top]} {percent(probabilities[top])}"
        return cls(title, f"{card.name} {card.version}, {method}", card.labels[top], supports, opposes)


def _draw(crop: NDArray[np.uint8], heat: NDArray[np.float32], legend: _Legend) -> Image.Image:
    """The crop beside the same crop with the map over it; the strongest colours stand for its largest value."""
    seen = _enlarged(Image.fromarray(crop.squeeze(-1) if crop.shape[-1] == 1 else crop).convert("RGB"))
    picture = Image.new("RGB", (_WIDTH, seen.height + 200), _PAPER)
    pen = ImageDraw.Draw(picture)
    right = _GAP + _PANEL + _GAP
    top = _write(pen, _GAP, _GAP // 2, _WIDTH, legend.title, _TITLE, _INK)
    top = _write(pen, _GAP, top, _WIDTH, legend.source, _TEXT, _FAINT) + _GAP // 2
    height, width = crop.shape[:2]
    _write(pen, _GAP, top, right, f"what the model sees, {width} x {height} pixels", _TEXT, _INK)
    top = _write(pen, right, top, _WIDTH, f"what '{legend.label}' rests on", _TEXT, _INK)
    picture.paste(seen, (_GAP, top))
    picture.paste(_overlaid(seen, heat), (right, top))
    bottom = _draw_scale(picture, pen, top + seen.height + _GAP, legend)
    return picture.crop((0, 0, _WIDTH, bottom + _GAP))


def _enlarged(image: Image.Image) -> Image.Image:
    scale = _PANEL / max(image.size)
    width, height = (max(1, round(side * scale)) for side in image.size)
    return image.resize((width, height), Image.Resampling.BICUBIC)


def _overlaid(seen: Image.Image, heat: NDArray[np.float32]) -> Image.Image:
    """The crop in grey, so that all colour is the map's."""
    grey = np.asarray(seen.convert("L").convert("RGB"), np.float32)
    largest = np.abs(heat).max()
    strength = np.asarray(
        Image.fromarray(heat / (largest or 1)).resize(seen.size, Image.Resampling.BILINEAR), np.float32
    )
    return Image.fromarray(_coloured(grey, strength))


def _coloured(ground: NDArray[np.float32], strength: NDArray[np.float32]) -> NDArray[np.uint8]:
    """`(H, W, 3)` with colour over it, `strength` `(H, W)` in -1 to 1."""
    colour = np.where(strength[..., None] > 0, _FOR, _AGAINST)
    share = _STRONGEST * np.abs(strength)[..., None].clip(0, 1)
    return np.asarray(ground + share * (colour - ground)).round().astype(np.uint8)


def _draw_scale(picture: Image.Image, pen: ImageDraw.ImageDraw, top: int, legend: _Legend) -> int:
    """The colours from the strongest blue to the strongest orange over what they mean; returns where it ends."""
    width = _WIDTH - 2 * _GAP
    weakest = 0.0 if legend.opposes is None else -1.0
    ramp = np.tile(np.linspace(weakest, 1, width, dtype=np.float32), (_BAR_HEIGHT, 1))
    grey = np.full((*ramp.shape, 3), 200, np.float32)
    picture.paste(Image.fromarray(_coloured(grey, ramp)), (_GAP, top))
    top += _BAR_HEIGHT + 4
    ends = {"rm": (_WIDTH - _GAP, legend.supports)}
    if legend.opposes is None:
        ends["lm"] = (_GAP, "does not")
    else:
        ends |= {"lm": (_GAP, legend.opposes), "mm": (_WIDTH // 2, "no change")}
    for anchor, (x, text) in ends.items():
        pen.text((x, top + _TEXT // 2), _fitted(text, width // 3), _INK, _font(_TEXT), anchor)
    return top + _TEXT


def _write(
    pen: ImageDraw.ImageDraw, left: int, top: int, right: int, text: str, height: int, ink: tuple[int, int, int]
) -> int:
    """One line, as much of it as fits; returns where the next one begins."""
    pen.text((left, top), _fitted(text, right - left - _GAP, height), ink, _font(height))
    return top + round(1.5 * height)


def _fitted(text: str, width: int, height: int = _TEXT) -> str:
    # What a card says may be of any length, and hold signs that move the pen; no letter is narrower than a pixel.
    text = printable(text[:width])
    font = _font(height)
    if font.getlength(text) <= width:
        return text
    while text and font.getlength(f"{text}...") > width:
        text = text[:-1]
    return f"{text}..."


@lru_cache
def _font(height: int) -> ImageFont.FreeTypeFont | ImageFont.ImageFont:
    return ImageFont.load_default(height)
