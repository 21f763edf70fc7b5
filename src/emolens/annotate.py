"""Draws a prediction on its photograph: a frame per face, and beside it its likeliest emotions as bars."""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from functools import lru_cache

from PIL import Image, ImageDraw, ImageFont

from emolens.image import Photo
from emolens.results import Box, Prediction
from emolens.text import percent

SIDE = 4096
"""Photographs are drawn at this longest side or, where they are larger, a little over it."""

_READABLE_SIDE = 640
_ROWS = 3
_CROWD = 8
_MOST_COVERED = 0.1
_DARK = (16, 18, 24)
_PANEL = (*_DARK, 205)
_WHITE = (255, 255, 255)
_TRACK = (*_WHITE, 45)
_COLOURS = {
    "happy": (255, 200, 40),
    "sad": (92, 160, 255),
    "angry": (255, 86, 78),
    "fear": (190, 130, 255),
    "surprise": (255, 150, 50),
    "disgust": (120, 205, 90),
    "neutral": (205, 212, 222),
    "other": (90, 215, 205),
}
_UNKNOWN = (240, 130, 200)

_Colour = tuple[int, int, int]
_Rectangle = tuple[int, int, int, int]
"""`left, top, right, bottom`, in pixels of the picture."""


def draw(photo: Photo, prediction: Prediction) -> Image.Image:
    """The photograph with its prediction on it.

    Small photographs are enlarged until text can be read. Where faces stand so close that a label would cover others,
    the colour of the frame has to do.
    """
    picture = _enlarged(Image.fromarray(photo.pixels))
    scale = max(picture.size) / max(prediction.width, prediction.height)
    frames = [_scaled(face.box, scale) for face in prediction.faces]
    pen = ImageDraw.Draw(picture, "RGBA")  # RGBA blends what is drawn with what is there
    for frame, face in zip(frames, prediction.faces, strict=True):
        _draw_frame(pen, frame, _colour(face.dominant), max(picture.size))
    taken = list(frames)
    for frame, face in zip(frames, prediction.faces, strict=True):
        for tag in _tags(_likeliest(face.probabilities), frame, picture.size, crowd=len(frames) > _CROWD):
            place, covered = _best_place(tag, frame, taken, picture.size)
            if covered <= (0 if tag.bars else _MOST_COVERED):
                tag.draw(pen, place)
                taken.append(place)
                break
    if not prediction.faces:
        _draw_whole(pen, prediction, picture.size)
    return picture


@dataclass(frozen=True)
class _Tag:
    """What is written beside a face: rows with bars on a dark panel, or one row on the colour of its label.

    Attributes:
        rows: label and probability, if it has one.
        text: height of the font, in pixels.
        bars: whether there is a bar in each row.
    """

    rows: tuple[tuple[str, float | None], ...]
    text: int
    bars: bool

    @property
    def size(self) -> tuple[int, int]:
        """Width and height in pixels."""
        return self._bar_end + self._percent_width + self._pad, len(self.rows) * self._row_height + self._pad

    def draw(self, pen: ImageDraw.ImageDraw, place: _Rectangle) -> None:
        left, top, right, _ = place
        pen.rounded_rectangle(
            place, radius=round(self.text * 0.3), fill=_PANEL if self.bars else _colour(self.rows[0][0])
        )
        ink, font = _WHITE if self.bars else _DARK, _font(self.text)
        for index, (label, probability) in enumerate(self.rows):
            middle = top + self._pad // 2 + round((index + 0.5) * self._row_height)
            pen.text((left + self._pad, middle), label, ink, font, anchor="lm")
            pen.text((right - self._pad, middle), _percent(probability), ink, font, anchor="rm")
            if self.bars and probability is not None:
                self._draw_bar(pen, left + self._bar_start, middle, probability, _colour(label))

    def _draw_bar(self, pen: ImageDraw.ImageDraw, left: int, middle: int, probability: float, colour: _Colour) -> None:
        half = max(1, round(self.text * 0.22))
        filled = max(2 * half, round(probability * self._bar_width))
        pen.rounded_rectangle((left, middle - half, left + self._bar_width, middle + half), half, fill=_TRACK)
        pen.rounded_rectangle((left, middle - half, left + filled, middle + half), half, fill=colour)

    @property
    def _pad(self) -> int:
        return round(self.text * (0.5 if self.bars else 0.3))

    @property
    def _row_height(self) -> int:
        return round(self.text * 1.3)

    @property
    def _bar_width(self) -> int:
        return round(self.text * 4.0) if self.bars else 0

    @property
    def _bar_start(self) -> int:
        return self._pad + max(_width(label, self.text) for label, _ in self.rows) + round(self.text * 0.4)

    @property
    def _bar_end(self) -> int:
        return self._bar_start + (self._bar_width + self._pad if self.bars else 0)

    @property
    def _percent_width(self) -> int:
        return max(_width(_percent(probability), self.text) for _, probability in self.rows)


