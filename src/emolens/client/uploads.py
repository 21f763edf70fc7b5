"""Images as they are sent: files as they are, pixels as PNG."""

import io
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, field
from itertools import islice

from PIL import Image

from emolens.errors import ConfigError, ImageError
from emolens.image import ImageSource, Limits, decode, read_file, source_name
from emolens.results import Failure

# Of one request with many images; servers hold a few of them at once.
_BATCH_BYTES = 16 * 2**20


@dataclass(frozen=True)
class Upload:
    """An image to be sent.

    Attributes:
        name: of the image in results; not sent.
        data: the image file.
    """

    name: str
    data: bytes = field(repr=False)


def upload(source: ImageSource, name: str, limits: Limits) -> Upload:
    """Makes an upload of whatever an image comes as.

    Raises:
        ImageError: the file cannot be read, or it is no image that is given.
    """
    if isinstance(source, bytes):
        return Upload(name, source)
    if isinstance(source, str) or hasattr(source, "__fspath__"):
        return Upload(name, read_file(source, name, limits))
    file = io.BytesIO()
    # Pixels have to arrive as they are, and soon: the smallest effort makes them half as large.
    Image.fromarray(decode(source, limits).pixels).save(file, "PNG", compress_level=1)
    return Upload(name, file.getvalue())


def try_upload(source: ImageSource, name: str, limits: Limits) -> Upload | Failure:
    """The same, but a `Failure` for what cannot be read."""
    try:
        return upload(source, name, limits)
    except ImageError as error:
        return Failure.from_error(name, error)


def check_many(batch_size: int, parallel: int) -> None:
    """Raises ConfigError where so many images, or so many requests, are none."""
    if batch_size < 1 or parallel < 1:
        raise ConfigError(f"a batch has at least one image, and one is on its way, not {batch_size} and {parallel}")


def named_batches(sources: Iterable[ImageSource], size: int) -> Iterator[list[tuple[str, ImageSource]]]:
    """So many at a time, each with its name."""
    named = ((source_name(source, index), source) for index, source in enumerate(sources))
    while batch := list(islice(named, size)):
        yield batch


def groups(uploads: Sequence[Upload | Failure]) -> Iterator[dict[int, Upload]]:
    """What goes into one request each, by its place: no failures, and no more bytes than a server takes as a rule."""
    group: dict[int, Upload] = {}
    held = 0
    for place, one in enumerate(uploads):
        if isinstance(one, Failure):
            continue
        if group and held + len(one.data) > _BATCH_BYTES:
            yield group
            group, held = {}, 0
        group[place] = one
        held += len(one.data)
    if group:
        yield group
