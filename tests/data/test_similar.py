"""Copies to the pixel are told from near ones, and near ones from different pictures."""

from io import BytesIO

import numpy as np
import pytest
from numpy.typing import NDArray
from PIL import Image, ImageEnhance

from emolens.data.similar import NEAR, group_alike, perceptual_hash, pixel_hash

Pixels = NDArray[np.uint8]


def photo(seed: int) -> Image.Image:
    """Soft shapes, as photographs have and noise has not."""
    coarse = np.random.default_rng(seed).integers(0, 256, (7, 9, 3), dtype=np.uint8)
    return Image.fromarray(coarse).resize((160, 120), Image.Resampling.BICUBIC)


def compressed(picture: Image.Image) -> Image.Image:
    file = BytesIO()
    picture.save(file, "JPEG", quality=30)
    return Image.open(file)


def groups_of(*pictures: Image.Image) -> list[int]:
    return group_alike(np.stack([perceptual_hash(np.asarray(picture)) for picture in pictures])).tolist()


@pytest.mark.parametrize(
    "changed",
    [
        lambda picture: picture.resize((48, 36)),
        compressed,
        lambda picture: ImageEnhance.Brightness(picture).enhance(0.8),
        lambda picture: picture.convert("L").convert("RGB"),
    ],
    ids=["smaller", "compressed", "darker", "grey"],
)
def test_a_changed_picture_is_a_near_copy_and_no_exact_one(changed) -> None:
    picture = photo(1)
    first, second, third = groups_of(picture, changed(picture), photo(2))
    assert first == second != third
    assert pixel_hash(np.asarray(picture)) != pixel_hash(np.asarray(changed(picture)))


def test_an_exact_copy_has_the_same_pixels_in_the_same_places() -> None:
    pixels = np.asarray(photo(1))
    assert pixel_hash(pixels) == pixel_hash(pixels[:, ::-1][:, ::-1])
    assert pixel_hash(pixels) != pixel_hash(pixels.reshape(160, 120, 3))
    assert pixel_hash(pixels) != pixel_hash(pixels[::-1])


def test_pictures_of_people_that_nobody_would_mistake_are_not_alike() -> None:
    assert len(set(groups_of(*(photo(seed) for seed in range(40))))) == 40


def test_a_flat_picture_has_no_noise_in_its_hash() -> None:
    assert not any(perceptual_hash(np.full((50, 40, 3), grey, np.uint8)).any() for grey in (0, 7, 200, 255))


def test_the_search_by_bands_finds_what_comparing_all_with_all_finds() -> None:
    random = np.random.default_rng(0)
    hashes = random.random((400, 63)) < 0.5
    for index in range(100, 400):  # copies of copies, with as many bits changed as may be, or one more
        hashes[index] = hashes[random.integers(index)]
        hashes[index, random.choice(63, random.integers(NEAR + 2), replace=False)] ^= True
    near = (hashes[:, None] != hashes[None]).sum(axis=2) <= NEAR
    reached = near
    while (further := (reached.astype(int) @ near) > 0).sum() > reached.sum():
        reached = further
    found = group_alike(hashes)
    np.testing.assert_array_equal(found[:, None] == found[None], reached)


def test_many_pictures_of_one_hash_are_one_group() -> None:
    assert len(set(group_alike(np.zeros((5000, 63), dtype=bool)).tolist())) == 1
