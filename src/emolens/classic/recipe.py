"""The recipe of a classic system: what makes features of a crop, and what classifies them."""

from typing import Annotated, Literal

from pydantic import Field

from emolens.classic.heads import LogisticHead, MlpHead, SvmHead
from emolens.classic.steps import EmbeddingChoice, HogChoice, LandmarksChoice
from emolens.training.plan import Plan


class ClassicRecipe(Plan):
    """Everything that a classic system's training depends on but the data's path.

    Attributes:
        balance: `sampler` is for networks; `class_weights` weighs the errors of the head.
    """

    task: Literal["classic"] = "classic"
    balance: Literal["none", "down", "over", "class_weights"] = "none"
    features: Annotated[HogChoice | EmbeddingChoice | LandmarksChoice, Field(discriminator="step")]
    head: Annotated[SvmHead | LogisticHead | MlpHead, Field(discriminator="name")]
