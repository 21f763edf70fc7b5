"""FER2013 and FER+ are the same faces whatever they are read from."""

from collections.abc import Callable, Iterable
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from emolens.data.readers import read_dataset
from emolens.data.samples import Dataset
from emolens.errors import DataError
from emolens.image import decode
from emolens.labels import LABEL_SETS
from fer_tables import VOTES, face_png, fer_row, write_fer_table
from layouts import lines, write, write_fer_csv, write_fer_folders, write_ferplus_folders, write_votes

pytest.importorskip("pyarrow", reason="the readers need the `evaluate` extra")

ROWS = (
    fer_row(0, "happy", "Training"),
    fer_row(1, "sad", happiness=3, sadness=6, NF=1),
    fer_row(2, "neutral", happiness=0, NF=10, png=None, name=""),
    fer_row(3, "angry", anger=5, contempt=3, unknown=2, png=face_png(0), leak=True),
    fer_row(4, "fear", NF=6, fear=4),
    fer_row(5, "fear", "PrivateTest", fear=7, sadness=3, png=face_png(1), leak=True),
)


def write_parquet(folder: Path, rows: Iterable[dict[str, Any]]) -> Path:
    return write_fer_table(folder / "fer.parquet", list(rows))


def write_csv(folder: Path, rows: Iterable[dict[str, Any]]) -> Path:
    return write_fer_csv(folder / "fer2013.csv", rows)


def write_joined(folder: Path, rows: Iterable[dict[str, Any]]) -> Path:
    write_fer_csv(folder / "fer2013.csv", rows)
    return write_votes(folder, rows)


Write = Callable[[Path, Iterable[dict[str, Any]]], Path]

FER2013 = (write_csv, write_fer_folders, write_parquet)
FERPLUS = (write_joined, write_ferplus_folders, write_parquet)
BOTH = [("fer2013", form) for form in FER2013] + [("ferplus", form) for form in FERPLUS]
every_form = pytest.mark.parametrize(("name", "form"), BOTH, ids=lambda one: getattr(one, "__name__", one))


def content(dataset: Dataset) -> list[tuple[str, bytes, bytes]]:
    """What the samples are but for their names and their order."""
    rows = ((one.split, one.target.tobytes(), decode(one.image).pixels[..., 0].tobytes()) for one in dataset.samples)
    return sorted(rows)


@every_form
def test_a_picture_that_stands_in_an_earlier_split_has_leaked_and_is_left_out(
    name: str, form: Write, tmp_path: Path
) -> None:
    path = form(tmp_path, ROWS)
    dataset = read_dataset(name, path, "PublicTest")
    assert dataset.left_out.get("leak") == 1
    assert not dataset.faults
    kept = read_dataset(name, path, "PublicTest", keep_leaks=True)
    assert "leak" not in kept.left_out
    assert len(kept) == len(dataset) + 1


@every_form
def test_only_what_the_split_leaves_out_is_counted(name: str, form: Write, tmp_path: Path) -> None:
    training = read_dataset(name, form(tmp_path, ROWS), "Training")
    assert len(training) == 1
    assert training.left_out == {}


@pytest.mark.parametrize("split", [None, "PublicTest"])
@every_form
def test_every_form_gives_the_same_samples(name: str, form: Write, split: str | None, tmp_path: Path) -> None:
    expected = read_dataset(name, write_parquet(tmp_path, ROWS), split)
    found = read_dataset(
        name, form(tmp_path / "form", ROWS) if form is not write_parquet else tmp_path / "fer.parquet", split
    )
    assert found.labels == expected.labels
    assert content(found) == content(expected)


@pytest.mark.parametrize("form", [write_csv, write_joined, write_ferplus_folders])
def test_rows_keep_their_number_in_every_form_that_has_them(form: Write, tmp_path: Path) -> None:
    name = "fer2013" if form is write_csv else "ferplus"
    samples = read_dataset(name, form(tmp_path, ROWS), keep_leaks=True).samples
    assert [sample.name for sample in samples][:3] == ["row 0", "row 1", "row 3"]


def test_fer2013_is_one_hot_over_fer7(tmp_path: Path) -> None:
    dataset = read_dataset("fer2013", write_parquet(tmp_path, ROWS), "PublicTest")
    assert dataset.labels == LABEL_SETS["fer7"]
    assert [dataset.labels[top] for top in dataset.targets.argmax(axis=1)] == ["sad", "fear"]
    assert set(dataset.targets.ravel()) == {0.0, 1.0}
    assert dataset.left_out == {"no_image": 1, "leak": 1}


