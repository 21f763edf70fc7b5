"""Whether the model files that are here are what they should be."""

from emolens.detect.own import OwnDetector
from emolens.errors import ModelError
from emolens.runtime import OnnxModel
from emolens.zoo import card_of, embedded, entries, find, own


def present() -> list[str]:
    """The names of the models whose files are here."""
    return [*embedded(), *(name for name, entry in entries().items() if entry.path.is_file()), *own()]


def verify(name: str) -> None:
    """Checks one model: a pulled one by size and sha256; any other must open, have a card, and be what the card says.

    Args:
        name: of a model, or the path of a model file.

    Raises:
        ModelError: what is wrong.
        MissingExtraError: as of `find`.
    """
    try:
        _check(name)
    except OSError as error:
        raise ModelError(f"{error.filename or name} cannot be read: {error.strerror}; make it readable") from None


def _check(name: str) -> None:
    if name in entries() and name not in embedded():
        entries()[name].check()
        return
    path = find(name)
    if card_of(path).kind == "detector":
        OwnDetector(path, device="cpu", threads=1)
    else:
        OnnxModel(path, "cpu", threads=1)
