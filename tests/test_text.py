"""Probabilities in words."""

import pytest

from emolens.text import percent


@pytest.mark.parametrize(("probability", "said"), [(0.0, "0%"), (0.005, "<1%"), (0.456, "46%"), (1.0, "100%")])
def test_what_is_not_nothing_is_not_shown_as_nothing(probability: float, said: str) -> None:
    assert percent(probability) == said
