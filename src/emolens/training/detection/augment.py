"""Training crops: photographs in a grid, scaled so that faces of every size are seen, small faces pasted in."""

import math
from collections.abc import Sequence
from typing import NamedTuple

import numpy as np
from numpy.random import Generator
from numpy.typing import NDArray
from PIL import Image, ImageFilter

from emolens.data.readers.faces import FacePhoto
from emolens.errors import DataError, ImageError
from emolens.image import Limits, decode
from emolens.training.detection.recipe import DetectionAugmentation

Floats = NDArray[np.float32]

# The mirror image swaps the person's left and right.
_MIRRORED = (1, 0, 2, 4, 3)
_MOST_ENLARGED = 3.0
_LEAST_VISIBLE = 0.5
_LARGEST = 1.1  # a face's side over its tile's: some faces are larger than the crop


class Scene(NamedTuple):
    """A picture with what is known of it, as in `FacePhoto` but decoded: `pixels` is `(H, W, 3)` uint8 RGB."""

    pixels: NDArray[np.uint8]
    boxes: Floats
    landmarks: Floats
    ignore: Floats

    @classmethod
    def of(cls, photo: FacePhoto) -> "Scene":
        try:
            pixels = decode(photo.image, Limits.from_environment()).pixels
        except ImageError as error:
            raise DataError(f"{photo.source}: {error}") from None
        return cls(pixels, photo.boxes, photo.landmarks, photo.ignore)


