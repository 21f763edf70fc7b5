"""What the recipe of every classifier says, whatever it trains: data, input, crop. No torch."""

from typing import Annotated, Literal, Self

from pydantic import BaseModel, ConfigDict, Field, model_validator

from emolens.card import Crop, Input
from emolens.data.balance import Balance
from emolens.data.splits import SplitBy
from emolens.labels import label_set


class Part(BaseModel):
    """A part of a recipe: an unknown key is a mistake."""

    model_config = ConfigDict(extra="forbid", frozen=True)


class Data(Part):
    """What is trained on.

    Attributes:
        dataset: the reader's name.
        split: the dataset's own name of the split to train on; None takes all of it.
        validation: what is held out for early looks and the temperature: a share of the split, drawn by `seed`, or the
            dataset's own name of another split.
        split_by: whether a share is drawn by `image`, so that copies of an image stay on one side, or by `row`, as many
            published systems do it, whose figures then flatter.
        labels: the label set that the targets are projected to; None keeps the dataset's own labels.
        sources: the data and its terms, for the model card.
    """

    dataset: str
    split: str | None = None
    validation: Annotated[float, Field(gt=0, lt=1)] | str = 0.1
    split_by: SplitBy = "image"
    labels: str | tuple[str, ...] | None = None
    sources: tuple[str, ...] = ()


class InputSize(Input):
    """As in a card, which may hold keys of a later version; a recipe may not."""

    model_config = ConfigDict(extra="forbid")


class CropRule(Crop):
    """Likewise."""

    model_config = ConfigDict(extra="forbid")


class Plan(Part):
    """The part of a classifier's recipe that says what it learns from, and for what.

    Attributes:
        gives_several: whether an image may have several labels at once.
    """

    task: str
    name: str
    kind: Literal["face", "scene", "emoji", "generic"]
    version: str
    licence: str
    limits: tuple[str, ...] = ()
    data: Data
    input: InputSize
    crop: CropRule = CropRule()
    balance: Balance = "none"
    seed: int = 0

    @property
    def gives_several(self) -> bool:
        return False

    @property
    def labels(self) -> tuple[str, ...]:
        """Of the outputs; a recipe that leaves them to the dataset must have been resolved."""
        assert self.data.labels is not None
        return label_set(self.data.labels) if isinstance(self.data.labels, str) else self.data.labels

    @property
    def size(self) -> tuple[int, int]:
        """Height and width of the crops."""
        assert self.input.height
        assert self.input.width
        return self.input.height, self.input.width

    @model_validator(mode="after")
    def _input_has_a_size(self) -> Self:
        if self.input.height is None or self.input.width is None:
            raise ValueError("input needs a height and a width")
        return self
