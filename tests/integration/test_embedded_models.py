"""The embedded models hold the lines that they were accepted by, on data that they never saw."""

import json
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from emolens import zoo
from emolens.data.readers import read_dataset
from emolens.detect.boxes import iou
from emolens.evaluation.evaluate import evaluate
from emolens.predictor import open_detector
from emolens.runtime import OnnxModel

pytestmark = pytest.mark.slow


def test_the_face_classifier_agrees_with_the_majority_of_votes(shared_data: Path) -> None:
    dataset = read_dataset("ferplus", shared_data / "fer2013plus.parquet", "PublicTest")
    metrics = evaluate(OnnxModel(zoo.find("face")), dataset).metrics
    assert metrics["accuracy"] >= 0.78


def test_the_detector_finds_people_in_photographs(shared_data: Path) -> None:
    truth = json.loads((shared_data / "photos" / "boxes.json").read_text())
    detector = open_detector("detector", size=None)
    wanted = found = 0
    for name, photo in truth.items():
        if photo["truth"] != "human":
            continue
        boxes = np.array(photo["faces"], dtype=np.float32).reshape(-1, 4)
        with Image.open(shared_data / "photos" / name) as image:
            detections = detector.detect(np.asarray(image.convert("RGB")))
        wanted += len(boxes)
        found += int((iou(boxes, detections.boxes).max(axis=1, initial=0) >= 0.35).sum())
    assert wanted == 43
    assert found >= 34


@pytest.mark.parametrize(("name", "largest"), [("face", 4_000_000), ("detector", 700_000)])
def test_the_embedded_models_are_small(name: str, largest: int) -> None:
    assert zoo.find(name).stat().st_size <= largest
