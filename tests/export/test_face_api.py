"""Foreign face recognition weights become ones to begin with: the same function, for grey crops, with batch norms."""

import json
from pathlib import Path

import numpy as np
import pytest
import torch

from emolens.data.samples import Dataset, Sample
from emolens.errors import DataError
from emolens.export.face_api import MEAN, STD, calibrate, convert, read_tensors
from emolens.networks.build import DlibResNetChoice
from emolens.networks.dlib_resnet import DlibResNet
from emolens.networks.weights import load_weights
from fer_tables import face_png

NAME = "face_recognition_model"


def write_model(folder: Path, seed: int = 0) -> dict[str, torch.Tensor]:
    """The layout of face-api.js with random weights: some in 8 bits, the last one in float32."""
    random, entries, content, tensors = np.random.default_rng(seed), [], b"", {}
    for name, part in DlibResNet(1, channels=3).features.named_modules():
        if not hasattr(part, "conv"):
            continue
        out, into, side, _ = part.conv.weight.shape
        shapes = {"conv/filters": (side, side, into, out)}
        shapes |= dict.fromkeys(("conv/bias", "scale/weights", "scale/biases"), (out,))
        for kind, shape in shapes.items():
            codes = random.integers(0, 256, shape, dtype=np.uint8)
            low, step = (0.5, 0.002) if kind == "scale/weights" else (-0.128, 0.001)
            path = f"{name.replace('.', '/')}/{kind}"
            quantization = {"dtype": "uint8", "scale": step, "min": low}
            entries.append({"name": path, "shape": list(shape), "dtype": "float32", "quantization": quantization})
            content += codes.tobytes()
            tensors[path] = torch.from_numpy(codes.astype(np.float32) * np.float32(step) + np.float32(low))
    fc = random.normal(size=(256, 128)).astype(np.float32)
    entries.append({"name": "fc", "shape": [256, 128], "dtype": "float32"})
    folder.mkdir(exist_ok=True)
    (folder / f"{NAME}.bin").write_bytes(content + fc.tobytes())
    (folder / f"{NAME}-weights_manifest.json").write_text(json.dumps([{"weights": entries, "paths": [f"{NAME}.bin"]}]))
    return tensors


def faces(count: int = 6) -> Dataset:
    target = np.ones(1, dtype=np.float32)
    return Dataset("made", ("happy",), tuple(Sample(str(i), face_png(i), target, "train") for i in range(count)))


def test_tensors_come_back_as_they_were_quantised(tmp_path: Path) -> None:
    written = write_model(tmp_path / "model")
    read = dict(read_tensors(tmp_path / "model"))
    assert set(read) == {*written, "fc"}
    for name, value in written.items():
        torch.testing.assert_close(read[name], value)


@pytest.mark.slow
def test_the_first_convolution_gives_for_grey_what_the_original_gives_for_three_equal_channels(tmp_path: Path) -> None:
    tensors = write_model(tmp_path / "model")
    convert(tmp_path / "model", faces(), tmp_path / "out.safetensors")
    network = DlibResNetChoice(name="dlib_resnet").build(1, 1, (48, 48)).eval()
    load_weights(network, tmp_path / "out.safetensors")

    pixels = torch.rand(2, 1, 60, 60, generator=torch.Generator().manual_seed(0)) * 255
    means = torch.tensor([122.782, 117.001, 104.298]).view(-1, 1, 1)
    kernel, bias, weight, shift = (
        tensors[f"conv32_down/{kind}"] for kind in ("conv/filters", "conv/bias", "scale/weights", "scale/biases")
    )
    original = torch.nn.functional.conv2d((pixels - means) / 256, kernel.permute(3, 2, 0, 1), bias, stride=2)
    original = original * weight.view(-1, 1, 1) + shift.view(-1, 1, 1)
    layer = network.features.get_submodule("conv32_down")
    with torch.inference_mode():
        torch.testing.assert_close(layer((pixels / 255 - MEAN) / STD), original, atol=1e-3, rtol=1e-3)


def test_calibrating_changes_the_statistics_and_not_what_is_computed() -> None:
    torch.manual_seed(0)
    network = DlibResNet(2, resolution=104).eval()
    images = torch.randn(4, 1, 48, 48)
    with torch.inference_mode():
        before = network(images)
    calibrate(network, images)
    with torch.inference_mode():
        torch.testing.assert_close(network(images), before, atol=1e-3, rtol=1e-3)
    norm = network.features.get_submodule("conv32_down.norm")
    assert isinstance(norm, torch.nn.BatchNorm2d)
    assert norm.running_var is not None
    assert not torch.allclose(norm.running_var, torch.ones(32))


def test_what_is_not_that_model_is_refused_in_words(tmp_path: Path) -> None:
    with pytest.raises(DataError, match="does not hold face_recognition_model"):
        convert(tmp_path, faces(), tmp_path / "out.safetensors")
    write_model(tmp_path / "model")
    (tmp_path / "model" / f"{NAME}.bin").write_bytes(b"short")
    with pytest.raises(DataError, match="does not hold face_recognition_model"):
        convert(tmp_path / "model", faces(), tmp_path / "out.safetensors")
    (tmp_path / "model" / f"{NAME}-weights_manifest.json").write_text("[]")
    with pytest.raises(DataError, match="does not hold face_recognition_model"):
        list(read_tensors(tmp_path / "model"))
    assert not (tmp_path / "out.safetensors").exists()
