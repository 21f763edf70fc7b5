"""A description counts every sample once, finds copies within and across splits, and goes on over what is broken."""

import json
from io import BytesIO
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from emolens.data.contact_sheet import draw_contact_sheet
from emolens.data.describe import Description, describe, imbalance, look_at
from emolens.data.readers import read_dataset
from emolens.data.samples import Dataset, Objective, Sample
from emolens.errors import DataError
from emolens.results import Box
from hostile import make_hostile

LABELS = ("happy", "sad", "fear")


def photo(seed: int, size: tuple[int, int] = (64, 48)) -> bytes:
    """Soft shapes, the same at every size."""
    coarse = np.random.default_rng(seed).integers(0, 256, (6, 8, 3), dtype=np.uint8)
    file = BytesIO()
    Image.fromarray(coarse).resize(size, Image.Resampling.BICUBIC).save(file, "PNG")
    return file.getvalue()


def sample(
    name: str, image: Path | bytes, label: str | list[float] = "happy", split: str = "train", box: Box | None = None
) -> Sample:
    target = [float(known == label) for known in LABELS] if isinstance(label, str) else label
    return Sample(name, image, np.array(target, dtype=np.float32), split, box)


def described(*samples: Sample, objective: Objective = "distribution") -> Description:
    return describe(Dataset("some", LABELS, samples, objective=objective), look_at(samples))


def test_samples_are_counted_by_split_and_top_label() -> None:
    found = described(
        sample("a", photo(1), "happy"),
        sample("b", photo(2), [0.6, 0.3, 0.1]),
        sample("c", photo(3), "sad"),
        sample("d", photo(4), [0.5, 0.5, 0]),
        sample("e", photo(5), "sad", "test"),
    )
    assert found.counts == {"train": {"happy": 2, "sad": 1, "fear": 0}, "test": {"happy": 0, "sad": 1, "fear": 0}}
    assert found.unlabelled == {"train": 1, "test": 0}
    assert found.total == {"happy": 2, "sad": 2, "fear": 0}


def test_a_multilabel_sample_counts_for_each_of_its_labels() -> None:
    found = described(sample("a", photo(1), [1, 1, 0]), sample("b", photo(2), [0, 0, 0]), objective="multilabel")
    assert found.counts == {"train": {"happy": 1, "sad": 1, "fear": 0}}
    assert found.unlabelled == {"train": 1}


def test_imbalance_is_the_largest_over_the_smallest_label_that_is_there() -> None:
    assert imbalance({"happy": 30, "sad": 4, "fear": 0}) == 7.5
    assert imbalance({"happy": 0}) is None


def test_sizes_are_those_of_the_upright_pictures_the_most_common_first() -> None:
    turned = BytesIO()
    exif = Image.Exif()
    exif[274] = 6
    Image.open(BytesIO(photo(1))).save(turned, "JPEG", exif=exif)
    found = described(sample("a", turned.getvalue()), sample("b", photo(2)), sample("c", photo(3)))
    assert found.sizes == {(64, 48): 2, (48, 64): 1}
    assert found.to_dict()["sizes"]["width"] == {"min": 48, "median": 64, "max": 64}


def test_exact_copies_are_told_from_near_ones_and_within_a_split_from_across() -> None:
    found = described(
        sample("a", photo(1)),
        sample("a again", photo(1)),
        sample("a tested", photo(1), "sad", "test"),
        sample("a smaller, tested", photo(1, (40, 30)), "sad", "test"),
        sample("b", photo(2)),
        sample("b smaller", photo(2, (40, 30))),
        sample("c", photo(3)),
    )
    assert found.exact.groups == (("a", "a again", "a tested"),)
    assert found.near.groups == (("a", "a smaller, tested"), ("b", "b smaller"))
    assert found.exact.counts == {("train", "train"): 2, ("train", "test"): 2, ("test", "train"): 1}
    assert found.near.counts == {("train", "train"): 2, ("test", "test"): 2, ("test", "train"): 1}


def test_two_faces_of_one_photograph_are_no_copies_but_the_same_face_twice_is() -> None:
    left, right = (2.0, 5.0, 20.0, 20.0), (35.0, 20.0, 20.0, 20.0)
    found = described(
        sample("left", photo(1), box=left), sample("right", photo(1), box=right), sample("left 2", photo(1), box=left)
    )
    assert found.exact.groups == (("left", "left 2"),)
    assert found.near.groups == ()


def test_broken_pictures_are_counted_named_and_stop_nothing(tmp_path: Path) -> None:
    broken = make_hostile(tmp_path)
    found = described(*(sample(name, tmp_path / name) for name in broken), sample("fine", photo(1)))
    assert found.dataset.left_out == {"unreadable_image": len(broken)}
    assert "empty.jpg" in found.dataset.fault_report
    assert found.counts == {"train": {"happy": 1, "sad": 0, "fear": 0}}


def test_where_nothing_can_be_read_there_is_still_a_description() -> None:
    found = described(sample("a", b"no picture"))
    assert (found.sizes, found.exact.groups, found.near.groups) == ({}, (), ())
    assert json.loads(json.dumps(found.to_dict()))["left_out"] == {"unreadable_image": 1}


def test_the_contact_sheet_has_a_row_for_each_label_with_its_pictures() -> None:
    colours = {"happy": (255, 0, 0), "sad": (0, 255, 0)}

    def flat(colour: tuple[int, int, int]) -> bytes:
        file = BytesIO()
        Image.new("RGB", (30, 30), colour).save(file, "PNG")
        return file.getvalue()

    samples = tuple(sample(f"{label} {n}", flat(c), label) for label, c in colours.items() for n in range(20))
    sheet = np.asarray(draw_contact_sheet(Dataset("some", LABELS, samples)))
    rows = np.array_split(sheet, len(LABELS))
    for row, colour in zip(rows, [*colours.values(), None], strict=True):
        for other in colours.values():
            assert (row == other).all(axis=2).any() == (other == colour)


def test_a_contact_sheet_of_too_many_labels_is_refused() -> None:
    with pytest.raises(DataError, match="has 201 labels; a contact sheet has room for 200"):
        draw_contact_sheet(Dataset("wide", tuple(f"label {n}" for n in range(201)), ()))


@pytest.mark.slow
def test_the_known_copies_of_the_real_fer2013_are_found(shared_data: Path) -> None:
    """Its `leak` column marks 279 rows of PublicTest whose pixels also stand in Training."""
    dataset = read_dataset("fer2013", shared_data / "fer2013plus.parquet", keep_leaks=True)
    found = describe(dataset, look_at(dataset.samples))
    assert found.exact.counts["PublicTest", "Training"] == 279
    assert found.near.counts["PublicTest", "Training"] == pytest.approx(143, abs=10)
    assert max(map(len, found.near.groups)) < 20
    assert imbalance(found.counts["Training"]) == 16.52
