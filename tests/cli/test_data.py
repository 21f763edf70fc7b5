"""`emolens data` lists layouts, describes datasets to people and programs, and prepares what a training then reads."""

import json
import shlex
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from emoji_packages import write_packages
from emolens.cli.data import describe, emoji, list_readers, prepare
from emolens.data.emoji.packages import vendors
from emolens.data.readers import READERS
from emolens.errors import ConfigError, DataError
from emolens.labels import LABEL_SETS
from emolens.training.data import CropDataset
from emolens.training.parts import read_parts
from emolens.training.recipe import ClassifierRecipe, load_recipe
from layouts import jpeg, write, write_csv

pytest.importorskip("pyarrow", reason="prepared crops need the `evaluate` extra")

SMALL = ("data.dataset=csv", "data.validation=test", "input={height: 16, width: 16, channels: 1}")


@pytest.fixture
def table(tmp_path: Path) -> Path:
    """Eight pictures, of which one stands in both splits and one is broken."""
    rows = (f"{n}.jpg,{'happy' if n % 3 else 'sad'},{'test' if n > 4 else 'train'}" for n in range(8))
    table = write_csv(tmp_path / "source", "image,label,split", *rows)
    write(table.parent / "5.jpg", jpeg(1))
    write(table.parent / "7.jpg", b"no picture")
    return table


def test_the_list_is_one_name_per_line_for_other_programs(capsys: pytest.CaptureFixture[str]) -> None:
    list_readers()
    assert capsys.readouterr().out.splitlines() == list(READERS)