def _tags(
    likeliest: tuple[tuple[str, float], ...], frame: _Rectangle, picture: tuple[int, int], crowd: bool
) -> Iterator[_Tag]:
    """What may be written beside a face, the most telling first."""
    text = _text_height(frame, max(picture), crowd)
    bars = _Tag(likeliest, text, bars=True)
    if not crowd or bars.size[0] < 2 * (frame[2] - frame[0]):
        yield bars
    yield _Tag(likeliest[:1], text, bars=False)


def _best_place(
    tag: _Tag, frame: _Rectangle, taken: Sequence[_Rectangle], picture: tuple[int, int]
) -> tuple[_Rectangle, float]:
    """Where a tag covers least of what is drawn already, and how much of the tag that is, as a fraction of it."""
    places = [_within(place, picture) for place in _places(tag, frame)]
    covered = [sum(_overlap(place, other) for other in taken) for place in places]
    best = min(range(len(places)), key=covered.__getitem__)
    return places[best], covered[best] / (tag.size[0] * tag.size[1])


def _places(tag: _Tag, frame: _Rectangle) -> Iterator[_Rectangle]:
    """Where a tag may go, the best place first: panels beside the frame, single labels above it."""
    width, height = tag.size
    left, top, right, bottom = frame
    gap = round(tag.text * (0.4 if tag.bars else 0.2))
    above, below = top - gap - height, bottom + gap
    middle = (left + right - width) // 2
    beside = [(right + gap, top), (left - gap - width, top), (right + gap, bottom - height)]
    stacked = [(x, y) for y in (above, below) for x in (left, right - width, middle)]
    for x, y in (*beside, *stacked) if tag.bars else (*stacked, *beside):
        yield x, y, x + width, y + height


def _within(place: _Rectangle, picture: tuple[int, int]) -> _Rectangle:
    """The rectangle moved into the picture; one that is too large begins at its edge."""
    left, top, right, bottom = place
    x = max(0, min(left, picture[0] - 1 - (right - left)))
    y = max(0, min(top, picture[1] - 1 - (bottom - top)))
    return x, y, x + right - left, y + bottom - top


def _overlap(one: _Rectangle, other: _Rectangle) -> int:
    """The area that two rectangles share."""
    width = min(one[2], other[2]) - max(one[0], other[0])
    height = min(one[3], other[3]) - max(one[1], other[1])
    return max(width, 0) * max(height, 0)


def _draw_frame(pen: ImageDraw.ImageDraw, frame: _Rectangle, colour: _Colour, longest: int) -> None:
    left, top, right, bottom = frame
    thickness = max(1, round(min(longest / 220, (right - left) / 14)))
    rim = max(1, thickness // 3)  # dark, so that the frame is seen on bright ground
    radius = min(right - left, bottom - top) // 12
    wider = (left - rim, top - rim, right + rim, bottom + rim)
    pen.rounded_rectangle(wider, radius + rim, outline=_DARK, width=thickness + 2 * rim)
    pen.rounded_rectangle(frame, radius, outline=colour, width=thickness)


def _draw_whole(pen: ImageDraw.ImageDraw, prediction: Prediction, picture: tuple[int, int]) -> None:
    """What is said of the image as a whole, in its lower left corner."""
    text = _text_height((0, 0, *picture), max(picture), crowd=False)
    nothing = prediction.dominant is None
    tag = _Tag((("no face", None),) if nothing else _likeliest(prediction.probabilities), text, bars=True)
    width, height = tag.size
    tag.draw(pen, _within((text, picture[1] - text - height, text + width, picture[1] - text), picture))


def _likeliest(probabilities: Mapping[str, float]) -> tuple[tuple[str, float], ...]:
    return tuple(sorted(probabilities.items(), key=lambda item: -item[1])[:_ROWS])


def _percent(probability: float | None) -> str:
    return "" if probability is None else percent(probability)


def _colour(label: str) -> _Colour:
    return _COLOURS.get(label, _UNKNOWN)


def _text_height(frame: _Rectangle, longest: int, crowd: bool) -> int:
    """In pixels: it grows with the face, within what can be read and what does not shout."""
    least = max(11.0, longest / (90 if crowd else 64))
    return round(min(max((frame[3] - frame[1]) * 0.14, least), longest / 36))


def _enlarged(picture: Image.Image) -> Image.Image:
    factor = -(-_READABLE_SIDE // max(picture.size))
    if factor == 1:
        return picture
    return picture.resize((picture.width * factor, picture.height * factor), Image.Resampling.LANCZOS)


def _scaled(box: Box, scale: float) -> _Rectangle:
    x, y, w, h = box
    return round(x * scale), round(y * scale), round((x + w) * scale), round((y + h) * scale)


def _width(text: str, height: int) -> int:
    return round(_font(height).getlength(text))


@lru_cache
def _font(height: int) -> ImageFont.FreeTypeFont | ImageFont.ImageFont:
    return ImageFont.load_default(height)
