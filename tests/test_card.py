"""A card survives the way into a model file and back, and a damaged one is refused with the place of the damage."""

import json
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from pydantic import ValidationError

from emolens.card import METADATA_KEY, ModelCard
from emolens.errors import ModelError

GOOD: dict[str, Any] = {
    "name": "face",
    "version": "1.0",
    "kind": "face",
    "labels": ["happy", "sad"],
    "objective": "distribution",
    "input": {"height": 48, "width": 48, "channels": 1},
}

FRACTIONS = st.floats(0, 1)


def read(card: Any) -> ModelCard:
    return ModelCard.from_metadata({METADATA_KEY: json.dumps(card)}, "model.onnx")


@st.composite
def cards(draw: st.DrawFn) -> ModelCard:
    labels = tuple(draw(st.lists(st.text(min_size=1), min_size=1, max_size=9, unique=True)))
    size = draw(st.none() | st.integers(1, 4096))
    return ModelCard.model_validate(
        {
            "name": draw(st.text(min_size=1, max_size=100)),
            "version": draw(st.text()),
            "kind": draw(st.sampled_from(["face", "scene", "emoji", "generic", "detector"])),
            "labels": labels,
            "objective": draw(st.sampled_from(["distribution", "multilabel", "detection"])),
            "input": {"height": size, "width": size, "channels": draw(st.sampled_from([1, 3]))},
            "crop": {"margin": draw(st.floats(-0.4, 2)), "square": draw(st.booleans())},
            "temperature": draw(st.floats(0.01, 100)),
            "threshold": draw(FRACTIONS),
            "thresholds": draw(st.dictionaries(st.sampled_from(labels), FRACTIONS)),
            "trained_on": tuple(draw(st.lists(st.text(), max_size=3))),
            "metrics": {"PublicTest": {"accuracy": draw(FRACTIONS)}},
        }
    )


@given(cards())
def test_every_card_comes_back_as_it_was_written(card):
    assert ModelCard.from_metadata(card.to_metadata(), "model.onnx") == card


def test_a_short_card_has_the_usual_defaults():
    card = read(GOOD)
    assert (card.temperature, card.threshold, card.thresholds) == (1.0, 0.35, {})
    assert (card.crop.margin, card.crop.square) == (0.0, True)


def test_a_label_has_its_own_threshold_or_the_common_one():
    card = read({**GOOD, "threshold": 0.4, "thresholds": {"sad": 0.2}})
    assert (card.threshold_of("sad"), card.threshold_of("happy")) == (0.2, 0.4)


def test_a_card_of_a_later_version_with_more_fields_is_read():
    assert read({**GOOD, "features": {"step": "hog"}}).name == "face"


def test_a_card_does_not_change_once_made():
    with pytest.raises(ValidationError):
        read(GOOD).name = "other"


def test_a_model_without_a_card_is_sent_to_import():
    with pytest.raises(ModelError, match=r"model\.onnx has no model card.*`emolens models import model\.onnx"):
        ModelCard.from_metadata({"producer": "someone"}, "model.onnx")


@pytest.mark.parametrize(
    ("damage", "place"),
    [
        ({"labels": []}, "labels"),
        ({"labels": ["happy", "happy"]}, "labels repeat"),
        ({"labels": [str(number) for number in range(1001)]}, "labels"),
        ({"kind": "hand"}, "kind"),
        ({"objective": "regression"}, "objective"),
        ({"input": {"height": 0, "width": 48, "channels": 1}}, "input.height"),
        ({"input": {"height": 48, "width": 100_000, "channels": 1}}, "input.width"),
        ({"input": {"height": 48, "width": 48, "channels": 2}}, "input.channels"),
        ({"crop": {"margin": 1e9}}, "crop.margin"),
        ({"temperature": 0}, "temperature"),
        ({"temperature": 1e-300}, "temperature"),
        ({"temperature": float("nan")}, "temperature"),
        ({"temperature": float("inf")}, "temperature"),
        ({"threshold": 1.5}, "threshold"),
        ({"thresholds": {"sad": -0.1}}, "thresholds.sad"),
        ({"thresholds": {"hapy": 0.5}}, "labels that the model lacks: hapy"),
        ({"name": ""}, "name"),
    ],
)
def test_a_damaged_card_is_refused_with_its_file_and_the_place(damage, place):
    with pytest.raises(ModelError, match=r"^model\.onnx: its model card is damaged") as error:
        read({**GOOD, **damage})
    assert place in str(error.value)


@pytest.mark.parametrize("field", GOOD)
def test_a_card_that_lacks_what_every_card_has_is_refused(field):
    with pytest.raises(ModelError, match=f"damaged: {field}: Field required"):
        read({name: value for name, value in GOOD.items() if name != field})


json_values = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(),
    lambda inner: (
        st.lists(inner, max_size=3) | st.dictionaries(st.sampled_from([*GOOD, "thresholds"]), inner, max_size=4)
    ),
    max_leaves=8,
)


@given(
    st.text()
    | st.builds(
        lambda extra: json.dumps({**GOOD, **extra}),
        st.dictionaries(st.sampled_from([*GOOD, "crop", "thresholds"]), json_values),
    )
)
def test_any_text_is_a_card_or_a_model_error(text):
    try:
        card = ModelCard.from_metadata({METADATA_KEY: text}, "model.onnx")
    except ModelError:
        return
    assert len(set(card.labels)) == len(card.labels) > 0
