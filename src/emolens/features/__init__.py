"""Feature steps: what stands between a crop and a model that takes no pixels; one small file per step."""

from pathlib import Path

from emolens.card import Features, Input
from emolens.features.base import FeatureStep, parse_parameters
from emolens.features.files import find_model

__all__ = ["FeatureStep", "open_step"]


def open_step(features: Features, size: Input, source: Path, threads: int = 0) -> FeatureStep:
    """Opens the step that a card names.

    Args:
        features: of the card.
        size: of the card, too: that of the crops.
        source: the model file with this card; what the step needs may stand beside it.
        threads: for one call; 0 leaves it to the library.

    Raises:
        ModelError: a parameter is wrong, or the model file that the step needs is missing or another one.
        MissingExtraError: the step needs a library that is not installed.
    """
    if features.step == "hog":
        from emolens.features.hog import Hog, HogParameters

        return Hog(parse_parameters(HogParameters, features, source), size)
    path = find_model(features, source)
    if features.step == "embedding":
        from emolens.features.embedding import Embedding, EmbeddingParameters

        return Embedding(parse_parameters(EmbeddingParameters, features, source), size, path, threads)
    from emolens.features.landmarks import Landmarks, LandmarksParameters

    return Landmarks(parse_parameters(LandmarksParameters, features, source), size, path, threads)
