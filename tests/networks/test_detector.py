"""The detector's network."""

import pytest

torch = pytest.importorskip("torch")

from emolens.detect.own import CHANNELS, STRIDES  # noqa: E402
from emolens.networks.detector import FaceDetector  # noqa: E402


@pytest.mark.parametrize(("height", "width"), [(32, 32), (64, 160), (320, 96)])
def test_any_multiple_of_32_gives_one_map_per_stride(height: int, width: int) -> None:
    maps = FaceDetector().eval()(torch.zeros(2, 3, height, width))
    assert [level.shape for level in maps] == [(2, CHANNELS, height // stride, width // stride) for stride in STRIDES]


def test_an_untrained_network_believes_that_faces_are_rare() -> None:
    maps = FaceDetector().eval()(torch.zeros(1, 3, 64, 64))
    assert all(level[:, 0].sigmoid().max() < 0.1 for level in maps)


def test_a_cell_at_stride_32_sees_a_face_of_several_hundred_pixels() -> None:
    network = FaceDetector().eval()
    image = torch.rand(1, 3, 608, 608, requires_grad=True)
    network(image)[2][0, :, 9, 9].sum().backward()
    assert image.grad is not None
    touched = image.grad.abs().sum(dim=1)[0].any(dim=0).nonzero()
    assert touched.max() - touched.min() >= 400
