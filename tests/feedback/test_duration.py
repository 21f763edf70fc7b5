"""Spans of time, as people write them."""

from datetime import timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from emolens.errors import ConfigError
from emolens.feedback.duration import parse_duration

HOURS = {"h": 1, "d": 24, "w": 24 * 7, "y": 24 * 365}


@given(st.integers(0, 1000), st.sampled_from(sorted(HOURS)), st.booleans())
def test_a_number_and_a_unit_are_a_span(number: int, unit: str, loud: bool) -> None:
    text = f" {number}{unit.upper() if loud else unit} "
    assert parse_duration(text) == timedelta(hours=number * HOURS[unit])


@given(st.text(max_size=12))
def test_whatever_is_typed_is_a_span_or_refused_in_one_line(text: str) -> None:
    refusal = ""
    try:
        assert timedelta(0) <= parse_duration(text) <= timedelta(days=365_000)
    except ConfigError as refused:
        refusal = str(refused)
    assert refusal.isprintable()


@pytest.mark.parametrize("text", ["", "90", "d", "-1d", "1.5d", "1 d", "1d2h", "٣d", "999999y", "1d\n2"])
def test_what_is_no_span_is_refused_with_an_example(text: str) -> None:
    with pytest.raises(ConfigError, match="such as 90d"):
        parse_duration(text)
