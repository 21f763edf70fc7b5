"""Results as a table, JSON, JSON lines and CSV."""

import csv
import io
import json
from collections.abc import Iterator
from dataclasses import replace
from typing import Any, get_args

import pytest

from emolens.cli.render import Format, write
from emolens.results import Face, Failure, Prediction, Reactions
from emolens.text import printable

LABELS = ("happy", "sad")
FACE = Face(box=(1.0, 2.0, 30.0, 40.0), score=0.9, probabilities={"happy": 0.8, "sad": 0.2}, emotions=("happy",))
PREDICTION = Prediction(
    input="a [red]photo.jpg",
    model="tiny",
    width=200,
    height=100,
    probabilities={"happy": 0.8, "sad": 0.2},
    emotions=("happy",),
    faces=(FACE,),
    reactions=Reactions(allowed=("😀", "❤️"), blocked=("😢",), suggested=("❤️", "😀")),
    milliseconds={"decode": 1.0, "detect": 2.0, "classify": 3.0, "total": 6.0},
)
NO_FACE = Prediction(
    "b.jpg", "tiny", 20, 10, {"happy": 0.0, "sad": 0.0}, (), (), Reactions(), milliseconds={"total": 1}
)
FAILURE = Failure("c.jpg", "truncated", "c.jpg: the JPEG file ends too early, truly")


def written(format: Format, *results: Prediction | Failure, show_scores: bool = False) -> str:
    stream = io.StringIO()
    write(format, iter(results), stream, LABELS, show_scores)
    return stream.getvalue()


def test_json_is_one_array_whatever_the_number_of_results() -> None:
    assert json.loads(written("json")) == []
    assert json.loads(written("json", PREDICTION)) == [PREDICTION.to_dict()]
    assert json.loads(written("json", PREDICTION, FAILURE)) == [PREDICTION.to_dict(), FAILURE.to_dict()]


def test_the_table_says_when_an_answer_is_unsure_and_labels_steer_no_terminal() -> None:
    assert "happy 80%, unsure" in written("table", replace(PREDICTION, unsure=True))
    assert "unsure" not in written("table", PREDICTION)
    hostile = replace(PREDICTION, emotions=("\x1b[31m",), probabilities={"\x1b[31m": 1.0})
    assert "\x1b" not in written("table", hostile)


def test_json_lines_are_one_object_per_line() -> None:
    lines = written("jsonl", PREDICTION, FAILURE).splitlines()
    assert [json.loads(line) for line in lines] == [PREDICTION.to_dict(), FAILURE.to_dict()]


def test_json_lines_leave_as_they_come() -> None:
    stream = io.StringIO()

    def results() -> Iterator[Prediction]:
        yield PREDICTION
        assert stream.getvalue().count("\n") == 1
        yield PREDICTION

    write("jsonl", results(), stream, LABELS, show_scores=False)


def test_emoji_are_written_as_themselves() -> None:
    assert "😀" in written("json", PREDICTION)


def rows(text: str) -> list[dict[str, Any]]:
    return list(csv.DictReader(io.StringIO(text)))


def test_csv_is_one_row_per_image_failures_included() -> None:
    first, second, third = rows(written("csv", PREDICTION, NO_FACE, FAILURE))
    assert first["faces"] == "1"
    assert first["dominant"] == "happy"
    assert first["allowed"] == "😀 ❤️"
    assert (second["faces"], second["dominant"], second["confidence"]) == ("0", "", "")
    assert (third["input"], third["error_code"], third["error"]) == ("c.jpg", "truncated", FAILURE.message)
    assert third["faces"] == ""


def test_scores_are_in_table_and_csv_on_request() -> None:
    assert "happy" not in rows(written("csv", PREDICTION))[0]
    assert rows(written("csv", PREDICTION, show_scores=True))[0]["happy"] == "0.8"
    assert "20% sad" not in written("table", PREDICTION)
    assert "20% sad" in written("table", PREDICTION, show_scores=True)


def test_the_table_names_emotions_reactions_and_the_time_taken() -> None:
    table = written("table", PREDICTION, NO_FACE, FAILURE)
    assert "happy 80%" in table
    assert "❤️ 😀" in table
    assert "no face" in table
    assert "c.jpg" not in table
    assert [line.split()[-1] for line in table.splitlines() if ".jpg" in line] == ["6", "1"]


def test_the_table_shows_a_file_name_as_it_is_and_lets_it_steer_nothing() -> None:
    assert "a [red]photo.jpg" in written("table", PREDICTION)
    assert printable("a\x1b[31m\n\udce9.jpg") == "a\\x1b[31m\\n\\udce9.jpg"


def test_a_table_of_nothing_is_nothing() -> None:
    assert written("table", FAILURE) == ""


@pytest.mark.parametrize("format", get_args(Format))
def test_every_format_takes_results_of_every_kind(format: Format) -> None:
    written(format, PREDICTION, NO_FACE, FAILURE, show_scores=True)
