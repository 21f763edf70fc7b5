"""Crops are cut in the order of the samples; those that cannot be read are told by their place."""

from io import BytesIO

import numpy as np
import pytest
from PIL import Image

from emolens.card import Crop, Input
from emolens.data.crops import cut_crop, cut_crops
from emolens.data.samples import Sample
from emolens.errors import DataError

SIZE = Input(height=4, width=4, channels=1)


def sample(name: str, grey: int | None) -> Sample:
    file = BytesIO()
    Image.new("L", (8, 8), grey or 0).save(file, "PNG")
    image = b"no image" if grey is None else file.getvalue()
    return Sample(name, image, np.ones(1, dtype=np.float32), "train")


def test_crops_are_those_of_the_samples_that_can_be_read_in_their_order() -> None:
    samples = [sample("a", 10), sample("b", None), sample("c", 30), sample("d", None), sample("e", 50)]
    crops, unreadable = cut_crops(samples, SIZE, Crop())
    assert crops.shape == (3, 4, 4, 1)
    assert crops[:, 0, 0, 0].tolist() == [10, 30, 50]
    assert list(unreadable) == [1, 3]
    assert unreadable[3].startswith("d: ")


def test_a_crop_alone_is_cut_the_same_way() -> None:
    one = sample("a", 10)
    np.testing.assert_array_equal(cut_crop(one, SIZE, Crop()), cut_crops([one], SIZE, Crop())[0][0])


def test_an_image_over_the_limits_of_the_environment_is_refused(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("EMOLENS_MAX_PIXELS", "63")
    with pytest.raises(DataError, match=r"^a: .*EMOLENS_MAX_PIXELS"):
        cut_crop(sample("a", 10), SIZE, Crop())


def test_an_image_that_cannot_be_read_alone_is_named_in_the_error() -> None:
    with pytest.raises(DataError, match=r"^b: "):
        cut_crop(sample("b", None), SIZE, Crop())
