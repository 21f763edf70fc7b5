"""What a user says of a foreign model, and whether its file says the same."""

import math
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Literal

from emolens.card import Input
from emolens.errors import ConfigError, ModelError
from emolens.labels import canonical

Layout = Literal["nchw", "nhwc"]
Kind = Literal["face", "scene", "emoji", "generic"]
Objective = Literal["distribution", "multilabel"]

LARGEST_SIDE = 1024
_MOST_LABELS, _LONGEST_NAME = 1000, 100

# Of height, width and channels.
_AXES: dict[Layout, tuple[int, int, int]] = {"nchw": (2, 3, 1), "nhwc": (1, 2, 3)}


@dataclass(frozen=True)
class About:
    """What the file of a foreign model does not say, or not surely.

    Attributes:
        labels: in the order of the outputs.
        kind: what it looks at.
        objective: `distribution` for one answer, `multilabel` for one per label.
        name: for the card; None takes it from the file's name.
        size: height and width of the pixels that it takes; None where the file says so, likewise `channels` and
            `layout`.
        mean: it takes `(pixels / 255 - mean) / std`; one number, or one per channel.
        std: likewise.

    Raises:
        ConfigError: a value cannot be used.
    """

    labels: tuple[str, ...]
    kind: Kind = "face"
    objective: Objective = "distribution"
    name: str | None = None
    size: int | None = None
    channels: int | None = None
    layout: Layout | None = None
    mean: tuple[float, ...] = (0.0,)
    std: tuple[float, ...] = (1.0,)

    def __post_init__(self) -> None:
        repeated = [label for label, count in Counter(self.labels).items() if count > 1]
        if not 0 < len(self.labels) <= _MOST_LABELS or not all(self.labels):
            raise ConfigError(
                f"--labels wants 1 to {_MOST_LABELS} names such as angry,happy,sad, and none of them empty"
            )
        if repeated:
            raise ConfigError(f"--labels names {', '.join(repeated)} more than once; each output has a name of its own")
        if self.name is not None and not 0 < len(self.name) <= _LONGEST_NAME:
            raise ConfigError(f"--name wants 1 to {_LONGEST_NAME} letters")
        if self.size is not None and not 0 < self.size <= LARGEST_SIDE:
            raise ConfigError(f"--size {self.size} is not in 1 to {LARGEST_SIDE}")
        if self.channels not in (None, 1, 3):
            raise ConfigError(f"--channels {self.channels} is neither 1 (grey) nor 3 (RGB)")
        if any(number <= 0 for number in self.std):
            raise ConfigError("--std must be over zero, since pixels are divided by it")


def parse_labels(text: str) -> tuple[str, ...]:
    """`"Anger, happy"` -> `("angry", "happy")`: the names that emolens has for them, since policies go by those."""
    return tuple(canonical(name) for name in text.split(","))


def parse_numbers(text: str, option: str) -> tuple[float, ...]:
    """`"0.485,0.456,0.406"` -> three numbers.

    Raises:
        ConfigError: one is no number, or far from any that pixels in 0 to 1 could need.
    """
    try:
        numbers = tuple(float(part) for part in text.split(","))
    except ValueError:
        numbers = ()
    if not numbers or not all(math.isfinite(number) and abs(number) <= 1000 for number in numbers):
        raise ConfigError(f"{option} wants a number, or one per channel such as 0.5,0.5,0.5, and not '{text}'")
    return numbers


def frame(dims: Sequence[int | None], about: About, source: str) -> tuple[Layout, Input]:
    """The layout and size of the pixels that a model takes.

    Args:
        dims: of its input, None where any number goes.
        about: what the user says, which must agree.
        source: for the message.

    Raises:
        ModelError: it takes no images, or too large ones.
        ConfigError: the file leaves something open that the user does not say, or they contradict each other.
    """
    shape = " x ".join("any" if dim is None else str(dim) for dim in dims)
    if len(dims) != 4:
        raise ModelError(f"{source} takes {shape or 'a single number'}; an image classifier takes four dimensions")
    layout = about.layout or _layout(dims)
    if layout is None:
        raise ConfigError(f"{source} takes {shape}, which can be read in two ways; say --layout nchw or --layout nhwc")
    height, width, channels = (dims[axis] for axis in _AXES[layout])
    if channels not in (None, 1, 3):
        raise ModelError(f"{source} takes {shape}, which as {layout} has {channels} channels; 1 or 3 can be imported")
    if any(side is not None and not 0 < side <= LARGEST_SIDE for side in (height, width)):
        raise ModelError(f"{source} takes {shape}; sides of 1 to {LARGEST_SIDE} can be imported")
    for option, found, said in (
        ("--size", height, about.size),
        ("--size", width, about.size),
        ("--channels", channels, about.channels),
    ):
        if found is None and said is None:
            raise ConfigError(f"{source} takes {shape}, which leaves something open; say {option}")
        if None not in (found, said) and found != said:
            raise ConfigError(f"{option} {said} contradicts {source}, which takes {shape} ({layout})")
    channels = channels or about.channels
    for option, numbers in (("--mean", about.mean), ("--std", about.std)):
        if len(numbers) not in (1, channels):
            raise ConfigError(f"{option} has {len(numbers)} numbers, but {source} takes {channels} channels")
    return layout, Input.model_validate(
        {"height": height or about.size, "width": width or about.size, "channels": channels}
    )


def _layout(dims: Sequence[int | None]) -> Layout | None:
    """The only one in which the channels have a number that channels have."""
    fitting: list[Layout] = [layout for layout, (*_, channels) in _AXES.items() if dims[channels] in (1, 3)]
    return fitting[0] if len(fitting) == 1 else None