@pytest.mark.parametrize(("code", "label"), list(enumerate(LABEL_SETS["fer7"])))
def test_the_codes_of_fer2013_stand_for_its_labels(code: int, label: str, tmp_path: Path) -> None:
    table = write(tmp_path / "fer2013.csv", lines("emotion,pixels,Usage", f"{code},{'1 2 ' * 1152},Training"))
    [sample] = read_dataset("fer2013", table).samples
    assert LABEL_SETS["fer7"][sample.target.argmax()] == label


def test_a_label_that_fer2013_does_not_know_is_a_fault_with_its_row(tmp_path: Path) -> None:
    path = write_parquet(tmp_path, [fer_row(7, "hapy"), fer_row(8, None), fer_row(9)])
    dataset = read_dataset("fer2013", path)
    assert [sample.name for sample in dataset.samples] == ["row 9"]
    assert dataset.left_out == {"unknown_label": 2}
    assert "row 7: 'hapy' is no label of fer2013; did you mean 'happy'?" in dataset.fault_report


@pytest.mark.parametrize(
    ("row", "reason"),
    [
        ("7,{},Training", "unknown_label"),
        ("happy,{},Training", "bad_value"),
        ("-1,{},Training", "bad_value"),
        ("3,{},Trainin", "unknown_split"),
        ("3,{}", "bad_row"),
        ("3,1 2 3,Training", "bad_pixels"),
        ("3,{} 256,Training", "bad_pixels"),
        ("3,a{},Training", "bad_pixels"),
    ],
)
def test_a_row_at_fault_is_named_with_its_line_and_the_others_are_read(row: str, reason: str, tmp_path: Path) -> None:
    good = " ".join(["1 2"] * 1152)
    table = lines("emotion,pixels,Usage", row.format(good), f"3,{good},Training")
    dataset = read_dataset("fer2013", write(tmp_path / "fer2013.csv", table))
    assert [sample.name for sample in dataset.samples] == ["row 1"]
    assert dataset.left_out == {reason: 1}
    assert f"fer2013.csv{', row 0' if reason not in ('unknown_split', 'bad_row') else ':2'}: " in dataset.fault_report


def test_a_file_of_an_unknown_split_among_the_folders_is_a_fault(tmp_path: Path) -> None:
    write_fer_folders(tmp_path, ROWS)
    write(tmp_path / "test/sad/Thumbs.db", b"")
    assert "test/sad/Thumbs.db: 'Thumbs.db' is no split" in read_dataset("fer2013", tmp_path).fault_report


def test_a_folder_without_fer2013_says_what_should_be_in_it(tmp_path: Path) -> None:
    with pytest.raises(DataError, match=r"neither fer2013\.csv nor icml_face_data\.csv nor train/<emotion>"):
        read_dataset("fer2013", tmp_path)
    with pytest.raises(DataError, match=r"no fer2013new\.csv"):
        read_dataset("ferplus", tmp_path)
    with pytest.raises(DataError, match=r"put fer2013\.csv or icml_face_data\.csv beside them"):
        read_dataset("ferplus", write_votes(tmp_path, ROWS))


def test_ferplus_keeps_the_votes_as_a_distribution_without_those_for_no_face(tmp_path: Path) -> None:
    dataset = read_dataset("ferplus", write_parquet(tmp_path, ROWS), "PublicTest", keep_leaks=True)
    assert dataset.labels == (*LABEL_SETS["ferplus8"], "unknown")
    first, second = (dict(zip(dataset.labels, sample.target.tolist(), strict=True)) for sample in dataset.samples)
    assert first["sad"] == pytest.approx(6 / 9)
    assert first["happy"] == pytest.approx(3 / 9)
    assert (second["angry"], second["contempt"], second["unknown"]) == pytest.approx((0.5, 0.3, 0.2))


@pytest.mark.parametrize("form", FERPLUS)
def test_ferplus_leaves_out_and_counts_what_most_voters_saw_no_face_in(form: Write, tmp_path: Path) -> None:
    assert read_dataset("ferplus", form(tmp_path, ROWS), "PublicTest").left_out == {"mostly_no_face": 2, "leak": 1}


@pytest.mark.parametrize("votes", [{"happiness": 0}, {"happiness": 11, "sadness": -1}])
def test_votes_that_say_nothing_are_a_fault(votes: dict[str, int], tmp_path: Path) -> None:
    dataset = read_dataset("ferplus", write_parquet(tmp_path, [{**fer_row(5), **votes}, fer_row(6)]))
    assert dataset.left_out == {"bad_votes": 1}
    assert "row 5: has no votes, or negative ones" in dataset.fault_report


