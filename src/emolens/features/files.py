"""The model files that feature steps run: found by name, and taken only if they are the very ones."""

from pathlib import Path

from emolens import zoo
from emolens.card import Features
from emolens.errors import ModelError
from emolens.session import file_hash


def find_model(features: Features, source: Path) -> Path:
    """The file that a step needs: beside the model file, or in the folder of pulled models.

    Args:
        features: say its name and its sha256.
        source: the model file that needs it.

    Raises:
        ModelError: it is in neither place, or another file has its name.
    """
    assert features.model is not None
    known = next((entry for entry in zoo.entries().values() if entry.sha256 == features.sha256), None)
    places = [source.parent / features.model, zoo.cache_folder() / features.model]
    if known is not None:
        places.append(known.path)
    present = [place for place in places if place.is_file()]
    for place in present:
        if file_hash(place) == features.sha256:
            return place
    if present:
        found = f"but {present[0]} is another file"
        remedy = "put the right one in its place"
    else:
        found = "and it is not here"
        remedy = f"copy it beside {source.name}, or into {zoo.cache_folder()}"
    if known is not None:
        remedy = f"fetch it with `emolens models pull {known.name}`"
    raise ModelError(
        f"{source} needs '{features.model}' (sha256 {features.sha256}), which makes its features, {found}; {remedy}"
    )
