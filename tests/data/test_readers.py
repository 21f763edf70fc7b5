"""Readers keep what the source says, count what they leave out, and name what is wrong with a table."""

from pathlib import Path

import numpy as np
import pytest

from emolens.data.readers import READERS, read_dataset
from emolens.errors import ConfigError, DataError
from emolens.labels import LABEL_SETS
from fer_tables import fer_row, write_fer_table

pytest.importorskip("pyarrow", reason="the readers need the `evaluate` extra")


@pytest.fixture
def table(tmp_path: Path) -> Path:
    rows = [
        fer_row(0, "happy", "Training"),
        fer_row(1, "sad", happiness=3, sadness=6, NF=1),
        fer_row(2, None, happiness=0, NF=10, png=None),
        fer_row(3, "angry", anger=5, contempt=3, unknown=2, leak=True),
        fer_row(4, "fear", NF=6, fear=4),
    ]
    return write_fer_table(tmp_path / "fer.parquet", rows)


@pytest.mark.parametrize("name", READERS)
def test_every_reader_gives_samples_that_can_be_told_apart_over_its_labels(name, table):
    dataset = read_dataset(name, table, keep_leaks=True)
    assert dataset.name == name
    assert len({sample.name for sample in dataset.samples}) == len(dataset) > 0
    assert dataset.targets.shape == (len(dataset), len(dataset.labels))
    assert dataset.targets.dtype == np.float32
    np.testing.assert_allclose(dataset.targets.sum(axis=1), 1, rtol=1e-6)
    assert all(isinstance(sample.image, bytes) and sample.box is None for sample in dataset.samples)
    assert {sample.split for sample in dataset.samples} == {"Training", "PublicTest"}


@pytest.mark.parametrize("name", READERS)
def test_every_reader_leaves_leaks_out_and_counts_them_unless_they_are_wanted(name, table):
    without, with_leaks = read_dataset(name, table), read_dataset(name, table, keep_leaks=True)
    assert without.left_out["leak"] == 1
    assert "leak" not in with_leaks.left_out
    assert len(with_leaks) == len(without) + 1


@pytest.mark.parametrize("name", READERS)
def test_every_reader_counts_only_what_its_split_leaves_out(name, table):
    training = read_dataset(name, table, "Training")
    assert [sample.name for sample in training.samples] == ["row 0"]
    assert training.left_out == {}


@pytest.mark.parametrize("name", READERS)
def test_every_reader_refuses_a_split_that_is_not_there_and_says_which_are(name, table):
    with pytest.raises(DataError, match="no split 'PrivateTest'; it has PublicTest, Training"):
        read_dataset(name, table, "PrivateTest")


@pytest.mark.parametrize("name", READERS)
@pytest.mark.parametrize("content", [b"", b"PAR1", b"not parquet at all", None])
def test_every_reader_refuses_what_is_no_parquet_file(name, content, tmp_path):
    path = tmp_path / "broken.parquet"
    path.mkdir() if content is None else path.write_bytes(content)
    with pytest.raises(DataError, match=r"broken\.parquet"):
        read_dataset(name, path)


@pytest.mark.parametrize("name", READERS)
def test_every_reader_names_a_missing_column(name, tmp_path):
    row = fer_row(0)
    del row["leak"]
    with pytest.raises(DataError, match="lacks the columns leak; it has row, usage"):
        read_dataset(name, write_fer_table(tmp_path / "fer.parquet", [row]))


@pytest.mark.parametrize("name", READERS)
@pytest.mark.parametrize(("column", "value"), [("usage", None), ("leak", None), ("row", "first"), ("png", 3)])
def test_every_reader_refuses_a_column_with_the_wrong_content(name, column, value, tmp_path):
    with pytest.raises(DataError, match="not the table that FER2013 is read from"):
        read_dataset(name, write_fer_table(tmp_path / "fer.parquet", [{**fer_row(0), column: value}]))


def test_fer2013_is_one_hot_over_fer7(table):
    dataset = read_dataset("fer2013", table, "PublicTest")
    assert dataset.labels == LABEL_SETS["fer7"]
    assert [dataset.labels[top] for top in dataset.targets.argmax(axis=1)] == ["sad", "fear"]
    assert set(dataset.targets.ravel()) == {0.0, 1.0}
    assert dataset.left_out == {"no_image": 1, "leak": 1}


