"""Tables of text are read within limits, and every row is either read or named."""

from contextlib import suppress
from pathlib import Path

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from emolens.data.readers.gathering import Gathering, RowError, Wanted
from emolens.data.readers.tables import MAX_LINE, read_rows, read_table, whole_number
from emolens.errors import DataError
from layouts import lines, write

FIELD = st.text(st.characters(codec="utf-8", exclude_categories=("Cs", "Cc", "Zl", "Zp")), max_size=8)


def gathering() -> Gathering:
    return Gathering("table", ("happy",), Wanted())


@settings(suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(rows=st.lists(st.lists(FIELD, min_size=1, max_size=4), max_size=6), columns=st.integers(1, 4))
def test_every_row_is_read_or_named_and_none_is_changed(rows: list[list[str]], columns: int, tmp_path: Path) -> None:
    """Whatever the fields hold, commas and quotes included."""
    quoted = [",".join('"' + field.replace('"', '""') + '"' for field in row) for row in rows]
    header = ",".join(f"column {index}" for index in range(columns))
    path = write(tmp_path / "table.csv", lines(header, *quoted))
    noted = gathering()
    read = list(read_table(path, noted, ()))
    fitting = [(number, row) for number, row in enumerate(rows, start=2) if len(row) == columns]
    assert [(number, list(row.values())) for number, row in read] == [
        (number, [field.strip() for field in row]) for number, row in fitting
    ]
    assert noted.dataset().left_out.get("bad_row", 0) == len(rows) - len(fitting)


@settings(suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(st.binary(max_size=300))
def test_any_bytes_are_a_table_or_one_clear_error(tmp_path: Path, content: bytes) -> None:
    path = write(tmp_path / "table.csv", content)
    with suppress(DataError):
        list(read_table(path, gathering(), ("image",)))


def test_names_of_columns_lose_blanks_case_and_the_byte_order_mark(tmp_path: Path) -> None:
    path = write(tmp_path / "t.csv", "\ufeffImage, Label\r\n a.jpg , Happy \r\n\r\nb.jpg,sad")
    rows = list(read_table(path, gathering(), ("image", "label")))
    assert rows == [(2, {"image": "a.jpg", "label": "Happy"}), (4, {"image": "b.jpg", "label": "sad"})]


def test_a_table_may_come_without_a_header_where_its_columns_are_known(tmp_path: Path) -> None:
    for header in ("", "url,votes\n"):
        path = write(tmp_path / "t.csv", f"{header}a,1\nb,2\n")
        rows = [row for _, row in read_table(path, gathering(), ("url",), headless=("url", "votes"))]
        assert rows == [{"url": "a", "votes": "1"}, {"url": "b", "votes": "2"}]


@pytest.mark.parametrize(
    ("content", "said"),
    [
        ("path\na.jpg\n", "lacks the columns image; it has 'path'"),
        ("image,image\n", "has two columns 'image'"),
        ('image\n"a\nb"\n', r"t\.csv:2: cannot be split"),
        (f"image\n{'a' * MAX_LINE}b\n", r"t\.csv:2: is over 131,072 characters"),
        (b"image\n\xff\n", "is no text in UTF-8"),
    ],
)
def test_a_table_that_cannot_be_read_says_where_and_why(content: str | bytes, said: str, tmp_path: Path) -> None:
    with pytest.raises(DataError, match=said):
        list(read_table(write(tmp_path / "t.csv", content), gathering(), ("image",)))


def test_too_many_lines_are_refused(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("emolens.data.readers.tables.MAX_ROWS", 3)
    assert len(list(read_rows(write(tmp_path / "t.csv", "a\n" * 3)))) == 3
    with pytest.raises(DataError, match="over 3 lines"):
        list(read_rows(write(tmp_path / "t.csv", "a\n" * 4)))


def test_what_a_table_holds_cannot_steer_the_terminal() -> None:
    with pytest.raises(RowError) as caught:
        whole_number("\x1b[2J" + "9" * 500)
    assert "\x1b" not in str(caught.value)
    assert len(str(caught.value)) < 150
