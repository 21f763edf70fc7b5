"""What every reader does, in every layout: keep what the source says, count what it leaves out, name what is wrong."""

from pathlib import Path

import numpy as np
import pytest

from emolens.card import Crop, Input
from emolens.data.crops import cut_crops
from emolens.data.readers import READERS, read_dataset
from emolens.errors import ConfigError, DataError
from emolens.image import decode
from fer_tables import VOTES
from layouts import EMOTION6_HEADER, LAYOUTS, Layout, jpeg, write

pytest.importorskip("pyarrow", reason="the readers need the `evaluate` extra")


def layouts(*pictures: str) -> pytest.MarkDecorator:
    chosen = [layout for layout in LAYOUTS if layout.pictures in pictures]
    return pytest.mark.parametrize("layout", chosen, ids=lambda layout: f"{layout.reader}-{layout}")


every_layout = layouts("listed", "found", "inside")


def test_every_reader_has_a_layout_here() -> None:
    assert {layout.reader for layout in LAYOUTS} == set(READERS)


@every_layout
def test_samples_can_be_told_apart_and_have_a_picture_and_a_target_over_the_labels(
    layout: Layout, tmp_path: Path
) -> None:
    dataset = read_dataset(layout.reader, layout.write(tmp_path), strict=True)
    assert dataset.name == layout.reader
    assert len({sample.name for sample in dataset.samples}) == len(dataset) > 0
    assert dataset.targets.shape == (len(dataset), len(dataset.labels))
    assert all(sample.target.dtype == np.float32 for sample in dataset.samples)
    if dataset.objective == "distribution":
        np.testing.assert_allclose(dataset.targets.sum(axis=1), 1, rtol=1e-6)
    else:
        assert set(dataset.targets.ravel()) <= {0, 1}
    assert all(decode(sample.image).pixels.size for sample in dataset.samples)


@every_layout
def test_a_split_is_that_part_of_the_whole_and_an_unknown_one_is_refused(layout: Layout, tmp_path: Path) -> None:
    path = layout.write(tmp_path)
    whole = read_dataset(layout.reader, path)
    assert {sample.split for sample in whole.samples} == set(layout.splits)
    for split in layout.splits:
        names = [sample.name for sample in read_dataset(layout.reader, path, split).samples]
        assert names == [sample.name for sample in whole.samples if sample.split == split]
    with pytest.raises(DataError, match=f"no split 'nowhere'; it has {', '.join(sorted(layout.splits))}"):
        read_dataset(layout.reader, path, "nowhere")


@layouts("listed")
def test_a_missing_file_is_named_and_counted_and_fatal_only_where_that_is_asked_for(
    layout: Layout, tmp_path: Path
) -> None:
    path = layout.write(tmp_path)
    whole = read_dataset(layout.reader, path)
    missing = whole.samples[0].image
    assert isinstance(missing, Path)
    missing.unlink()
    dataset = read_dataset(layout.reader, path)
    assert len(dataset) == len(whole) - 1
    assert dataset.left_out == {"missing_file": 1}
    assert missing.name in dataset.fault_report
    with pytest.raises(DataError, match=rf"missing file: 1\n.*{missing.name}"):
        read_dataset(layout.reader, path, strict=True)


@layouts("listed", "found")
def test_a_picture_that_cannot_be_read_is_named(layout: Layout, tmp_path: Path) -> None:
    dataset = read_dataset(layout.reader, layout.write(tmp_path))
    first = dataset.samples[0]
    assert isinstance(first.image, Path)
    first.image.write_bytes(first.image.read_bytes()[:200])
    _, unreadable = cut_crops(dataset.samples, Input(height=8, width=8, channels=1), Crop())
    assert list(unreadable) == [0]
    assert unreadable[0].startswith(f"{first.name}: ")


@pytest.mark.parametrize("name", READERS)
@pytest.mark.parametrize("content", [b"", b"PAR1", b"\xff\xfe\x00text", b'image,label\n"', b"[[[[", None])
def test_what_is_no_dataset_is_refused(name: str, content: bytes | None, tmp_path: Path) -> None:
    path = tmp_path / "broken"
    path.mkdir() if content is None else path.write_bytes(content)
    with pytest.raises(DataError, match="broken"):
        read_dataset(name, path)


_FERPLUS = f"Usage,Image name,{','.join(VOTES)}"
_AFFECTNET = "subDirectory_filePath,face_x,face_y,face_width,face_height,expression"


@pytest.mark.parametrize(
    ("reader", "table", "content"),
    [
        ("csv", "t.csv", "image,label\n{},happy\n"),
        ("ferplus", "fer2013new.csv", f"{_FERPLUS}\nTraining,{{}},1,0,0,0,0,0,0,0,0,0\n"),
        ("rafdb", "EmoLabel/list_patition_label.txt", "train_/../{} 1\n"),
        ("fi", "annotations/train.txt", "{} awe\n"),
        ("fi", "annotations/train.csv", "image_name,emotion\n{},awe\n"),
        ("emoset", "train.json", '[["awe", "a", "{}"]]'),
        ("emotion6", "ground_truth.txt", f"{EMOTION6_HEADER}\n{{}}\t5\t5\t1\t0\t0\t0\t0\t0\t0\n"),
        ("affectnet", "training.csv", f"{_AFFECTNET}\n{{}},0,0,9,9,1"),
    ],
)
@pytest.mark.parametrize("way", ["../secret.jpg", "../../../secret.jpg", "{}/secret.jpg"])
def test_no_table_leads_out_of_its_folder(reader: str, table: str, content: str, way: str, tmp_path: Path) -> None:
    for place in ("", "data", "data/inside"):
        for name in ("secret.jpg", "secret_aligned.jpg"):
            write(tmp_path / place / name, jpeg(0))
    for folder in ("images", "Image/aligned/train_", "FER2013Train"):
        (tmp_path / "data/inside" / folder).mkdir(parents=True)
    write(tmp_path / "data/inside" / table, content.format(way.format(tmp_path)))
    dataset = read_dataset(reader, tmp_path / "data/inside")
    assert len(dataset) == 0
    assert sum(dataset.left_out.values()) == 1
    assert set(dataset.left_out) <= {"outside_folder", "missing_file"}


def test_a_misspelt_dataset_gets_the_nearest_name(tmp_path: Path) -> None:
    with pytest.raises(ConfigError, match="'fer213' is no dataset; did you mean 'fer2013'"):
        read_dataset("fer213", tmp_path)


def test_a_path_that_is_not_there_is_named(tmp_path: Path) -> None:
    with pytest.raises(DataError, match=r"no data at .*nowhere\.parquet"):
        read_dataset("ferplus", tmp_path / "nowhere.parquet")
