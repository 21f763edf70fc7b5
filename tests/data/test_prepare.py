"""Prepared crops are those that a training would cut; an interruption costs one shard and leaves no half of one."""

import json
from pathlib import Path

import numpy as np
import pytest

from emolens.card import Crop, Input
from emolens.data.crops import cut_crops
from emolens.data.prepare import Preparation
from emolens.data.readers import read_dataset
from emolens.data.samples import Dataset
from emolens.data.shards import MANIFEST, read_manifest, shard_path
from emolens.data.splits import hold_out
from emolens.errors import ConfigError, DataError
from fer_tables import fer_row, write_fer_table
from layouts import jpeg, write, write_affectnet, write_csv, write_csv_multilabel, write_fi_votes

pytest.importorskip("pyarrow", reason="the shards need the `evaluate` extra")

SIZE, WHOLE = Input(height=12, width=10, channels=3), Crop()


@pytest.fixture(autouse=True)
def _small_shards(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("emolens.data.prepare._SHARD_ROWS", 2)


@pytest.fixture
def table(tmp_path: Path) -> Path:
    """Ten pictures in five shards."""
    rows = (f"{n}.jpg,{'happy' if n % 2 else 'sad'},{'test' if n > 6 else 'train'}" for n in range(10))
    return write_csv(tmp_path / "source", "image,label,split", *rows)


def prepare(name: str, data: Path, size: Input = SIZE, crop: Crop = WHOLE) -> Path:
    folder = data.parent / f"{data.stem}-prepared"
    for _ in Preparation.begin(name, data, size, crop, folder).write():
        pass
    return folder


def same(one: Dataset, other: Dataset) -> bool:
    def content(dataset: Dataset) -> list[object]:
        samples = [(s.name, s.split, s.weight, s.target.tolist()) for s in dataset.samples]
        return [dataset.labels, dataset.objective, dataset.left_out, dataset.faults, samples]

    return content(one) == content(other)


@pytest.mark.parametrize("crop", [WHOLE, Crop(margin=0.3), Crop(margin=-0.1, square=False)])
@pytest.mark.parametrize("channels", [1, 3])
def test_the_crops_are_to_the_pixel_those_that_a_training_cuts_from_the_source(
    crop: Crop, channels: int, tmp_path: Path
) -> None:
    size = Input(height=12, width=10, channels=channels)
    source = write_affectnet(tmp_path / "affectnet")  # faces in photographs, by boxes
    prepared = read_dataset("prepared", prepare("affectnet", source, size, crop))
    expected, _ = cut_crops(read_dataset("affectnet", source).samples, size, crop)
    np.testing.assert_array_equal(cut_crops(prepared.samples, size, crop)[0], expected)


@pytest.mark.parametrize(("name", "layout"), [("fi", write_fi_votes), ("csv", write_csv_multilabel)])
def test_labels_targets_splits_and_weights_are_those_of_the_source(name: str, layout, tmp_path: Path) -> None:
    """Soft targets with weights and drawn splits, and several labels at once."""
    source = layout(tmp_path / "source")
    assert same(read_dataset("prepared", prepare(name, source)), read_dataset(name, source))


def test_what_the_source_leaves_out_is_left_out_of_each_split_and_named(tmp_path: Path) -> None:
    rows = [fer_row(0), fer_row(1, leak=True), fer_row(2, "hapy"), fer_row(3, usage="Training"), fer_row(4, png=None)]
    source = write_fer_table(tmp_path / "fer.parquet", rows)
    prepared = prepare("fer2013", source)
    for split in (None, "PublicTest", "Training"):
        assert same(read_dataset("prepared", prepared, split), read_dataset("fer2013", source, split))
    with pytest.raises(DataError, match="'hapy' is no label"):
        read_dataset("prepared", prepared, "PublicTest", strict=True)


def test_pictures_that_cannot_be_read_are_faults_of_their_split(table: Path) -> None:
    write(table.parent / "1.jpg", jpeg(1)[:200])
    *_, last = Preparation.begin("csv", table, SIZE, WHOLE, table.parent / "out").write()
    assert last == {}
    prepared = read_dataset("prepared", table.parent / "out")
    assert len(prepared) == 9
    assert prepared.left_out == {"unreadable_image": 1}
    assert "labels.csv:3: " in prepared.fault_report
    assert read_dataset("prepared", table.parent / "out", "test", strict=True).left_out == {}


def test_copies_of_a_picture_are_held_out_together(table: Path) -> None:
    write(table.parent / "1.jpg", jpeg(0))
    prepared = read_dataset("prepared", prepare("csv", table))
    for seed in range(20):
        sides = [{sample.name for sample in side.samples} for side in hold_out(prepared, 0.5, seed)]
        assert any({"labels.csv:2", "labels.csv:3"} <= side for side in sides)


def test_after_an_interruption_finished_shards_are_kept_and_the_others_made(table: Path) -> None:
    folder = table.parent / "out"
    running = Preparation.begin("csv", table, SIZE, WHOLE, folder).write()
    next(running)
    next(running)
    running.close()
    (folder / f".{shard_path(folder, 2).name}.part").write_bytes(b"half a shard")
    with pytest.raises(DataError, match="has 2 of 5 shards; the same `emolens data prepare` makes the others"):
        read_dataset("prepared", folder)
    kept = shard_path(folder, 0).stat().st_mtime_ns
    assert len(list(Preparation.begin("csv", table, SIZE, WHOLE, folder).write())) == 5
    assert shard_path(folder, 0).stat().st_mtime_ns == kept
    assert same(read_dataset("prepared", folder), read_dataset("csv", table))
    assert not list(folder.glob(".*.part"))


@pytest.mark.parametrize("damage", ["cut", "bit", "swapped"])
def test_a_damaged_shard_is_noticed_and_made_anew(damage: str, table: Path) -> None:
    folder = prepare("csv", table)
    whole = (shard := shard_path(folder, 1)).read_bytes()
    middle = bytearray(whole)
    middle[whole.index(b"\x28\xb5\x2f\xfd") + 20] ^= 1  # in the first page that is compressed by Zstandard
    other = prepare("csv", write_csv(table.parent / "other", "image,label", "0.jpg,sad", "1.jpg,fear", "2.jpg,fear"))
    contents = {"cut": whole[:-100], "bit": bytes(middle), "swapped": shard_path(other, 0).read_bytes()}
    shard.write_bytes(contents[damage])
    with pytest.raises(DataError, match=r"00001\.parquet .*; the same `emolens data prepare` makes it again"):
        read_dataset("prepared", folder)
    prepare("csv", table)
    assert same(read_dataset("prepared", folder), read_dataset("csv", table))


def test_a_finished_preparation_is_only_verified(table: Path) -> None:
    folder = prepare("csv", table)
    before = {path.name: path.stat() for path in folder.iterdir()}
    prepare("csv", table)
    assert {path.name: path.stat() for path in folder.iterdir()} == before


@pytest.mark.parametrize("changed", ["size", "crop", "picture", "label"])
def test_a_folder_with_another_preparation_is_refused(changed: str, table: Path) -> None:
    prepare("csv", table)
    size, crop = SIZE, WHOLE
    match changed:
        case "size":
            size = SIZE.model_copy(update={"channels": 1})
        case "crop":
            crop = Crop(margin=0.1)
        case "picture":
            write(table.parent / "3.jpg", jpeg(99) + b"more")
        case "label":
            table.write_text(table.read_text().replace("3.jpg,happy", "3.jpg,sad"))
    with pytest.raises(ConfigError, match="choose another --out"):
        prepare("csv", table, size, crop)


def test_a_source_without_a_sample_and_a_folder_that_cannot_be_made_are_refused(table: Path) -> None:
    with pytest.raises(ConfigError, match="cannot be written to"):
        Preparation.begin("csv", table, SIZE, WHOLE, table / "out")
    table.write_text("image,label\nnowhere.jpg,sad\n")
    with pytest.raises(DataError, match=r"leaves no sample to prepare\n.*\n.*missing"):
        prepare("csv", table)


@pytest.mark.parametrize(
    ("field", "value"),
    [("shard_rows", 10**9), ("samples", -1), ("labels", []), ("input", {"height": 10**9, "width": 1, "channels": 3})],
)
def test_a_manifest_that_asks_for_too_much_is_refused(field: str, value: object, table: Path) -> None:
    manifest = prepare("csv", table) / MANIFEST
    manifest.write_text(json.dumps({**json.loads(manifest.read_text()), field: value}))
    with pytest.raises(DataError, match=r"prepared\.json is no manifest"):
        read_manifest(manifest.parent)


def test_a_manifest_that_counts_less_than_it_names_is_refused(table: Path) -> None:
    folder = prepare("csv", table)
    manifest = read_manifest(folder)
    named = manifest.model_copy(
        update={"left_out": manifest.left_out.model_copy(update={"faults": {"bad_row": ("here",)}})}
    )
    (folder / MANIFEST).write_text(named.model_dump_json())
    with pytest.raises(DataError, match="names faults that it does not count"):
        read_dataset("prepared", folder)


def test_names_that_are_no_text_are_kept_with_escapes(tmp_path: Path) -> None:
    write(tmp_path / "source/happy/\udcff.jpg", jpeg(0))
    write(tmp_path / "source/sad/1.jpg", jpeg(1)[:100])
    for _ in Preparation.begin("imagefolder", tmp_path / "source", SIZE, WHOLE, tmp_path / "out").write():
        pass
    assert [one.name for one in read_dataset("prepared", tmp_path / "out").samples] == [r"happy/\udcff.jpg"]


def test_a_folder_with_parquet_files_of_another_kind_is_left_alone(tmp_path: Path) -> None:
    theirs = write(tmp_path / "out" / "00000.parquet", b"not ours")
    with pytest.raises(ConfigError, match="no preparation; choose another --out"):
        Preparation.begin("affectnet", write_affectnet(tmp_path / "source"), SIZE, WHOLE, tmp_path / "out")
    assert theirs.read_bytes() == b"not ours"
