"""Slices: which samples are in them, and what is measured there."""

import numpy as np
import pytest

from emolens.data.samples import Dataset, Sample
from emolens.evaluation.metrics import compute_metrics
from emolens.evaluation.slices import find_slices, measure_slices, slice_metrics
from emolens.evaluation.traits import crop_traits

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


def dataset(*metadata: dict[str, str]) -> Dataset:
    happy = np.array([1, 0], dtype=np.float32)
    return Dataset(
        "made", LABELS, tuple(Sample(str(i), b"", happy, "test", metadata=one) for i, one in enumerate(metadata))
    )


def found(*metadata: dict[str, str]) -> dict[str, list[int]]:
    """The slices by metadata alone, as rows."""
    traits = np.full((len(metadata), 4), np.nan, dtype=np.float32)
    return {name: np.flatnonzero(part).tolist() for name, part in find_slices(dataset(*metadata), traits).items()}


def test_a_column_with_few_values_has_a_slice_for_each_and_who_has_none_is_in_none() -> None:
    assert found({"camera": "webcam"}, {"camera": "phone"}, {"camera": ""}, {}, {"camera": "phone"}) == {
        "camera: phone": [1, 4],
        "camera: webcam": [0],
    }
    assert list(found({"age": "7"}, {"age": "31"}, {"age": "100"})) == ["age: 7", "age: 31", "age: 100"]


def test_a_column_of_many_numbers_is_cut_into_quarters() -> None:
    slices = found(*({"age": str(age)} for age in range(40, 0, -1)), {"age": ""})
    assert {name: len(rows) for name, rows in slices.items()} == {
        "age: 1 to 10": 10,
        "age: 11 to 20": 10,
        "age: 21 to 30": 10,
        "age: 31 to 40": 10,
    }
    assert slices["age: 31 to 40"] == list(range(10))


@pytest.mark.parametrize(
    "values", [[f"name {i}" for i in range(20)], ["a" * 41, "b"], ["same", "same"], [*map(str, range(20)), "inf"]]
)
def test_free_text_and_what_is_alike_everywhere_is_no_slice(values: list[str]) -> None:
    assert found(*({"column": value} for value in values)) == {}


def test_slices_by_metadata_are_bounded() -> None:
    rows = [{f"column {i}": value for i in range(100)} for value in "abcd"]
    assert len(found(*rows)) == 60


def test_faces_are_small_or_large_and_those_of_no_size_neither() -> None:
    traits = np.full((5, 4), np.nan, dtype=np.float32)
    traits[:, 3] = [4, 35, 48, np.nan, np.nan]
    slices = find_slices(dataset(*({} for _ in range(5))), traits)
    assert {name: part.tolist() for name, part in slices.items()} == {
        "small": [True, False, False, False, False],
        "large": [False, False, True, False, False],
    }


def test_traits_may_be_measured_chunk_by_chunk_and_what_was_not_answered_is_in_no_slice_by_them() -> None:
    whole = crop_traits(CROPS)
    np.testing.assert_array_equal(np.concatenate([crop_traits(CROPS[:2]), crop_traits(CROPS[2:])]), whole)
    assert crop_traits(CROPS[:0]).shape == (0, 3)
    whole[0] = np.nan
    slices = find_slices(dataset(*({} for _ in CROPS)), whole)
    assert not any(part[0] for part in slices.values())


def test_a_slice_is_measured_as_the_whole_is() -> None:
    probabilities, answered = np.array([[0.9, 0.1], [0, 0], [0.8, 0.2]]), np.array([True, False, True])
    targets = np.array([[1.0, 0], [1, 0], [1, 0]])
    parts = {"seen": answered, "unseen": ~answered}
    measured = measure_slices(
        parts, lambda part: compute_metrics(probabilities[part], targets[part], LABELS, answered[part])
    )
    assert measured == {"seen": {"n": 2, "accuracy": 1.0}, "unseen": {"n": 1, "accuracy": 0.0}}
