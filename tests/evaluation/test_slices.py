"""Slices: which samples are in them, and what is measured there."""

import numpy as np
import pytest

from emolens.evaluation.slices import slice_metrics

LABELS = ("happy", "sad")


def picture(mean: float, contrast: float, grain: float) -> np.ndarray:
    """A slope of grey from left to right, and a chessboard over it."""
    slope = np.linspace(-contrast, contrast, 16)[None, :].repeat(16, axis=0)
    board = np.indices((16, 16)).sum(axis=0) % 2 - 0.5
    return (mean + slope + grain * board).round().astype(np.uint8)[..., None]


CROPS = np.stack([
    picture(30, 10, 1), picture(220, 10, 1), picture(100, 0, 0), picture(120, 90, 1), picture(110, 10, 30),
])  # fmt: skip


def measured(targets: list[list[float]]) -> dict:
    """Every row is predicted to be happy."""
    probabilities = np.tile(np.array([0.75, 0.25], dtype=np.float32), (5, 1))
    return slice_metrics(probabilities, np.array(targets, dtype=np.float32), LABELS, CROPS)


@pytest.mark.parametrize(
    ("row", "inside"),
    [(0, "dark"), (1, "bright"), (2, "blurred"), (2, "little contrast"), (3, "much contrast"), (4, "sharp")],
)
def test_the_outermost_quarters_are_measured_apart(row: int, inside: str) -> None:
    hard = [[0.0, 1.0] if number == row else [1.0, 0.0] for number in range(5)]
    slices = measured(hard)
    assert slices[inside]["n"] < 4
    assert slices[inside]["accuracy"] == pytest.approx(1 - 1 / slices[inside]["n"])
    assert "kl" not in slices[inside]
    assert "people agree" not in slices


def test_votes_tell_where_people_agree() -> None:
    slices = measured([[0.9, 0.1], [0.6, 0.4], [0.4, 0.6], [1.0, 0.0], [0.8, 0.2]])
    assert {name: slices[name]["n"] for name in ("people agree", "people differ")} == {
        "people agree": 3,
        "people differ": 2,
    }
    assert slices["people differ"]["accuracy"] == 0.5
    assert slices["people agree"]["kl"] > 0
