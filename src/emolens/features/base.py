"""What every feature step fulfils, and how its parameters are read from a card."""

from pathlib import Path
from typing import Protocol, TypeVar

import numpy as np
from numpy.typing import NDArray
from pydantic import BaseModel, ConfigDict, ValidationError

from emolens.card import Features
from emolens.errors import ModelError


class FeatureStep(Protocol):
    """Makes a vector of each crop.

    Attributes:
        size: F, how many numbers a vector has.
    """

    size: int

    def __call__(self, crops: NDArray[np.uint8]) -> NDArray[np.float32]:
        """The features of `(N, H, W, C)` uint8 crops at the card's input size.

        Returns:
            `(N, F)` float32; a row of NaN for a crop in which nothing was found.
        """


class Parameters(BaseModel):
    """What a step can be told, in a card and in a recipe.

    A card may hold keys of a later version; here an unknown key is refused, as it would change the features.
    """

    model_config = ConfigDict(frozen=True, extra="forbid", allow_inf_nan=False)


Own = TypeVar("Own", bound=Parameters)


def parse_parameters(kind: type[Own], features: Features, source: Path) -> Own:
    """The parameters that a card gives its step.

    Raises:
        ModelError: one is unknown or wrong.
    """
    try:
        return kind.model_validate(features.parameters)
    except ValidationError as error:
        first = error.errors(include_url=False, include_context=False)[0]
        place = ".".join(("features", *map(str, first["loc"])))
        raise ModelError(
            f"{source}: its model card asks the step '{features.step}' for what it does not know: {place}: "
            f"{first['msg']}; update emolens, or export the model again"
        ) from None
