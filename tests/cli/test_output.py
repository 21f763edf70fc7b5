"""Data goes to stdout, or into a file that appears whole or not at all."""

from pathlib import Path

import pytest

from emolens.cli.output import destination
from emolens.errors import ConfigError


def test_a_file_appears_whole(tmp_path: Path) -> None:
    path = tmp_path / "out.json"
    with destination(path) as stream:
        stream.write("[]")
        assert not path.exists()
    assert path.read_text() == "[]"
    assert list(tmp_path.iterdir()) == [path]


def test_a_file_that_was_there_stays_when_the_work_fails(tmp_path: Path) -> None:
    path = tmp_path / "out.json"
    path.write_text("before")

    def fail() -> None:
        with destination(path) as stream:
            stream.write("half")
            raise RuntimeError

    with pytest.raises(RuntimeError):
        fail()
    assert path.read_text() == "before"
    assert list(tmp_path.iterdir()) == [path]


def test_a_device_is_written_to_and_not_replaced() -> None:
    with destination(Path("/dev/null")) as stream:
        stream.write("gone")
    assert Path("/dev/null").is_char_device()


def test_names_that_are_no_text_can_be_written(tmp_path: Path) -> None:
    with destination(tmp_path / "out") as stream:
        stream.write('"\udce9 😀"')
    assert (tmp_path / "out").read_text(encoding="utf-8") == '"\\udce9 😀"'


def test_a_place_that_cannot_be_written_is_a_clear_error(tmp_path: Path) -> None:
    with pytest.raises(ConfigError, match="cannot be written"), destination(tmp_path / "nowhere" / "out"):
        pass


def test_without_a_file_it_is_stdout(capsys: pytest.CaptureFixture[str]) -> None:
    with destination(None) as stream:
        stream.write("hello")
    assert capsys.readouterr().out == "hello"
