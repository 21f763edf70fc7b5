"""Occlusion finds what an answer rests on, at the same cost for crops of every size."""

from pathlib import Path

import numpy as np
import onnx
import pytest
from numpy.typing import NDArray
from onnx import numpy_helper

from emolens.errors import ConfigError
from emolens.evaluation.explain.occlusion import explain
from emolens.runtime import OnnxModel
from models import make_model_file

SIDE, CORNER = 48, 12
CHECKS = (np.indices((SIDE, SIDE)).sum(axis=0) // 3 % 2).astype(np.float32)


@pytest.fixture
def corner_model(tmp_path: Path) -> OnnxModel:
    """Takes a pattern in the lower left corner for happy, and looks nowhere else."""
    path = make_model_file(tmp_path / "corner.onnx", ("happy", "sad"), SIDE)
    weights = np.zeros((SIDE, SIDE, 2), np.float32)
    weights[-CORNER:, :CORNER, 0] = (2 * CHECKS - 1)[-CORNER:, :CORNER] * 4 / CORNER**2
    graph = onnx.load(path)
    (old,) = [tensor for tensor in graph.graph.initializer if tensor.name == "weights"]
    old.CopyFrom(numpy_helper.from_array(weights.reshape(-1, 2), "weights"))
    onnx.save(graph, path)
    return OnnxModel(path)


@pytest.fixture
def checks() -> NDArray[np.uint8]:
    return (255 * CHECKS[..., None]).astype(np.uint8)


class Counting:
    """Remembers how often a model is asked, and in what portions."""

    def __init__(self, model: OnnxModel) -> None:
        self.model, self.card = model, model.card
        self.asked: list[int] = []

    def probabilities(self, crops: NDArray[np.uint8]) -> NDArray[np.float32]:
        self.asked.append(len(crops))
        return self.model.probabilities(crops)


def test_the_map_is_over_what_the_answer_rests_on_and_zero_elsewhere(
    corner_model: OnnxModel, checks: NDArray[np.uint8]
) -> None:
    heat = explain(corner_model, checks)
    assert heat.shape == (SIDE, SIDE)
    assert heat.dtype == np.float32
    corner = heat[-CORNER:, :CORNER]
    assert corner.min() > 0
    assert heat.argmax() in np.arange(SIDE * SIDE).reshape(SIDE, SIDE)[-CORNER:, :CORNER]
    reach = CORNER + 3 * SIDE // 18 + 2
    assert np.all(heat[:-reach] == 0)
    assert np.all(heat[:, reach:] == 0)


def test_what_speaks_for_one_label_speaks_as_much_against_the_other(
    corner_model: OnnxModel, checks: NDArray[np.uint8]
) -> None:
    np.testing.assert_allclose(explain(corner_model, checks, "sad"), -explain(corner_model, checks, "happy"), atol=1e-6)


def test_the_likeliest_label_is_explained_unless_another_is_asked_for(
    corner_model: OnnxModel, checks: NDArray[np.uint8]
) -> None:
    np.testing.assert_array_equal(explain(corner_model, checks), explain(corner_model, checks, "happy"))


def test_values_are_falls_of_the_probability(corner_model: OnnxModel, checks: NDArray[np.uint8]) -> None:
    whole = corner_model.probabilities(checks[None])[0, 0]
    blank = corner_model.probabilities(np.full_like(checks, 128)[None])[0, 0]
    assert 0 < explain(corner_model, checks).max() <= whole - blank + 1e-3


def test_a_crop_without_features_has_an_empty_map(corner_model: OnnxModel) -> None:
    assert not explain(corner_model, np.full((SIDE, SIDE, 1), 90, np.uint8)).any()


@pytest.mark.parametrize(("size", "channels"), [(8, 1), (48, 1), (97, 3)])
def test_the_cost_is_the_same_for_every_size(tmp_path: Path, size: int, channels: int) -> None:
    model = Counting(OnnxModel(make_model_file(tmp_path / "tiny.onnx", size=size, channels=channels)))
    crop = np.random.default_rng(0).integers(0, 256, (size, size, channels), dtype=np.uint8)
    heat = explain(model, crop)
    assert heat.shape == (size, size)
    assert np.isfinite(heat).all()
    assert heat.any()
    assert sum(model.asked) == 401
    assert max(model.asked) <= 64


def test_a_label_that_the_model_lacks_is_refused_with_the_nearest(
    corner_model: OnnxModel, checks: NDArray[np.uint8]
) -> None:
    with pytest.raises(ConfigError, match="'hapy' is no label of corner; did you mean 'happy'"):
        explain(corner_model, checks, "hapy")