class SceneMaker:
    """Makes training crops out of photographs.

    Args:
        scenes: to choose from; those without a face are also backgrounds.
        settings: sizes and probabilities.
    """

    def __init__(self, scenes: Sequence[Scene], settings: DetectionAugmentation) -> None:
        self.scenes = scenes
        self.settings = settings
        self.faceless = [index for index, scene in enumerate(scenes) if not len(scene.boxes)] or range(len(scenes))
        self.with_faces = [index for index, scene in enumerate(scenes) if len(scene.boxes)]

    def make(self, index: int, rng: Generator) -> Scene:
        """A crop of `settings.size` squared that shows the scene of this index, among others where it is a grid."""
        weights = np.array(self.settings.grids)
        grid = int(rng.choice(4, p=weights / weights.sum())) + 1
        scene = self._mosaic(index, grid, rng)
        if self.with_faces and rng.random() < self.settings.paste:
            scene = self._paste(scene, rng)
        if rng.random() < 0.5:
            scene = flip(scene)
        if rng.random() < self.settings.rotate:
            scene = rotate(scene, rng.uniform(-1, 1) * self.settings.degrees)
        scene = ignore_small(scene, self.settings.smallest)
        return Scene(_recolour(scene.pixels, self.settings, rng), scene.boxes, scene.landmarks, scene.ignore)

    def _mosaic(self, index: int, grid: int, rng: Generator) -> Scene:
        size = self.settings.size
        canvas = np.empty((size, size, 3), dtype=np.uint8)
        columns, rows = _edges(size, grid, rng), _edges(size, grid, rng)
        first = int(rng.integers(grid * grid))
        parts = []
        for place in range(grid * grid):
            left, right = columns[place % grid : place % grid + 2]
            top, bottom = rows[place // grid : place // grid + 2]
            chosen = index if place == first else int(rng.integers(len(self.scenes)))
            # Half of the whole-crop pictures show a large face; a log-uniform size alone would make them rare.
            smallest = 80 if grid == 1 and rng.random() < 0.5 else 10
            tile = self._tile(self.scenes[chosen], right - left, bottom - top, smallest, rng)
            canvas[top:bottom, left:right] = tile.pixels
            parts.append(move(tile, left, top))
        return _joined(canvas, parts)

    def _tile(self, scene: Scene, width: int, height: int, smallest: float, rng: Generator) -> Scene:
        """The scene at a scale that gives one of its faces a random size; a background fills what it leaves open."""
        longest = max(scene.pixels.shape[:2])
        face = None
        if len(scene.boxes):
            face = scene.boxes[rng.integers(len(scene.boxes))]
            wanted = _log_uniform(smallest, _LARGEST * min(width, height), rng)
            scale = min(wanted / math.sqrt(face[2] * face[3]), _MOST_ENLARGED)
        else:
            scale = _log_uniform(max(0.4, width / longest), 2.0, rng)
        tile = window(scene, width, height, scale, face, rng)
        if tile is not None:
            return tile
        background = self.scenes[self.faceless[rng.integers(len(self.faceless))]]
        cover = 1.01 * max(width / background.pixels.shape[1], height / background.pixels.shape[0])
        base = window(background, width, height, cover * rng.uniform(1, 1.5), None, rng)
        assert base is not None
        return overlay(base, scene, scale, rng)

    def _paste(self, scene: Scene, rng: Generator) -> Scene:
        """Copies faces of other scenes, small, to where nothing is known to be."""
        for _ in range(int(rng.integers(2, 9))):
            source = self.scenes[self.with_faces[rng.integers(len(self.with_faces))]]
            chosen = int(rng.integers(len(source.boxes)))
            cutout = cut_face(source, chosen, rng.uniform(0.1, 0.6))
            side = math.sqrt(float(source.boxes[chosen, 2] * source.boxes[chosen, 3]))
            scale = min(_log_uniform(9, 60, rng) / side, 1.5)
            scene = overlay(scene, cutout, scale, rng, only_if_free=True)
        return scene


def window(scene: Scene, width: int, height: int, scale: float, face: Floats | None, rng: Generator) -> Scene | None:
    """A random `width` x `height` window of the scaled scene, with the centre of `face` in it.

    None where the scaled scene is smaller than the window.
    """
    high, wide = scene.pixels.shape[:2]
    window_width, window_height = width / scale, height / scale
    if window_width > wide or window_height > high:
        return None
    left = _start(wide, window_width, None if face is None else face[0] + face[2] / 2, rng)
    top = _start(high, window_height, None if face is None else face[1] + face[3] / 2, rng)
    box = (left, top, left + window_width, top + window_height)
    pixels = _resize(scene.pixels, (width, height), box)
    moved = move(scene, -left, -top)
    return clip(_scaled(moved, pixels, width / window_width, height / window_height))


def overlay(base: Scene, scene: Scene, scale: float, rng: Generator, only_if_free: bool = False) -> Scene:
    """Puts the whole scene, scaled, onto the base at a random place, its edges blended.

    Args:
        base: what is covered; its faces under the scene are forgotten.
        scene: what is put there.
        scale: of the scene; lessened until the scene fits.
        rng: chooses the place.
        only_if_free: leaves the base as it is where the place holds a face or an ignored region.
    """
    high, wide = scene.pixels.shape[:2]
    base_high, base_wide = base.pixels.shape[:2]
    scale = min(scale, base_wide / wide, base_high / high) if only_if_free else scale
    width, height = max(1, round(wide * scale)), max(1, round(high * scale))
    left = int(rng.integers(min(0, base_wide - width), max(0, base_wide - width) + 1))
    top = int(rng.integers(min(0, base_high - height), max(0, base_high - height) + 1))
    place = np.array([left, top, width, height], dtype=np.float32)
    if only_if_free and any((_visible(regions, place) > 0).any() for regions in (base.boxes, base.ignore)):
        return base
    small = _resize(scene.pixels, (width, height), (0, 0, wide, high))
    put = move(_scaled(scene, small, width / wide, height / high), left, top)
    pixels = base.pixels.copy()
    x0, y0, x1, y1 = max(left, 0), max(top, 0), min(left + width, base_wide), min(top + height, base_high)
    part = small[y0 - top : y1 - top, x0 - left : x1 - left]
    soft = _feather(width, height)[y0 - top : y1 - top, x0 - left : x1 - left, None]
    pixels[y0:y1, x0:x1] = (soft * part + (1 - soft) * pixels[y0:y1, x0:x1]).astype(np.uint8)
    kept = _visible(base.boxes, place) < _LEAST_VISIBLE
    beside = Scene(pixels, base.boxes[kept], base.landmarks[kept], base.ignore[_visible(base.ignore, place) < 0.9])
    return clip(_joined(pixels, [beside, put]))


def cut_face(scene: Scene, index: int, margin: float) -> Scene:
    """The region of one face with a margin (a fraction of its sides), and whatever else is known to be in it."""
    x, y, w, h = scene.boxes[index]
    high, wide = scene.pixels.shape[:2]
    left, top = max(0, int(x - margin * w)), max(0, int(y - margin * h))
    right, bottom = min(wide, math.ceil(x + (1 + margin) * w)), min(high, math.ceil(y + (1 + margin) * h))
    moved = move(scene, -left, -top)
    return clip(Scene(scene.pixels[top:bottom, left:right], moved.boxes, moved.landmarks, moved.ignore))


def move(scene: Scene, dx: float, dy: float) -> Scene:
    """Shifts what is known; the pixels stay."""
    shift = np.array([dx, dy, 0, 0], dtype=np.float32)
    return Scene(scene.pixels, scene.boxes + shift, scene.landmarks + shift[:2], scene.ignore + shift)


def clip(scene: Scene) -> Scene:
    """Cuts what is known to the picture; a face of which less than half is left becomes a region to ignore."""
    high, wide = scene.pixels.shape[:2]
    frame = np.array([0, 0, wide, high], dtype=np.float32)
    visible = _visible(scene.boxes, frame)
    kept, cut = visible >= _LEAST_VISIBLE, (visible > 0) & (visible < _LEAST_VISIBLE)
    ignore = np.concatenate([scene.ignore[_visible(scene.ignore, frame) > 0], scene.boxes[cut]])
    return Scene(
        scene.pixels, _cut_to(scene.boxes[kept], wide, high), scene.landmarks[kept], _cut_to(ignore, wide, high)
    )


def flip(scene: Scene) -> Scene:
    """The mirror image."""
    wide = scene.pixels.shape[1]

    def mirrored(boxes: Floats) -> Floats:
        return np.concatenate([wide - boxes[:, :1] - boxes[:, 2:3], boxes[:, 1:]], axis=1)

    landmarks = scene.landmarks[:, _MIRRORED] * np.array([-1, 1], np.float32) + np.array([wide, 0], np.float32)
    return Scene(scene.pixels[:, ::-1], mirrored(scene.boxes), landmarks, mirrored(scene.ignore))


def rotate(scene: Scene, degrees: float) -> Scene:
    """Turns the picture about its centre; boxes keep their size, since a face is nearly round."""
    high, wide = scene.pixels.shape[:2]
    grey = tuple(int(value) for value in scene.pixels[::16, ::16].mean(axis=(0, 1)))
    image = Image.fromarray(np.ascontiguousarray(scene.pixels))
    turned = image.rotate(degrees, Image.Resampling.BILINEAR, fillcolor=grey)
    cos, sin = math.cos(math.radians(degrees)), math.sin(math.radians(degrees))
    matrix = np.array([[cos, -sin], [sin, cos]], dtype=np.float32)
    centre = np.array([wide / 2, high / 2], dtype=np.float32)

    def about_centre(boxes: Floats) -> Floats:
        middle = (boxes[:, :2] + boxes[:, 2:] / 2 - centre) @ matrix + centre
        return np.concatenate([middle - boxes[:, 2:] / 2, boxes[:, 2:]], axis=1)

    landmarks = ((scene.landmarks - centre) @ matrix + centre).astype(np.float32)
    return clip(Scene(np.asarray(turned), about_centre(scene.boxes), landmarks, about_centre(scene.ignore)))


def ignore_small(scene: Scene, smallest: float) -> Scene:
    """Faces too small to learn from become regions to ignore."""
    large = scene.boxes[:, 2] * scene.boxes[:, 3] >= smallest**2
    ignore = np.concatenate([scene.ignore, scene.boxes[~large]])
    return Scene(scene.pixels, scene.boxes[large], scene.landmarks[large], ignore)


def _scaled(scene: Scene, pixels: NDArray[np.uint8], fx: float, fy: float) -> Scene:
    factor = np.array([fx, fy, fx, fy], dtype=np.float32)
    return Scene(pixels, scene.boxes * factor, scene.landmarks * factor[:2], scene.ignore * factor)


def _joined(pixels: NDArray[np.uint8], parts: Sequence[Scene]) -> Scene:
    return Scene(
        pixels,
        np.concatenate([part.boxes for part in parts]),
        np.concatenate([part.landmarks for part in parts]),
        np.concatenate([part.ignore for part in parts]),
    )


def _visible(boxes: Floats, frame: Floats) -> Floats:
    """The share of each box's area that lies in the frame."""
    low = np.maximum(boxes[:, :2], frame[:2])
    high = np.minimum(boxes[:, :2] + boxes[:, 2:], frame[:2] + frame[2:])
    inside = np.clip(high - low, 0, None).prod(axis=1)
    share: Floats = inside / np.maximum(boxes[:, 2:].prod(axis=1), 1e-6)
    return share


def _cut_to(boxes: Floats, wide: int, high: int) -> Floats:
    edge = np.array([wide, high], dtype=np.float32)
    low = np.clip(boxes[:, :2], 0, edge)
    return np.concatenate([low, np.clip(boxes[:, :2] + boxes[:, 2:], 0, edge) - low], axis=1)


def _edges(size: int, grid: int, rng: Generator) -> list[int]:
    step = size / grid
    inner = [int((place + rng.uniform(-0.25, 0.25)) * step) for place in range(1, grid)]
    return [0, *inner, size]


def _start(length: int, window: float, centre: float | None, rng: Generator) -> float:
    low, high = 0.0, length - window
    if centre is not None:
        # The face's centre keeps a tenth of the window between itself and the edge where the picture allows.
        low, high = max(low, min(high, centre - 0.9 * window)), min(high, max(low, centre - 0.1 * window))
    return float(rng.uniform(low, max(low, high)))


def _log_uniform(low: float, high: float, rng: Generator) -> float:
    return float(math.exp(rng.uniform(math.log(low), math.log(max(low, high)))))


def _resize(
    pixels: NDArray[np.uint8], size: tuple[int, int], box: tuple[float, float, float, float]
) -> NDArray[np.uint8]:
    # Only the part that is needed is copied into an image.
    left, top = int(box[0]), int(box[1])
    part = np.ascontiguousarray(pixels[top : math.ceil(box[3]), left : math.ceil(box[2])])
    inner = (
        box[0] - left,
        box[1] - top,
        min(box[2] - left, part.shape[1]),
        min(box[3] - top, part.shape[0]),
    )
    return np.asarray(Image.fromarray(part).resize(size, Image.Resampling.BILINEAR, box=inner))


def _feather(width: int, height: int) -> Floats:
    """Weights that fall to zero over the outer tenth, so that no hard edge gives a pasted face away."""
    across = np.minimum(1, (np.minimum(np.arange(width), np.arange(width)[::-1]) + 0.5) / (0.1 * width))
    down = np.minimum(1, (np.minimum(np.arange(height), np.arange(height)[::-1]) + 0.5) / (0.1 * height))
    return np.outer(down, across).astype(np.float32)


def _recolour(pixels: NDArray[np.uint8], settings: DetectionAugmentation, rng: Generator) -> NDArray[np.uint8]:
    """Brightness, contrast, gamma and tint by one table per channel; now and then grey, blur, noise."""
    if rng.random() < settings.grey:
        grey = pixels @ np.array([0.299, 0.587, 0.114], np.float32)
        pixels = np.repeat(grey.astype(np.uint8)[..., None], 3, axis=2)
    if rng.random() < settings.blur:
        blurred = Image.fromarray(np.ascontiguousarray(pixels)).filter(ImageFilter.BoxBlur(rng.uniform(0.3, 1.5)))
        pixels = np.asarray(blurred)
    ramp = np.linspace(0, 1, 256)[:, None] ** math.exp(rng.uniform(-0.4, 0.4))
    gain = math.exp(rng.uniform(-0.3, 0.3)) * np.exp(rng.uniform(-0.08, 0.08, 3))
    table = np.clip(255 * ((ramp - 0.5) * gain + 0.5 + rng.uniform(-0.12, 0.12)), 0, 255).astype(np.uint8)
    pixels = np.stack([table[pixels[..., channel], channel] for channel in range(3)], axis=2)
    if rng.random() < settings.noise:
        noise = rng.normal(0, rng.uniform(2, 12), pixels.shape).astype(np.float32)
        pixels = np.clip(pixels + noise, 0, 255).astype(np.uint8)
    return pixels
