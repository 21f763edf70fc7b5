"""What an export is compared by."""

import numpy as np
import pytest
import torch
from torch import nn

from emolens.card import Input, ModelCard
from emolens.detect.own import CHANNELS, STRIDES
from emolens.errors import ModelError
from emolens.export.formats import Format
from emolens.export.parity import check_parity
from emolens.export.source import Source, comparable

DETECTOR = ModelCard(
    name="finder",
    version="1",
    kind="detector",
    labels=("face",),
    objective="detection",
    input=Input(height=None, width=None, channels=3),
    threshold=0.5,
)
FACE = ModelCard(
    name="tiny",
    version="1",
    kind="face",
    labels=("happy", "sad"),
    objective="distribution",
    input=Input(height=8, width=8, channels=1),
)


def maps() -> list[np.ndarray]:
    rng = np.random.default_rng(0)
    return [rng.normal(-6, 0.1, (2, CHANNELS, 64 // stride, 64 // stride)).astype(np.float32) for stride in STRIDES]


def test_of_a_detector_the_boxes_of_faces_count_and_nan_anywhere() -> None:
    reference, elsewhere, moved, broken = maps(), maps(), maps(), maps()
    for levels in (reference, elsewhere, moved, broken):
        levels[0][0, 0, 3, 3] = 5.0
    elsewhere[0][0, 1:5, 2, 2] += 1  # where nobody sees a face
    moved[0][0, 1, 3, 3] += 1
    broken[2][1, 4, 1, 1] = np.nan
    expected = comparable(reference, DETECTOR, reference)
    np.testing.assert_array_equal(comparable(elsewhere, DETECTOR, reference), expected)
    assert np.abs(comparable(moved, DETECTOR, reference) - expected).max() == pytest.approx(1)
    assert np.isnan(comparable(broken, DETECTOR, reference)).any()


def test_float16_that_overflows_is_seen_before_a_graphics_processor_does() -> None:
    network = nn.Sequential(nn.Conv2d(1, 4, 3), nn.Flatten(), nn.Linear(144, 2))
    with torch.no_grad():
        network[0].weight.mul_(1e5)
        network[2].weight.mul_(1e-6)
    source = Source(network, FACE, [0.5], [0.25])
    crops = np.random.default_rng(0).integers(0, 256, (4, 8, 8, 1), dtype=np.uint8)
    exact, half = source.answers(crops), source.answers(crops, source.halved())
    expected, found = (comparable(one, FACE, exact) for one in (exact, half))
    with pytest.raises(ModelError, match="onnx-fp16 file or the network answers with NaN"):
        check_parity(Format.onnx_fp16, expected, found)
