"""A folder of annotated pictures, one per image that was read."""

from collections.abc import Sequence
from pathlib import Path

from emolens.annotate import SIDE, draw
from emolens.cli.inputs import Item
from emolens.errors import ConfigError
from emolens.image import Limits, decode
from emolens.results import Prediction

_QUALITY = 92


class Album:
    """Writes annotated pictures into a folder.

    Args:
        folder: made where it is absent; pictures of an earlier run are overwritten.
        items: the inputs, none of which may lie in that folder, so that no photograph is overwritten.
        limits: those that the inputs were read within.

    Raises:
        ConfigError: the folder cannot be made, or holds an input.
    """

    def __init__(self, folder: Path, items: Sequence[Item], limits: Limits = Limits()) -> None:
        try:
            folder.mkdir(parents=True, exist_ok=True)
        except OSError as error:
            raise ConfigError(f"{folder} cannot be made: {error.strerror}; choose another --annotate") from None
        inside = [item for item in items if isinstance(item, str) and Path(item).parent.resolve() == folder.resolve()]
        if inside:
            raise ConfigError(f"{inside[0]} lies in {folder} and could be overwritten; choose another --annotate")
        self.folder, self.limits = folder, limits
        self._taken: set[str] = set()

    def add(self, item: Item, prediction: Prediction) -> Path:
        """Draws the prediction on its image and returns where it was written.

        Raises:
            ImageError: the image cannot be read any more.
        """
        assert isinstance(item, str | bytes)
        path = self.folder / self._name("stdin" if isinstance(item, bytes) else Path(item).stem)
        draw(decode(item, self.limits, SIDE), prediction).save(path, quality=_QUALITY)
        return path

    def _name(self, stem: str) -> str:
        """A name that no other picture of this run has; file systems may not tell cases apart."""
        number, name = 1, f"{stem}.jpg"
        while name.lower() in self._taken:
            number += 1
            name = f"{stem}-{number}.jpg"
        self._taken.add(name.lower())
        return name
