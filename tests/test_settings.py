"""What environment variables and `.env` set: which file counts, what is taken from it, and where paths then lead."""

import os
from collections.abc import Callable
from contextlib import suppress
from pathlib import Path
from unittest import mock

import pytest
from hypothesis import given
from hypothesis import strategies as st

from conftest import ROOT
from emolens import settings, zoo
from emolens.errors import ConfigError, DataError, ModelError
from emolens.image import Limits


@pytest.fixture(autouse=True)
def here(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """The working directory: `home/project/sub`, with a repository at `project` and no setting."""
    for name in settings.SETTINGS:
        monkeypatch.setenv(name, "")  # so that what a test leaves behind is taken back
        monkeypatch.delenv(name)
    monkeypatch.setattr(settings, "_filled", {})
    monkeypatch.setenv("HOME", str(tmp_path / "home"))
    folder = tmp_path / "home" / "project" / "sub"
    folder.mkdir(parents=True)
    (folder.parent / ".git").mkdir()
    monkeypatch.chdir(folder)
    return folder


def taken(content: str | bytes, file: Path = Path(".env")) -> str | None:
    """What EMOLENS_OFFLINE, a setting that is no path, is after a `.env` of that content has been read."""
    file.write_bytes(content.encode() if isinstance(content, str) else content)
    settings.fill_environment()
    return os.environ.get("EMOLENS_OFFLINE")


@pytest.mark.parametrize(
    ("value", "forbidden"),
    [*((no, False) for no in ("", "0", "no", "False", "off")), *((yes, True) for yes in ("1", "true", " YES ", "on"))],
)
def test_offline_is_said_as_people_say_yes_and_no(value: str, forbidden: bool, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("EMOLENS_OFFLINE", value)
    assert settings.offline() is forbidden


def test_what_is_neither_yes_nor_no_is_refused(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("EMOLENS_OFFLINE", "ture")
    with pytest.raises(ConfigError, match="EMOLENS_OFFLINE is 'ture'; write 1, true"):
        settings.offline()


@pytest.mark.parametrize("place", [".", ".."])
def test_the_file_is_found_up_to_the_root_of_the_repository(place: str, here: Path) -> None:
    assert taken("# ours\nEMOLENS_OFFLINE=1", here / place / ".env") == "1"
    assert settings.source("EMOLENS_OFFLINE") == f"{(here / place).resolve()}/.env:2"


def test_the_nearest_file_alone_counts(here: Path) -> None:
    (here.parent / ".env").write_text("EMOLENS_OFFLINE=far\nEMOLENS_MAX_PIXELS=7")
    assert taken("EMOLENS_OFFLINE=near") == "near"
    assert "EMOLENS_MAX_PIXELS" not in os.environ


def test_the_repository_ends_the_search(here: Path) -> None:
    assert taken("EMOLENS_OFFLINE=1", here.parent.parent / ".env") is None


def test_the_home_ends_the_search(here: Path) -> None:
    (here.parent / ".git").rmdir()
    (here.parent.parent.parent / ".env").write_text("EMOLENS_MAX_PIXELS=7")
    settings.fill_environment()
    assert "EMOLENS_MAX_PIXELS" not in os.environ
    assert taken("EMOLENS_OFFLINE=1", here.parent.parent / ".env") == "1"


def test_outside_of_both_only_the_working_directory_counts(here: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (here.parent / ".git").rmdir()
    monkeypatch.setenv("HOME", str(here / "elsewhere"))
    assert taken("EMOLENS_OFFLINE=1", here.parent / ".env") is None
    assert taken("EMOLENS_OFFLINE=1") == "1"


def test_a_user_without_a_home_has_a_file_all_the_same(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("HOME")
    monkeypatch.setattr(os, "getuid", lambda: 4_000_000_000)
    assert taken("EMOLENS_OFFLINE=1") == "1"


def test_what_is_no_file_is_passed_over(here: Path) -> None:
    (here / ".env").mkdir()  # as some call their virtual environment
    settings.fill_environment()
    (here / ".env").rmdir()
    os.mkfifo(here / ".env")
    settings.fill_environment()
    (here / ".env").unlink()
    assert taken("EMOLENS_OFFLINE=1", here.parent / ".env") == "1"


def test_a_working_directory_that_is_gone_has_no_file(here: Path) -> None:
    here.rmdir()
    settings.fill_environment()


@pytest.mark.parametrize("own", ["0", ""])
def test_what_the_process_has_stays(own: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("EMOLENS_OFFLINE", own)
    assert taken("EMOLENS_OFFLINE=1") == own
    assert settings.source("EMOLENS_OFFLINE") == ("environment" if own else "default")


def test_only_our_names_are_taken() -> None:
    before = dict(os.environ)
    others = "PATH=/evil\nPYTHONPATH=/evil\nLD_PRELOAD=evil.so\n_EMOLENS_COMPLETE=x\nNOT_EMOLENS_DATA=x\n"
    assert taken(others + 'KEY="-----BEGIN\nabc\n-----END"\nwhat is this\nEMOLENS_OFFLINE=1') == "1"
    assert dict(os.environ) == before | {"EMOLENS_OFFLINE": "1"}


@pytest.mark.parametrize(
    ("line", "value"),
    [
        ("EMOLENS_OFFLINE=a b", "a b"),
        ("  export EMOLENS_OFFLINE = a  # why", "a"),
        ("EMOLENS_OFFLINE=a#b", "a#b"),
        ("EMOLENS_OFFLINE=it's", "it's"),
        ("EMOLENS_OFFLINE='a # b' # why", "a # b"),
        ('EMOLENS_OFFLINE="C:\\new folder"', "C:\\new folder"),
        ("EMOLENS_OFFLINE='$HOME'", "$HOME"),
        ("EMOLENS_OFFLINE=5$", "5$"),
        ("EMOLENS_OFFLINE=ä\r\n", "ä"),
        ("\ufeffEMOLENS_OFFLINE=a", "a"),
        ("EMOLENS_OFFLINE=a\nEMOLENS_OFFLINE=b", "b"),
        ("EMOLENS_OFFLINE=", None),
        ("EMOLENS_OFFLINE= # not yet", None),
        ("EMOLENS_OFFLINE=a\nEMOLENS_OFFLINE=''", None),
        ("# EMOLENS_OFFLINE=a", None),
        ("", None),
    ],
)
def test_a_line_is_a_name_and_a_value(line: str, value: str | None) -> None:
    assert taken(line) == value


@pytest.mark.parametrize(
    ("content", "message"),
    [
        ("EMOLENS_OFFLINE=1\nEMOLENS_DATA", r"\.env:2: a line is NAME=value"),
        ("EMOLENS_OFFLINE 1", r"\.env:1: a line is NAME=value"),
        ("\n\nEMOLENS_OFFLINE='1", r"\.env:3: the value begins with ', and must end with it"),
        ('EMOLENS_OFFLINE="1" 2', r"\.env:1: the value begins with \", and must end with it"),
        ("EMOLENS_DATA=$HOME/data", r"\.env:1: a \$ is not expanded"),
        ('EMOLENS_DATA="${HOME}/data"', r"\.env:1: a \$ is not expanded"),
        ("EMOLENS_DATA=$(rm -r /)", r"\.env:1: a \$ is not expanded"),
        ("EMOLENS_OFFLINE=a\0b", r"\.env:1: the value holds a character that cannot be printed"),
        ("EMOLENS_OFFLINE=\x1b[31m", r"\.env:1: the value holds a character that cannot be printed"),
        (b"A=1\nEMOLENS_OFFLINE=\xff", r"\.env:2: is no UTF-8 text"),
        ("EMOLENS_OFFLINE=1".encode("utf-16"), r"\.env:1: is no UTF-8 text"),
        ("#" * 65_537, r"\.env is larger than 64 KiB"),
    ],
)
def test_a_line_that_cannot_be_read_is_named_and_nothing_is_taken(content: str | bytes, message: str) -> None:
    before = dict(os.environ)
    with pytest.raises(ConfigError, match=message):
        taken(content)
    assert dict(os.environ) == before


@given(st.binary() | st.text(st.sampled_from("EMOLENS_DATA='\"$#\n\r\t\\~ x")).map(str.encode))
def test_whatever_the_file_holds_it_is_read_or_refused(content: bytes) -> None:
    Path(".env").write_bytes(b"EMOLENS_DATA=" + content)
    with mock.patch.dict(os.environ):
        before = dict(os.environ)
        with suppress(ConfigError):
            settings.fill_environment()
        added = os.environ.items() - before.items()
        assert all(name.startswith("EMOLENS_") and value.isprintable() for name, value in added)


def test_a_relative_folder_begins_at_the_file_and_a_tilde_is_the_home(here: Path) -> None:
    folders = "EMOLENS_DATA=data\nEMOLENS_MODELS=/models\nEMOLENS_RUNS=~/runs\nEMOLENS_SERVE_POLICIES=policies\n"
    taken(f"{folders}EMOLENS_MAX_BYTES=8", here.parent / ".env")
    assert settings.folder("EMOLENS_DATA") == here.parent / "data"
    assert settings.folder("EMOLENS_MODELS") == Path("/models")
    assert settings.folder("EMOLENS_RUNS") == here.parent.parent / "runs"
    assert settings.folder("EMOLENS_SERVE_POLICIES") == here.parent / "policies"
    assert Limits.from_environment().max_bytes == 8


def test_the_home_of_nobody_is_refused(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("EMOLENS_DATA", "~nobody-of-that-name/data")
    with pytest.raises(ConfigError, match="EMOLENS_DATA is '~nobody-of-that-name/data'"):
        settings.folder("EMOLENS_DATA")


Finder = Callable[[Path], Path]


@pytest.mark.parametrize(
    ("find", "name", "error"),
    [(settings.find_data, "EMOLENS_DATA", DataError), (settings.find_run, "EMOLENS_RUNS", ConfigError)],
)
def test_a_relative_path_is_looked_up_here_and_then_in_the_folder(
    find: Finder, name: str, error: type[Exception], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    base = tmp_path / "base"
    (base / "some").mkdir(parents=True)
    (base / "some" / "thing").touch()
    monkeypatch.setenv(name, str(base))
    wanted = Path("some", "thing")
    assert find(wanted) == base / wanted
    with pytest.raises(error, match=f"at some/other, nor at {base}/some/other, where {name}"):
        find(Path("some", "other"))
    wanted.parent.mkdir()
    wanted.touch()
    assert find(wanted) == wanted
    assert find(tmp_path / "absent") == tmp_path / "absent"


@pytest.mark.parametrize("find", [settings.find_data, settings.find_run])
def test_without_the_folder_a_path_is_what_it_is(find: Finder) -> None:
    assert find(Path("absent")) == Path("absent")


def test_a_relative_run_is_placed_in_the_folder_of_runs(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    assert settings.place_run(Path("mine")) == Path("mine")
    monkeypatch.setenv("EMOLENS_RUNS", str(tmp_path))
    assert settings.place_run(Path("mine")) == tmp_path / "mine"
    assert settings.place_run(Path("/else/where")) == Path("/else/where")


def test_models_are_looked_up_by_name_and_by_file_in_the_folder_of_models(
    here: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    models = here / "models"
    models.mkdir()
    for name in ("mine", "face", "yunet"):
        (models / f"{name}.onnx").touch()
    monkeypatch.setenv("EMOLENS_MODELS", "~/project/sub/models")
    assert zoo.find("mine") == zoo.find("mine.onnx") == models / "mine.onnx"
    assert zoo.names() == [*zoo.embedded(), *zoo.entries(), "mine"]
    assert zoo.find("face") == zoo.embedded()["face"]  # a folder cannot put another model under the name of ours
    with pytest.raises(ModelError, match=f"{models}/yunet.onnx is not the file that yunet stands for"):
        zoo.find("yunet")
    with pytest.raises(ModelError, match="did you mean 'mine'"):
        zoo.find("mina")


def test_model_files_of_runs_are_looked_up_in_the_folder_of_runs(here: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("EMOLENS_MODELS", str(here / "models"))
    monkeypatch.setenv("EMOLENS_RUNS", str(here / "runs"))
    wanted = Path("mine", "model.onnx")
    with pytest.raises(ModelError, match=f"at {wanted}, nor at {here}/models/{wanted}, nor at {here}/runs/{wanted};"):
        zoo.find(wanted)
    with pytest.raises(ModelError, match=r"no model file at /absent\.onnx; "):
        zoo.find("/absent.onnx")
    (here / "runs" / "mine").mkdir(parents=True)
    (here / "runs" / wanted).touch()
    assert zoo.find(wanted) == here / "runs" / wanted
    wanted.parent.mkdir()
    wanted.touch()
    assert zoo.find(wanted) == wanted


def test_every_limit_is_a_setting() -> None:
    assert {f"EMOLENS_{name.upper()}" for name in Limits.__dataclass_fields__} <= set(settings.SETTINGS)


def test_the_docs_name_every_setting_and_the_example_can_be_read() -> None:
    page = (ROOT / "docs" / "configure.md").read_text(encoding="utf-8")
    assert [name for name in settings.SETTINGS if f"`{name}`" not in page] == []
    assert taken((ROOT / ".env.example").read_bytes()) is None
    assert Limits.from_environment() == Limits()
