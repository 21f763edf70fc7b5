"""On real faces a model file gives the labels of the network that it was made from."""

from pathlib import Path

import numpy as np
import pytest

pytest.importorskip("torch")

from emolens.data.crops import cut_crops
from emolens.data.readers import read_dataset
from emolens.export.run import export_run
from emolens.export.source import Source
from emolens.probability import calibrated
from emolens.runtime import OnnxModel
from emolens.training.recipe import load_recipe
from emolens.training.train import train
from emolens.training.trained import open_trained
from real_faces import first_faces

pytestmark = pytest.mark.slow

LEARNT, ASKED = 200, 500
SMALL = "input={height: 48, width: 48, channels: 3}"
SYSTEMS = {
    "fer2013-cnn": ("data.split=Training",),
    "faces-custom-cnn": (SMALL,),
    "faces-resnet18": (SMALL, "network.pretrained=false", "network.freeze=none"),
    # It has learnt from faces, as pictures of emoji are not here; that its labels are the same is what counts.
    "emoji-cnn": ("data={dataset: fer2013, split: Training, labels: fer7}",),
}


@pytest.fixture(scope="module")
def faces(shared_data: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The first faces of FER2013's Training and PublicTest."""
    return first_faces(shared_data, tmp_path_factory.mktemp("faces") / "fer.parquet", LEARNT, ASKED)


@pytest.mark.parametrize("name", SYSTEMS)
def test_five_hundred_faces_have_the_same_labels(name: str, faces: Path, tmp_path: Path) -> None:
    recipe = load_recipe(name, [*SYSTEMS[name], "optimisation.epochs=1", "optimisation.batch_size=32"])
    train(recipe, faces, tmp_path / "run")
    card = export_run(tmp_path / "run", tmp_path / "model.onnx")
    crops, _ = cut_crops(read_dataset("fer2013", faces, "PublicTest").samples[:ASKED], card.input, card.crop)
    assert len(crops) == ASKED
    learnt = open_trained(tmp_path / "run")
    source = Source(learnt.network, learnt.card, learnt.pixels.mean, learnt.pixels.std)
    expected = calibrated(source.answers(crops)[0], card)
    found = OnnxModel(tmp_path / "model.onnx", "cpu").probabilities(crops)
    np.testing.assert_array_equal(found.argmax(axis=1), expected.argmax(axis=1))
