"""Says in one line which extra is missing."""

from collections.abc import Iterator
from contextlib import contextmanager

from emolens.errors import MissingExtraError


@contextmanager
def training_side(purpose: str) -> Iterator[None]:
    """Turns a failed import of the training side's libraries into the line that names the extra."""
    try:
        yield
    except ModuleNotFoundError as error:
        # A missing module of our own is a fault, not a missing extra.
        if (error.name or "").partition(".")[0] == "emolens":
            raise
        raise MissingExtraError("train", purpose) from None
