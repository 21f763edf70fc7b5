"""The embedded models hold the lines that they were accepted by, on data that they never saw."""

import json
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from emolens import zoo
from emolens.data.readers import read_dataset
from emolens.evaluation.evaluate import evaluate
from emolens.image import crop_face
from emolens.predictor import DETECTOR_SIZE, open_detector
from emolens.runtime import OnnxModel
from emolens.training.detection.measure import match

pytestmark = pytest.mark.slow


def test_the_face_classifier_agrees_with_the_votes(shared_data: Path) -> None:
    dataset = read_dataset("ferplus", shared_data / "fer2013plus.parquet", "PublicTest")
    metrics = evaluate(OnnxModel(zoo.find("face")), dataset).metrics
    assert metrics["accuracy"] >= 0.83
    assert metrics["kl"] <= 0.3
    assert metrics["vote_ece"] <= 0.035


@pytest.mark.parametrize("size", [None, DETECTOR_SIZE])
def test_the_detector_finds_people_in_photographs(shared_data: Path, size: int | None) -> None:
    truth = json.loads((shared_data / "photos" / "boxes.json").read_text())
    detector = open_detector("detector", size=size)
    marked = found = false = 0
    for name, photo in truth.items():
        if photo["truth"] != "human":
            continue
        faces, ignore = (np.array(photo[key], dtype=np.float32).reshape(-1, 4) for key in ("faces", "ignore"))
        with Image.open(shared_data / "photos" / name) as image:
            matches = match(detector.detect(np.asarray(image.convert("RGB"))), faces, ignore)
        marked += len(faces)
        found += int((matches.found > 0).sum())
        false += matches.false_boxes(0)
    assert marked == 43
    assert found >= 40
    assert false <= 4


@pytest.mark.parametrize(("shift", "scale"), [(0.05, 1.0), (0.0, 0.95), (0.0, 1.05)])
def test_boxes_that_move_a_little_barely_change_the_answer(shared_data: Path, shift: float, scale: float) -> None:
    model, detector = OnnxModel(zoo.find("face")), open_detector("detector", size=None)
    moved = []
    for path in sorted((shared_data / "photos").glob("human_*.jpg")):
        with Image.open(path) as image:
            pixels = np.asarray(image.convert("RGB"))
        for box in detector.detect(pixels).boxes[:20].tolist():
            x, y, w, h = box
            other = (x + w * (shift + (1 - scale) / 2), y + h * (1 - scale) / 2, w * scale, h * scale)
            crops = [crop_face(pixels, one, model.card.crop, model.card.input) for one in ((x, y, w, h), other)]
            before, after = model.probabilities(np.stack(crops))
            moved.append(np.abs(before - after).sum() / 2)
    assert len(moved) > 50
    assert np.mean(moved) < 0.1


@pytest.mark.parametrize(("name", "largest"), [("face", 4_000_000), ("detector", 700_000), ("emoji", 1_000_000)])
def test_the_embedded_models_are_small(name: str, largest: int) -> None:
    assert zoo.find(name).stat().st_size <= largest
