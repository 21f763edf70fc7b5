"""Samples are cut some at a time, and told as if it were all at once."""

import numpy as np
import pytest

from emolens.card import Crop, Input
from emolens.data.samples import Sample
from emolens.evaluation import cutting
from emolens.evaluation.cutting import cut, cut_in_chunks
from fer_tables import face_png

FRAMING = (Crop(), Input(height=48, width=48, channels=1))


def test_what_is_unreadable_is_told_by_its_place_among_all(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(cutting, "_CHUNK", 2)
    images = [face_png(0), face_png(1), b"no image", face_png(3), b"nor this"]
    samples = [Sample(f"row {place}", image, np.ones(1, np.float32), "test") for place, image in enumerate(images)]
    places, chunks = zip(*cut_in_chunks(samples, [FRAMING]), strict=True)
    assert [(place.start, place.stop) for place in places] == [(0, 2), (2, 4), (4, 5)]
    assert [list(chunk.unreadable) for chunk in chunks] == [[], [2], [4]]
    together = cut([sample for place, sample in enumerate(samples) if place not in (2, 4)], [FRAMING])
    np.testing.assert_array_equal(np.concatenate([chunk.framed[0] for chunk in chunks]), together.framed[0])
