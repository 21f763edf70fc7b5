"""The face recognition weights that face-api.js carries, as a safetensors file to begin a training with.

    python -m emolens.export.face_api MODEL_FOLDER --dataset ferplus --data fer2013plus.parquet --out dlib.safetensors

MODEL_FOLDER is `model/` of the npm package `@vladmandic/face-api` (MIT). Its `face_recognition_model` holds dlib's
weights (public domain) in 8 bits: the tensors that `-weights_manifest.json` names, one after the other in `.bin`.
"""

import argparse
import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np
import torch
from torch import Tensor, nn

from emolens.card import Crop, Input
from emolens.data.crops import cut_crops
from emolens.data.readers import read_dataset
from emolens.data.samples import Dataset
from emolens.errors import DataError
from emolens.networks.dlib_resnet import DlibResNet
from emolens.training.run import write_weights

MEAN, STD = 117.001 / 255, 256 / 255
"""The normalisation that grey crops need: what the original does to green, of pixels in 0 to 1."""

_MEANS = (122.782, 117.001, 104.298)
_MODEL = "face_recognition_model"
_SIDE = 48
_FACES = 512
_LARGEST = 64 << 20


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("folder", type=Path)
    parser.add_argument("--dataset", required=True, help="the name of a reader of face crops")
    parser.add_argument("--data", type=Path, required=True)
    parser.add_argument("--out", type=Path, required=True)
    arguments = parser.parse_args()
    convert(arguments.folder, read_dataset(arguments.dataset, arguments.data), arguments.out)


def convert(folder: Path, faces: Dataset, out: Path) -> None:
    """Writes the weights of a `DlibResNet` for grey crops.

    The original has no batch norm but a scale and a shift after each convolution. They become a batch norm that does
    the same with the statistics which these faces give, so that it does nearly the same with those of a batch.

    Args:
        folder: with the manifest and the weights.
        faces: crops of faces; some hundreds are enough.
        out: the `.safetensors` file to write.

    Raises:
        DataError: the folder does not hold that model, or no face can be read.
    """
    network = DlibResNet(classes=1, channels=1)
    for name, value in read_tensors(folder):
        _put(network, name, value)
    crops, _ = cut_crops(faces.samples[:_FACES], Input(height=_SIDE, width=_SIDE, channels=1), Crop())
    if not len(crops):
        raise DataError(f"{faces.name} holds no face that can be read; give another --data")
    calibrate(network, (torch.from_numpy(crops).permute(0, 3, 1, 2) / 255 - MEAN) / STD)
    write_weights(network.state_dict(), out)


def read_tensors(folder: Path) -> Iterator[tuple[str, Tensor]]:
    """The tensors of the model under their names, as float32.

    Raises:
        DataError: a file is missing or is not what the manifest says.
    """
    manifest, weights = folder / f"{_MODEL}-weights_manifest.json", folder / f"{_MODEL}.bin"
    try:
        if weights.stat().st_size > _LARGEST:
            raise DataError(f"{weights} is larger than the model can be; install the npm package again")
        raw, entries = weights.read_bytes(), json.loads(manifest.read_text(encoding="utf-8"))[0]["weights"]
        start = 0
        for entry in entries:
            count, quantised = int(np.prod(entry["shape"])), entry.get("quantization")
            values = np.frombuffer(raw, np.uint8 if quantised else np.float32, count, start).astype(np.float32)
            start += count * (1 if quantised else 4)
            if quantised:
                values = values * np.float32(quantised["scale"]) + np.float32(quantised["min"])
            yield entry["name"], torch.from_numpy(values.reshape(entry["shape"]))
    except (OSError, ValueError, KeyError, IndexError, TypeError) as error:
        raise DataError(f"{folder} does not hold {_MODEL}: {error}; it is `model/` of @vladmandic/face-api") from None


def _put(network: DlibResNet, name: str, value: Tensor) -> None:
    if "/" not in name:  # the embedding after the last block, which a classifier does not have
        return
    *path, kind, field = name.split("/")
    layer: Any = network.features.get_submodule(".".join(path))
    if kind == "scale":
        {"weights": layer.norm.weight, "biases": layer.norm.bias}[field].data.copy_(value)
    elif field == "bias":
        layer.conv.bias.data.add_(value)
    elif value.shape[2] == len(_MEANS):
        # A grey picture is the same in all three channels, which differ in what is subtracted.
        kernel = value.permute(3, 2, 0, 1)
        offsets = (torch.tensor(_MEANS) - _MEANS[1]) / 256
        layer.conv.weight.data.copy_(kernel.sum(dim=1, keepdim=True))
        layer.conv.bias.data.sub_((kernel.sum(dim=(2, 3)) * offsets).sum(dim=1))
    else:
        layer.conv.weight.data.copy_(value.permute(3, 2, 0, 1))


@torch.no_grad()
def calibrate(network: nn.Module, images: Tensor) -> None:
    """Gives every batch norm the statistics of what it gets from these images, without changing what it computes.

    Args:
        network: whose batch norms have mean 0 and variance 1.
        images: `(N, C, H, W)` normalised float.
    """

    def adopt(norm: nn.Module, inputs: tuple[Tensor]) -> None:
        assert isinstance(norm, nn.BatchNorm2d)
        mean, variance = inputs[0].mean(dim=(0, 2, 3)), inputs[0].var(dim=(0, 2, 3))
        weight, old = norm.weight.clone(), (1 + norm.eps) ** 0.5
        norm.weight.copy_(weight / old * (variance + norm.eps).sqrt())
        norm.bias.add_(weight / old * mean)
        norm.running_mean, norm.running_var = mean, variance

    norms = [part for part in network.modules() if isinstance(part, nn.BatchNorm2d)]
    hooks = [norm.register_forward_pre_hook(adopt) for norm in norms]
    network.eval()(images)
    for hook in hooks:
        hook.remove()


if __name__ == "__main__":
    main()
