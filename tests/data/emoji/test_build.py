"""The dataset of emoji is one that the reader `csv` reads, split by emoji and by vendor."""

from collections import Counter
from pathlib import Path

import pytest

from emoji_packages import HAPPY, SAD, write_packages
from emolens.data.emoji.build import FOLDS, build
from emolens.data.emoji.packages import vendors
from emolens.data.readers import read_dataset
from emolens.data.samples import Sample
from emolens.errors import ConfigError, DataError
from layouts import write


@pytest.fixture
def source(tmp_path: Path) -> Path:
    return write_packages(tmp_path / "node_modules", *vendors())


def samples(table: Path) -> tuple[Sample, ...]:
    return read_dataset("csv", table, strict=True).samples


def label(sample: Sample, table: Path) -> str:
    return read_dataset("csv", table).labels[int(sample.target.argmax())]


def test_every_emoji_is_there_as_each_vendor_draws_it(source: Path, tmp_path: Path) -> None:
    counts = build(tmp_path / "set", source)
    found = samples(tmp_path / "set" / "happy-sad.csv")
    assert Counter(one.metadata["vendor"] for one in found) == dict.fromkeys(vendors(), len(HAPPY + SAD))
    assert {one.metadata["emoji"] for one in found} == {*HAPPY, *SAD}
    assert sum(counts["happy-sad"].values()) == len(found)
    assert {one.metadata["subcategory"] for one in found} == {"face-smiling", "face-concerned"}
    assert samples(tmp_path / "set" / "emotions.csv")


def test_a_held_out_vendor_is_in_the_tests_alone_and_no_emoji_is_on_both_sides(source: Path, tmp_path: Path) -> None:
    build(tmp_path / "set", source, hold_out=["google"], fold=2)
    of: dict[str, set[str]] = {}
    for one in samples(tmp_path / "set" / "happy-sad.csv"):
        of.setdefault(one.split, set()).add(one.metadata["emoji"])
        assert one.split.startswith("test") == (one.metadata["vendor"] == "google")
    assert of["train"] == of["test-seen"]
    assert of["val"] == of["test-unseen"]
    assert not of["train"] & of["val"]


def test_each_emoji_is_held_out_in_one_fold_and_every_fold_has_both_labels(source: Path, tmp_path: Path) -> None:
    table, seen = tmp_path / "set" / "happy-sad.csv", Counter[str]()
    for fold in range(FOLDS):
        build(tmp_path / "set", source, fold=fold)
        held_out = [one for one in samples(table) if one.split == "val"]
        assert {label(one, table) for one in held_out} == {"happy", "sad"}
        seen.update({one.metadata["emoji"] for one in held_out})
    assert seen == dict.fromkeys((*HAPPY, *SAD), 1)


def test_the_terms_of_every_vendor_stand_beside_the_pictures(source: Path, tmp_path: Path) -> None:
    build(tmp_path / "set", source)
    readme = (tmp_path / "set" / "README.md").read_text(encoding="utf-8")
    assert all(one.terms in readme for one in vendors().values())


def test_an_emoji_that_a_vendor_has_not_drawn_is_left_away(source: Path, tmp_path: Path) -> None:
    (source / "emoji-datasource-facebook" / "img" / "facebook" / "64" / "1f600.png").unlink()
    build(tmp_path / "set", source)
    found = {(one.metadata["vendor"], one.metadata["emoji"]) for one in samples(tmp_path / "set" / "happy-sad.csv")}
    assert ("facebook", "1F600") not in found
    assert ("apple", "1F600") in found


def test_a_picture_that_cannot_be_read_is_named(source: Path, tmp_path: Path) -> None:
    write(source / "emoji-datasource-apple" / "img" / "apple" / "64" / "1f601.png", b"no picture")
    with pytest.raises(DataError, match=r"the package of apple: 1f601.png: "):
        build(tmp_path / "set", source)


@pytest.mark.parametrize(
    ("hold_out", "fold", "what"),
    [
        (["gogle"], 0, "'gogle' is no vendor; did you mean 'google'"),
        (["apple", "google", "twitter", "facebook"], 0, "every vendor is held out"),
        ([], 5, "there are folds 0 to 4, not 5"),
    ],
)
def test_a_split_that_cannot_be_is_refused(
    hold_out: list[str], fold: int, what: str, source: Path, tmp_path: Path
) -> None:
    with pytest.raises(ConfigError, match=what):
        build(tmp_path / "set", source, hold_out, fold)
