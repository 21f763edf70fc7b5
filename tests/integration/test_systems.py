"""Models of every kind answer everywhere, and alike: those that take pixels, those that take features, and of emoji."""

import csv
import json
import shutil
import subprocess
import sys
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import closing
from pathlib import Path
from typing import Any

import pytest
from PIL import Image

pytest.importorskip("skimage")

from conftest import ROOT
from emoji_packages import face
from emolens.client import Client
from emolens.features.landmarks import Landmarks
from emolens.image import Limits
from emolens.labels import LABEL_SETS
from emolens.results import Prediction
from emolens.session import file_hash
from emolens.ui.backend import DETECTOR, Local, Remote
from emolens.ui.pictures import Picture
from feature_models import make_embedding_network, make_feature_model
from fer_tables import fer_row, write_fer_table
from layouts import write
from server_process import PATIENCE, Server

pytestmark = pytest.mark.slow

PHOTO = ROOT / "docs" / "images" / "astronaut.jpg"
SYSTEMS = ("hog", "embedding", "landmarks", "emoji")


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory, bundle: Path) -> Path:
    """Model files that take features, beside what makes these: a folder of pulled models."""
    folder, labels = tmp_path_factory.mktemp("models"), LABEL_SETS["fer7"]
    network = make_embedding_network(folder / "network.bin")
    shutil.copy(bundle, folder)
    rgb = {"height": 24, "width": 24, "channels": 3}
    made = {"model": network.name, "sha256": file_hash(network)}
    points = {"model": bundle.name, "sha256": file_hash(bundle)}
    make_feature_model(folder / "hog.onnx", {"step": "hog"}, 900, labels)
    make_feature_model(folder / "embedding.onnx", {"step": "embedding", **made}, 16, labels, input=rgb)
    make_feature_model(folder / "landmarks.onnx", {"step": "landmarks", **points}, Landmarks.size, labels)
    return folder


@pytest.fixture(scope="module")
def smile(tmp_path_factory: pytest.TempPathFactory) -> Path:
    picture, path = face(smiles=True), tmp_path_factory.mktemp("emoji") / "smile.png"
    ground = Image.new("RGB", picture.size, "white")
    ground.paste(picture, mask=picture)
    ground.save(path)
    return path


@pytest.fixture
def server(folder: Path, serve: Callable[..., Server], monkeypatch: pytest.MonkeyPatch) -> Server:
    monkeypatch.setenv("PYTHONPATH", str(ROOT / "src"))
    files = [str(folder / f"{name}.onnx") for name in SYSTEMS if name != "emoji"]
    return serve(models=",".join(["face", *files, "emoji"]), threads=3)


@pytest.fixture
def remote(server: Server) -> Iterator[Remote]:
    opened = Remote(server.url, Limits())
    with closing(opened._client):
        yield opened


@pytest.fixture
def local(folder: Path, monkeypatch: pytest.MonkeyPatch) -> Local:
    monkeypatch.setenv("EMOLENS_MODELS", str(folder))
    return Local(Limits())


def emolens(*arguments: object) -> str:
    command = [sys.executable, "-m", "emolens", *map(str, arguments)]
    ended = subprocess.run(command, capture_output=True, text=True, check=False, timeout=PATIENCE)
    assert ended.returncode == 0, ended.stderr
    return ended.stdout


def plain(prediction: Prediction) -> list[dict[str, float]]:
    """Of every face, or of the picture."""
    return [dict(face.probabilities) for face in prediction.faces] or [dict(prediction.probabilities)]


def probabilities(prediction: Prediction) -> list[Any]:
    """The same, within what another batch or rounding may change."""
    return [pytest.approx(one, abs=1e-5) for one in plain(prediction)]


def test_predict_the_page_and_a_server_give_the_same_answer(smile: Path, local: Local, remote: Remote) -> None:
    assert set(SYSTEMS) < set(local.models)
    assert remote.models == ("face", *SYSTEMS)
    seen = set()
    for name in SYSTEMS:
        path = smile if name == "emoji" else PHOTO
        picture = Picture(path.name, path.read_bytes())
        shown = local.predict(picture, name, DETECTOR)
        assert len(shown.faces) == (0 if name == "emoji" else 1)
        [told] = json.loads(emolens("predict", path, "--model", name, "--format", "json"))
        told = [one["probabilities"] for one in told["faces"]] or [told["probabilities"]]
        assert told == probabilities(shown)
        assert plain(remote.predict(picture, name, DETECTOR)) == probabilities(shown)
        assert remote.about(name).sha256 == local.about(name).sha256
        seen.add(tuple(told[0].values()))
    assert len(seen) == len(SYSTEMS), "each has an answer of its own"


def test_many_at_once_get_the_answer_that_each_gets_alone(server: Server) -> None:
    names = [name for name in SYSTEMS if name != "emoji"]
    with Client(server.url) as client, ThreadPoolExecutor(6) as pool:
        alone = {name: probabilities(client.predict(PHOTO, model=name)) for name in names}
        asked = names * 6
        for name, answer in zip(asked, pool.map(lambda name: client.predict(PHOTO, model=name), asked), strict=True):
            assert plain(answer) == alone[name]


@pytest.mark.usefixtures("local")
def test_evaluate_measures_each_of_them(smile: Path, tmp_path: Path) -> None:
    faces = write_fer_table(tmp_path / "fer.parquet", [fer_row(row, ("happy", "sad")[row % 2]) for row in range(6)])
    for label in ("happy", "sad"):
        write(tmp_path / "emoji" / "test" / label / "one.png", smile.read_bytes())
    for name in SYSTEMS:
        data = ("imagefolder", tmp_path / "emoji", "test") if name == "emoji" else ("fer2013", faces, "PublicTest")
        options = zip(("--dataset", "--data", "--split"), data, strict=True)
        out = tmp_path / name
        emolens("evaluate", name, *(part for option in options for part in option), "--out", out)
        metrics = json.loads((out / "metrics.json").read_text())
        with (out / "predictions.csv").open(newline="") as file:
            assert len(list(csv.DictReader(file))) == (2 if name == "emoji" else 6)
        assert 0 <= metrics["accuracy"] <= 1
