"""Many results as a table."""

import csv
import io

import pandas
import pytest

from emolens.results import Face, Failure, Prediction, Reactions
from emolens.ui.tables import FAILED, NO_FACE, NO_PICTURE, UNSURE, shown_rows, to_csv, to_parquet, verdict

FACE = Face((1, 2, 3, 4), 0.9, {"happy": 0.8, "sad": 0.2}, ("happy",))
HAPPY = Prediction(
    "=a.jpg", "m", 9, 8, {"happy": 0.8, "sad": 0.2}, ("happy",), (FACE,), Reactions(("😀",), (), ("😀",))
)
UNCLEAR = Prediction("b.jpg", "m", 9, 8, {"happy": 0.5, "sad": 0.5}, (), (), Reactions(), unsure=True)
NOBODY = Prediction("c.jpg", "m", 9, 8, {"happy": 0.0, "sad": 0.0}, (), (), Reactions())
BROKEN = Failure("d.jpg", "truncated", "d.jpg: ends too early")
ALL = [BROKEN, HAPPY, UNCLEAR, NOBODY]


def test_every_result_has_a_word_to_filter_by() -> None:
    assert [verdict(one) for one in ALL] == [FAILED, "😀 happy", UNSURE, NO_FACE]


def test_the_page_shows_answers_and_problems_each_in_its_row() -> None:
    failed, happy, *_ = shown_rows(ALL, [b"", b"jpeg", b"", b""])
    assert (failed["photo"], failed["problem"]) == (NO_PICTURE, "d.jpg: ends too early")
    assert (happy["sure"], happy["faces"], happy["reactions"], happy["problem"]) == (80, 1, "😀", "")
    assert happy["photo"].startswith("data:image/jpeg;base64,")


def test_the_csv_has_a_row_per_photo_with_probabilities_and_errors() -> None:
    rows = list(csv.DictReader(io.StringIO(to_csv(ALL))))
    assert [row["input"] for row in rows] == ["d.jpg", "=a.jpg", "b.jpg", "c.jpg"]
    assert (rows[0]["error_code"], rows[1]["happy"], rows[1]["dominant"]) == ("truncated", "0.8", "happy")


@pytest.mark.parametrize("results", [ALL, [BROKEN], [NOBODY]])
def test_parquet_has_the_columns_of_the_csv_with_numbers_as_numbers(results: list[Prediction | Failure]) -> None:
    frame = pandas.read_parquet(io.BytesIO(to_parquet(results)))
    assert list(frame.columns) == next(csv.reader(io.StringIO(to_csv(results))))
    assert len(frame) == len(results)
    assert pandas.api.types.is_float_dtype(frame["confidence"])
    assert pandas.api.types.is_integer_dtype(frame["faces"])
