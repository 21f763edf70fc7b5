"""Says in one line which extra is missing."""

from collections.abc import Iterator
from contextlib import AbstractContextManager, contextmanager

from emolens.errors import MissingExtraError


def training_side(purpose: str) -> AbstractContextManager[None]:
    """Turns a failed import of the training side's libraries into the line that names the extra."""
    return needing("train", purpose)


@contextmanager
def needing(extra: str, purpose: str) -> Iterator[None]:
    """Turns a failed import into the line that names the extra."""
    try:
        yield
    except ModuleNotFoundError as error:
        # A missing module of our own is a fault, not a missing extra.
        if (error.name or "").partition(".")[0] == "emolens":
            raise
        raise MissingExtraError(extra, purpose) from None
