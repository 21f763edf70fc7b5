"""What is said of a foreign model is read to the letter, or refused with the option that says it."""

import math
from contextlib import suppress

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from emolens.errors import ConfigError, EmolensError, ModelError
from emolens.export.foreign.about import About, frame, parse_labels, parse_numbers

ABOUT = About(labels=("happy", "sad"))


@given(st.lists(st.floats(-1000, 1000), min_size=1, max_size=4))
def test_numbers_come_back_as_they_were_written(numbers):
    assert parse_numbers(",".join(map(repr, numbers)), "--mean") == tuple(numbers)


@given(st.text())
def test_any_text_is_finite_numbers_or_refused(text):
    with suppress(ConfigError):
        numbers = parse_numbers(text, "--mean")
        assert numbers
        assert all(map(math.isfinite, numbers))


@pytest.mark.parametrize("text", ["", "a", "0.5,", "nan", "inf", "1e9", "0.5;0.5"])
def test_what_is_no_number_is_refused(text):
    with pytest.raises(ConfigError, match="--std wants a number, or one per channel"):
        parse_numbers(text, "--std")


@given(st.text())
def test_any_text_is_labels_that_differ_or_refused(text):
    with suppress(ConfigError):
        labels = About(labels=parse_labels(text)).labels
        assert len(labels) == len(set(labels)) == text.count(",") + 1
        assert all(labels)


def test_labels_get_the_names_that_policies_use():
    assert parse_labels("Anger, Happiness,pondering") == ("angry", "happy", "pondering")


@pytest.mark.parametrize(
    ("fields", "message"),
    [
        ({"labels": ("happy", "sad", "happy")}, "--labels names happy more than once"),
        ({"labels": ("happy", "")}, "none of them empty"),
        ({"labels": ()}, "--labels wants 1 to 1000 names"),
        ({"name": ""}, "--name wants 1 to 100 letters"),
        ({"size": 0}, "--size 0 is not in 1 to 1024"),
        ({"size": 100_000}, "--size 100000 is not in 1 to 1024"),
        ({"channels": 4}, "--channels 4 is neither 1"),
        ({"std": (0.5, 0.0, 0.5)}, "--std must be over zero"),
    ],
)
def test_what_cannot_be_is_refused(fields, message):
    with pytest.raises(ConfigError, match=message):
        About(**{"labels": ("happy", "sad"), **fields})


@pytest.mark.parametrize(
    ("dims", "layout", "size"),
    [
        ((None, 1, 48, 64), "nchw", (48, 64, 1)),
        ((None, 48, 64, 3), "nhwc", (48, 64, 3)),
        ((1, 3, 224, 224), "nchw", (224, 224, 3)),
    ],
)
def test_the_layout_is_where_the_channels_stand(dims, layout, size):
    found, taken = frame(dims, ABOUT, "model.onnx")
    assert found == layout
    assert (taken.height, taken.width, taken.channels) == size


@pytest.mark.parametrize("dims", [(None, None, None, None), (None, 3, 3, 3), (None, 48, 48, 48)])
def test_a_shape_that_can_be_read_in_two_ways_asks_for_the_layout(dims):
    with pytest.raises(ConfigError, match="say --layout nchw or --layout nhwc"):
        frame(dims, ABOUT, "model.onnx")


@given(
    st.lists(st.none() | st.sampled_from([1, 3]) | st.integers(-1, 3000), max_size=6),
    st.sampled_from([None, "nchw", "nhwc"]),
    st.sampled_from([None, 48]),
)
@example([None, 0, 48, 1], "nhwc", None)
@example([None, 3, -1, -1], None, None)
def test_any_shape_becomes_a_size_or_is_refused(dims, layout, size):
    with suppress(EmolensError):
        _, taken = frame(dims, About(labels=("happy", "sad"), layout=layout, size=size), "model.onnx")
        assert taken.channels in (1, 3)
        for side in (taken.height, taken.width):
            assert side in dims or side == size
            assert 0 < side <= 1024


@pytest.mark.parametrize("side", [0, -1, 20_000])
def test_an_image_without_pixels_or_with_too_many_is_refused(side):
    with pytest.raises(ModelError, match="sides of 1 to 1024"):
        frame((None, 3, 48, side), ABOUT, "model.onnx")