def test_of_two_rows_with_one_name_the_picture_belongs_to_the_later_one(tmp_path: Path) -> None:
    rows = [fer_row(0, name="fer1.png"), fer_row(1, name="fer1.png", sadness=10)]
    dataset = read_dataset("ferplus", write_ferplus_folders(tmp_path, rows))
    assert [sample.name for sample in dataset.samples] == ["row 1"]
    assert dataset.left_out == {"no_image": 1}


def test_votes_and_pixels_that_do_not_belong_together_are_faults(tmp_path: Path) -> None:
    write_fer_csv(tmp_path / "fer2013.csv", [fer_row(0), fer_row(1), fer_row(2)])
    votes = [fer_row(0), fer_row(1, usage="Training")]
    assert read_dataset("ferplus", write_votes(tmp_path, votes)).left_out == {"no_votes": 2}
    votes = [fer_row(row) for row in range(5)]
    assert read_dataset("ferplus", write_votes(tmp_path, votes)).left_out == {"missing_image": 2}


@pytest.mark.parametrize("name", ["fer2013", "ferplus"])
def test_a_parquet_table_without_a_column_is_refused(name: str, tmp_path: Path) -> None:
    row = fer_row(0)
    del row["leak"]
    with pytest.raises(DataError, match="lacks the columns leak; it has row, usage"):
        read_dataset(name, write_parquet(tmp_path, [row]))


@pytest.mark.parametrize("name", ["fer2013", "ferplus"])
@pytest.mark.parametrize(("column", "value"), [("usage", None), ("leak", None), ("row", "first"), ("png", 3)])
def test_a_parquet_column_with_the_wrong_content_is_refused(
    name: str, column: str, value: object, tmp_path: Path
) -> None:
    with pytest.raises(DataError, match="not the table that FER2013 is read from"):
        read_dataset(name, write_parquet(tmp_path, [{**fer_row(0), column: value}]))


def test_a_parquet_table_with_a_missing_vote_is_refused(tmp_path: Path) -> None:
    with pytest.raises(DataError, match="fear"):
        read_dataset("ferplus", write_parquet(tmp_path, [{**fer_row(5), "fear": None}, fer_row(6)]))


def test_the_real_table_has_the_rows_that_its_description_promises(shared_data: Path) -> None:
    path = shared_data / "fer2013plus.parquet"
    fer2013, ferplus = (read_dataset(name, path, "PublicTest", strict=True) for name in ("fer2013", "ferplus"))
    assert fer2013.left_out == {"leak": 279, "no_image": 10}
    assert len(fer2013) == 3589 - 279 - 10
    assert ferplus.left_out == {"leak": 279, "mostly_no_face": 11}
    assert len(ferplus) == 3589 - 279 - 11
    decided = ferplus.project(LABEL_SETS["social8"]).without_ties()
    assert (len(decided), decided.left_out["tie"]) == (3160, 139)
    assert len(read_dataset("fer2013", path, "PublicTest", keep_leaks=True)) == 3589 - 10


def test_the_crowd_agrees_with_fer2013_on_two_thirds_of_the_real_rows_so_images_and_votes_belong_together(
    shared_data: Path,
) -> None:
    path = shared_data / "fer2013plus.parquet"
    hard = {sample.name: sample.target for sample in read_dataset("fer2013", path).samples}
    crowd = read_dataset("ferplus", path).without_ties()
    voted = [crowd.labels[top] for top in crowd.targets.argmax(axis=1)]
    given = [LABEL_SETS["fer7"][hard[sample.name].argmax()] for sample in crowd.samples]
    assert np.mean(np.array(voted) == given) == pytest.approx(0.65, abs=0.01)
    assert np.mean(np.array(voted[1:] + voted[:1]) == given) < 0.2


@pytest.mark.slow
def test_the_real_faces_are_the_same_from_every_form(shared_data: Path, tmp_path: Path) -> None:
    """Also the leaks: what the Parquet table marks is found anew in the other forms."""
    import pyarrow.parquet

    parquet = shared_data / "fer2013plus.parquet"
    columns = ["row", "usage", "label", "png", "name", *VOTES]
    rows = pyarrow.parquet.read_table(parquet, columns=columns).to_pylist()
    forms = {"fer2013": (write_csv, write_fer_folders), "ferplus": (write_joined, write_ferplus_folders)}
    for name, writers in forms.items():
        expected = read_dataset(name, parquet, "PublicTest")
        for form in writers:
            found = read_dataset(name, form(tmp_path / form.__name__, rows), "PublicTest", strict=True)
            assert found.left_out.get("leak") == expected.left_out["leak"], form.__name__
            assert content(found) == content(expected), form.__name__