def test_the_list_says_to_people_what_each_layout_is(
    capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("sys.stdout.isatty", lambda: True, raising=False)
    list_readers()
    printed = capsys.readouterr().out
    assert "RAF-DB" in printed
    assert all(f" {name} " in printed for name in READERS)


def test_a_description_is_counts_sizes_copies_and_faults(table: Path, capsys: pytest.CaptureFixture[str]) -> None:
    describe("csv", table)
    printed = capsys.readouterr().out
    lines = [line.split() for line in printed.splitlines()]
    assert ["label", "train", "test", "all"] in lines
    assert ["happy", "3", "1", "4"] in lines
    assert ["largest", "/", "smallest", "1.5", "1.0", "1.3"] in lines
    assert "pictures: 7 of 40 x 30" in printed
    assert ["of", "test,", "also", "in", "train", "1", "0"] in lines
    assert "exact: labels.csv:3, labels.csv:7" in printed
    assert "unreadable image: 1\n    labels.csv:9: " in printed


def test_labels_that_only_the_guessed_label_set_has_are_told(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    for number, mood in enumerate(("angry", "happy", "sad", "surprise")):
        write(tmp_path / "moods" / mood / "1.jpg", jpeg(number))
    describe("imagefolder", tmp_path / "moods")
    printed = capsys.readouterr().out
    assert (
        "no sample is of disgust, fear, which may be no labels of this dataset; to train without: --labels " in printed
    )
    [labels] = [line.rpartition("--labels ")[2] for line in printed.splitlines() if "--labels" in line]
    recipe = load_recipe("own-faces", [f"data.labels=[{labels}]"])
    assert isinstance(recipe, ClassifierRecipe)
    assert set(recipe.labels) == {"angry", "happy", "sad", "surprise"}


def test_where_every_label_has_a_sample_there_is_nothing_to_tell(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    for number, mood in enumerate(LABEL_SETS["emotion6"]):
        write(tmp_path / "moods" / mood / "1.jpg", jpeg(number))
    describe("imagefolder", tmp_path / "moods")
    assert "no sample is of" not in capsys.readouterr().out


def test_a_description_is_json_for_programs(table: Path, capsys: pytest.CaptureFixture[str]) -> None:
    describe("csv", table, format="json")
    found = json.loads(capsys.readouterr().out)
    assert found["splits"] == {"train": 5, "test": 2}
    assert found["counts"]["train"]["sad"] == 2
    assert found["exact_copies"] == {
        "counts": [
            {"split": "test", "also_in": "train", "samples": 1},
            {"split": "train", "also_in": "test", "samples": 1},
        ],
        "groups": [["labels.csv:3", "labels.csv:7"]],
    }
    assert found["left_out"] == {"unreadable_image": 1}


def test_a_contact_sheet_is_drawn_where_it_is_wanted(table: Path, tmp_path: Path) -> None:
    describe("csv", table, sheet=tmp_path / "sheet.png")
    with Image.open(tmp_path / "sheet.png") as sheet:
        assert sheet.format == "PNG"
    for wrong in (tmp_path / "sheet.jpg", tmp_path / "nowhere" / "sheet.png"):
        with pytest.raises(ConfigError, match=r"--sheet .*\.png, in a folder that is there"):
            describe("csv", table, sheet=wrong)


def test_a_training_reads_the_same_crops_from_what_was_prepared(
    table: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    prepare("faces-resnet18", table, tmp_path / "out", list(SMALL))
    printed, noted = capsys.readouterr()
    assert f"{tmp_path / 'out'}: 7 crops of 16 x 16; shards: 1" in printed
    chosen = shlex.join(part for setting in (*SMALL, "data.dataset=prepared") for part in ("--set", setting))
    assert f"emolens train faces-resnet18 --data {tmp_path / 'out'} {chosen} --out RUN" in printed
    assert "labels.csv:9: " in noted

    def crops(data: Path, *settings: str) -> list[CropDataset]:
        recipe = load_recipe("faces-resnet18", [*SMALL, "data.split=train", "data.labels=fer7", *settings])
        assert isinstance(recipe, ClassifierRecipe)
        parts = read_parts(recipe, data)
        return [CropDataset(part, recipe) for part in (parts.training, parts.held_out)]

    pairs = zip(crops(table), crops(tmp_path / "out", "data.dataset=prepared"), strict=True)
    for source, prepared in pairs:
        assert source.crops is not None
        assert prepared.crops is not None
        np.testing.assert_array_equal(source.crops, prepared.crops)
        np.testing.assert_array_equal(source.targets, prepared.targets)


def test_crops_that_were_cut_for_another_recipe_are_refused(table: Path, tmp_path: Path) -> None:
    prepare("faces-resnet18", table, tmp_path / "out", list(SMALL))
    for other in ("input.height=20", "crop.margin=0.3"):
        recipe = load_recipe("faces-resnet18", [*SMALL, "data.dataset=prepared", other])
        assert isinstance(recipe, ClassifierRecipe)
        with pytest.raises(ConfigError, match=r"holds crops of .* this recipe takes"):
            read_parts(recipe, tmp_path / "out")


def test_a_detector_needs_no_preparation(table: Path, tmp_path: Path) -> None:
    with pytest.raises(ConfigError, match="learns from whole photographs"):
        prepare("detector", table, tmp_path / "out")


def test_data_that_is_not_there_is_told(tmp_path: Path) -> None:
    with pytest.raises(DataError, match="no data at"):
        describe("csv", tmp_path / "nowhere.csv")


def test_the_dataset_of_emoji_says_what_it_holds_and_how_to_go_on(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    out = tmp_path / "my set"
    emoji(out, write_packages(tmp_path / "node_modules", *vendors()), ["apple", "facebook"])
    said = capsys.readouterr().out.splitlines()
    assert said[0] == f"{out / 'happy-sad.csv'}: test-seen 16, test-unseen 6, train 16, val 6"
    assert said[1].startswith(f"{out / 'emotions.csv'}: ")
    assert said[2].startswith(f"{out / 'README.md'} has the terms")
    assert said[3] == f"Next: emolens train emoji-cnn --data '{out / 'happy-sad.csv'}' --out RUN"