def test_fer2013_names_the_row_whose_label_it_does_not_know(tmp_path):
    path = write_fer_table(tmp_path / "fer.parquet", [fer_row(7, "hapy")])
    with pytest.raises(DataError, match="row 7: 'hapy' is no label of fer7; did you mean 'happy'"):
        read_dataset("fer2013", path)


def test_fer2013_refuses_an_image_without_a_label(tmp_path):
    path = write_fer_table(tmp_path / "fer.parquet", [fer_row(7, None), fer_row(8)])
    with pytest.raises(DataError, match="row 7"):
        read_dataset("fer2013", path)


def test_ferplus_keeps_the_votes_as_a_distribution_without_those_for_no_face(table):
    dataset = read_dataset("ferplus", table, "PublicTest", keep_leaks=True)
    assert dataset.labels == (*LABEL_SETS["ferplus8"], "unknown")
    first, second = (dict(zip(dataset.labels, sample.target.tolist(), strict=True)) for sample in dataset.samples)
    assert first["sad"] == pytest.approx(6 / 9)
    assert first["happy"] == pytest.approx(3 / 9)
    assert (second["angry"], second["contempt"], second["unknown"]) == pytest.approx((0.5, 0.3, 0.2))


def test_ferplus_leaves_out_and_counts_what_most_voters_saw_no_face_in(table):
    assert read_dataset("ferplus", table, "PublicTest").left_out == {"mostly_no_face": 2, "leak": 1}


@pytest.mark.parametrize("votes", [{"happiness": 0}, {"happiness": 11, "sadness": -1}])
def test_ferplus_refuses_a_row_without_votes_or_with_negative_ones(votes, tmp_path):
    path = write_fer_table(tmp_path / "fer.parquet", [{**fer_row(5), **votes}])
    with pytest.raises(DataError, match="row 5 has no votes, or negative ones"):
        read_dataset("ferplus", path)


def test_ferplus_refuses_a_missing_vote(tmp_path):
    path = write_fer_table(tmp_path / "fer.parquet", [{**fer_row(5), "fear": None}, fer_row(6)])
    with pytest.raises(DataError, match="fear"):
        read_dataset("ferplus", path)


def test_a_misspelt_dataset_gets_the_nearest_name(tmp_path):
    with pytest.raises(ConfigError, match="'fer213' is no dataset; did you mean 'fer2013'"):
        read_dataset("fer213", tmp_path)


def test_a_path_that_is_not_there_is_named(tmp_path):
    with pytest.raises(DataError, match=r"no data at .*nowhere\.parquet"):
        read_dataset("ferplus", tmp_path / "nowhere.parquet")


def test_the_real_table_has_the_rows_that_its_description_promises(shared_data):
    path = shared_data / "fer2013plus.parquet"
    fer2013, ferplus = (read_dataset(name, path, "PublicTest") for name in ("fer2013", "ferplus"))
    assert fer2013.left_out == {"leak": 279, "no_image": 10}
    assert len(fer2013) == 3589 - 279 - 10
    assert ferplus.left_out == {"leak": 279, "mostly_no_face": 11}
    assert len(ferplus) == 3589 - 279 - 11
    decided = ferplus.project(LABEL_SETS["social8"]).without_ties()
    assert (len(decided), decided.left_out["tie"]) == (3160, 139)
    assert len(read_dataset("fer2013", path, "PublicTest", keep_leaks=True)) == 3589 - 10


def test_the_crowd_agrees_with_fer2013_on_two_thirds_of_the_real_rows_so_images_and_votes_belong_together(shared_data):
    path = shared_data / "fer2013plus.parquet"
    hard = {sample.name: sample.target for sample in read_dataset("fer2013", path).samples}
    crowd = read_dataset("ferplus", path).without_ties()
    voted = [crowd.labels[top] for top in crowd.targets.argmax(axis=1)]
    given = [LABEL_SETS["fer7"][hard[sample.name].argmax()] for sample in crowd.samples]
    assert np.mean(np.array(voted) == given) == pytest.approx(0.65, abs=0.01)
    assert np.mean(np.array(voted[1:] + voted[:1]) == given) < 0.2
