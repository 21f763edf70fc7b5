"""Augmentation keeps what a crop is and changes how it looks."""

import pytest
import torch
from pydantic import ValidationError

from emolens.data.transforms import Augmentation


def crop() -> torch.Tensor:
    return torch.randint(0, 256, (1, 48, 48), dtype=torch.uint8, generator=torch.Generator().manual_seed(0))


def test_without_amounts_nothing_changes() -> None:
    assert torch.equal(Augmentation().build(48, 48)(crop()), crop())


@pytest.mark.parametrize(
    "amounts",
    [
        {"flip": 1},
        {"rotate": 30},
        {"shift": 0.3},
        {"scale": 0.4},
        {"shear": 20},
        {"resized_crop": 0.5},
        {"brightness": 0.5},
        {"contrast": 0.5},
        {"trivial": True},
        {"blur": 1},
        {"erase": 1},
    ],
)
def test_each_amount_changes_the_pixels_but_neither_shape_nor_type(amounts: dict[str, float]) -> None:
    torch.manual_seed(1)
    changed = Augmentation(**amounts).build(48, 48)(crop())
    assert (changed.shape, changed.dtype) == (crop().shape, crop().dtype)
    assert not torch.equal(changed, crop())


@pytest.mark.parametrize("amounts", [{"saturation": 0.5}, {"hue": 0.3}])
def test_colours_change_only_where_there_are_colours(amounts: dict[str, float]) -> None:
    torch.manual_seed(1)
    colour = torch.cat([crop(), crop().flip(1), crop().flip(2)])
    assert not torch.equal(Augmentation(**amounts).build(48, 48)(colour), colour)
    assert torch.equal(Augmentation(**amounts).build(48, 48)(crop()), crop())


@pytest.mark.parametrize("amounts", [{"flip": 2}, {"scale": 1}, {"rotate": -1}, {"mirror": 1}, {"mixup": -1}])
def test_impossible_amounts_are_refused(amounts: dict[str, float]) -> None:
    with pytest.raises(ValidationError):
        Augmentation(**amounts)


def test_mixup_blends_samples_and_their_targets_by_the_same_amount() -> None:
    torch.manual_seed(0)
    targets = torch.eye(4)
    images = targets.view(4, 4, 1, 1).repeat(1, 1, 2, 2) * 200
    mixed, blended = Augmentation(mixup=1.0).blend(images, targets)
    assert not torch.equal(blended, targets)
    torch.testing.assert_close(mixed.mean(dim=(2, 3)) / 200, blended)
    torch.testing.assert_close(blended.sum(dim=1), torch.ones(4))


def test_cutmix_takes_a_rectangle_and_as_much_of_the_target() -> None:
    torch.manual_seed(3)
    targets = torch.eye(4)
    images = targets.view(4, 4, 1, 1).repeat(1, 1, 10, 10)
    mixed, blended = Augmentation(cutmix=1.0).blend(images, targets)
    assert set(mixed.unique().tolist()) == {0.0, 1.0}
    assert not torch.equal(blended, targets)
    torch.testing.assert_close(mixed.mean(dim=(2, 3)), blended)


def test_without_mixup_a_batch_stays_as_it_is() -> None:
    images, targets = torch.rand(4, 1, 2, 2), torch.eye(4)
    assert Augmentation().blend(images, targets) == (images, targets)
