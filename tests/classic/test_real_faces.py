"""On real faces a model file gives the labels of the classifier that it was made from."""

from pathlib import Path

import pytest

pytest.importorskip("skimage")
pytest.importorskip("skl2onnx")
pytest.importorskip("pyarrow")

from conftest import require
from emolens import zoo
from emolens.classic.recipe import ClassicRecipe
from emolens.classic.train import train_classic
from emolens.data.crops import cut_crops
from emolens.data.readers import read_dataset
from emolens.export.classic import write_classic
from emolens.runtime import OnnxModel
from emolens.training.reading import checked, read_content
from real_faces import first_faces

pytestmark = pytest.mark.slow

LEARNT, ASKED = 1000, 500


@pytest.fixture(scope="module")
def faces(shared_data: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The first faces of FER2013's Training and PublicTest."""
    return first_faces(shared_data, tmp_path_factory.mktemp("faces") / "fer.parquet", LEARNT, ASKED)


@pytest.mark.parametrize("name", ["hog-svm", "facenet-svm"])
def test_five_hundred_faces_have_the_same_labels(name, faces, shared_data, tmp_path, monkeypatch, publish):
    monkeypatch.setenv("EMOLENS_MODELS", str(tmp_path / "models"))
    settings = []
    if name == "facenet-svm":
        network = shared_data / "weights" / "mobilefacenet.onnx"
        require(network.is_file(), str(network))
        publish("sface", network)
        zoo.pull(zoo.entry("sface"))
        settings = ["features.mean=[0.5, 0.5, 0.5]", "features.std=[0.502, 0.502, 0.502]"]
    trained = train_classic(checked(read_content(name, settings), ClassicRecipe, name), faces, tmp_path / "run")
    card = write_classic(trained.classifier, trained.card, trained.held_out, tmp_path / "run" / "model.onnx")
    crops, _ = cut_crops(read_dataset("fer2013", faces, "PublicTest").samples[:ASKED], card.input, card.crop)
    assert len(crops) == ASKED
    expected = trained.classifier.predict(crops)
    found = OnnxModel(tmp_path / "run" / "model.onnx", "cpu").probabilities(crops).argmax(axis=1)
    assert (found == expected).all()
    assert trained.card.metrics["held-out training rows"]["accuracy"] > 0.2  # a seventh is chance
