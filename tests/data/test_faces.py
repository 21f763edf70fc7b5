"""The reader of photographs with face boxes."""

from pathlib import Path

import pytest

from emolens.data.readers.faces import read_face_photos
from emolens.errors import DataError
from face_photos import face_row, write_face_table

pytest.importorskip("pyarrow")


def test_a_row_becomes_a_photo_with_boxes_landmarks_and_regions_to_ignore(tmp_path: Path) -> None:
    row = face_row(0, faces=2, ignore=[{"x": 1, "y": 2, "w": 3, "h": 4}])
    [photo] = read_face_photos(write_face_table(tmp_path / "faces.parquet", [row]))
    assert photo.boxes[0].tolist() == [row["faces"][0][key] for key in "xywh"]
    assert photo.landmarks.reshape(2, 10)[1] == pytest.approx(row["faces"][1]["landmarks"])
    assert photo.ignore.tolist() == [[1, 2, 3, 4]]
    assert photo.image == row["image"]
    assert photo.collection == "drawn"


def test_a_photo_without_faces_has_empty_arrays_of_the_same_shape(tmp_path: Path) -> None:
    [photo] = read_face_photos(write_face_table(tmp_path / "faces.parquet", [face_row(0, faces=0)]))
    assert photo.boxes.shape == (0, 4)
    assert photo.landmarks.shape == (0, 5, 2)
    assert photo.ignore.shape == (0, 4)


def test_a_split_is_chosen_by_its_name_and_an_unknown_one_is_refused(tmp_path: Path) -> None:
    table = write_face_table(tmp_path / "faces.parquet", [face_row(0), face_row(1, split="val")])
    assert [photo.split for photo in read_face_photos(table, "val")] == ["val"]
    with pytest.raises(DataError, match="no split 'test'; it has train, val"):
        read_face_photos(table, "test")


def test_a_missing_or_foreign_file_is_refused(tmp_path: Path) -> None:
    with pytest.raises(DataError, match="no data at"):
        read_face_photos(tmp_path / "absent.parquet")
    (tmp_path / "text.parquet").write_text("no table")
    with pytest.raises(DataError, match="is no Parquet file"):
        read_face_photos(tmp_path / "text.parquet")


def test_a_table_of_something_else_is_refused_by_the_columns_that_it_lacks(tmp_path: Path) -> None:
    import pyarrow
    import pyarrow.parquet

    pyarrow.parquet.write_table(pyarrow.table({"image": [b""], "label": ["happy"]}), tmp_path / "other.parquet")
    with pytest.raises(DataError, match="lacks the columns source, split, faces, ignore"):
        read_face_photos(tmp_path / "other.parquet")


def test_the_real_table_is_read_whole(shared_data: Path) -> None:
    photos = read_face_photos(shared_data / "faces.parquet")
    assert len(photos) == 5140
    assert sum(len(photo.boxes) for photo in photos) == 9452
