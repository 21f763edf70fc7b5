"""`emolens models` and `emolens info`, called as functions; the process around them is tested in integration."""

import hashlib
import json
import sys
from pathlib import Path

import pytest

from emolens.card import ModelCard
from emolens.cli.info import info
from emolens.cli.models import list_models, pull, show, verify
from emolens.errors import ConfigError, ModelError
from models import make_model_file


@pytest.fixture(autouse=True)
def cache(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.setenv("EMOLENS_MODELS", str(tmp_path / "cache"))
    return tmp_path / "cache"


def test_the_list_is_one_name_per_line_for_other_programs(capsys: pytest.CaptureFixture[str]) -> None:
    list_models()
    lines = capsys.readouterr().out.splitlines()
    assert "yunet" in lines
    assert all(" " not in line for line in lines)


def test_the_list_is_a_table_for_people(capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("sys.stdout.isatty", lambda: True, raising=False)
    list_models()
    (line,) = [line for line in capsys.readouterr().out.splitlines() if line.split()[:1] == ["yunet"]]
    assert "detector" in line
    assert "emolens models pull yunet" in line


def test_the_table_shows_the_users_own_models_and_those_that_are_none(
    cache: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    cache.mkdir()
    make_model_file(cache / "mine.onnx", kind="scene")
    (cache / "broken.onnx").write_text("no model")
    monkeypatch.setattr("sys.stdout.isatty", lambda: True, raising=False)
    monkeypatch.setenv("COLUMNS", "200")
    list_models()
    rows = {line.split()[0]: line for line in capsys.readouterr().out.splitlines() if line.strip()}
    assert "scene" in rows["mine"]
    assert str(cache / "mine.onnx") in rows["mine"]
    assert "no model file" in rows["broken"]


def test_verifying_names_what_is_right_and_what_is_wrong(cache: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert verify() == 0
    assert capsys.readouterr().out.splitlines() == ["detector: ok", "emoji: ok", "face: ok"]
    cache.mkdir()
    (cache / "yunet.onnx").write_bytes(b"cut off")
    (cache / "mine.onnx").write_text("no model")
    assert verify() == 1
    told = capsys.readouterr()
    assert told.out.splitlines() == ["detector: ok", "emoji: ok", "face: ok"]
    wrong = told.err.splitlines()
    assert len(wrong) == 2
    assert wrong[0].startswith("emolens: yunet: ")
    assert wrong[1].startswith("emolens: mine: ")


def test_verifying_can_be_asked_for_some(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    path = make_model_file(tmp_path / "mine.onnx")
    assert verify([str(path), "yunet"]) == 1
    told = capsys.readouterr()
    assert told.out == f"{path}: ok\n"
    assert "emolens models pull yunet" in told.err


def test_a_model_file_shows_its_card(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    path = make_model_file(tmp_path / "mine.onnx", temperature=1.5)
    show(str(path))
    card = ModelCard.model_validate_json(capsys.readouterr().out)
    assert (card.name, card.temperature) == ("mine", 1.5)


def test_a_model_that_can_be_pulled_shows_its_entry(capsys: pytest.CaptureFixture[str]) -> None:
    show("yunet")
    entry = json.loads(capsys.readouterr().out)
    assert entry["size"] == 232589


def test_what_is_no_model_cannot_be_shown(tmp_path: Path) -> None:
    (tmp_path / "text.onnx").write_text("no model")
    with pytest.raises(ModelError, match="cannot be opened"):
        show(str(tmp_path / "text.onnx"))


def test_pulling_offline_is_refused(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("EMOLENS_OFFLINE", "1")
    with pytest.raises(ConfigError, match="EMOLENS_OFFLINE"):
        pull("yunet")


def test_info_says_what_a_bug_report_needs(capsys: pytest.CaptureFixture[str], cache: Path) -> None:
    info()
    rows = dict(line.split(":", 1) for line in capsys.readouterr().out.splitlines())
    assert "CPUExecutionProvider" in rows["onnxruntime"]
    assert rows["model cache"].strip() == str(cache)
    known = f"{rows['extras']}, {rows['absent extras']}"
    assert {"heic", "train", "demo"} <= {name.strip() for name in known.split(",")}


def test_info_shows_the_mirror_but_no_password(
    capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("EMOLENS_MIRROR", "https://me:secret@host/models")
    info()
    assert "https://...@host/models (environment)" in capsys.readouterr().out


def test_a_card_is_a_page_of_markdown_for_other_programs(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    path = make_model_file(tmp_path / "mine.onnx", limits=("Not at night.",))
    show(str(path), card=True)
    page = capsys.readouterr().out
    assert page.startswith("# mine\n")
    assert "- Not at night." in page
    assert hashlib.sha256(path.read_bytes()).hexdigest() in page


def test_a_card_is_drawn_on_a_terminal(
    tmp_path: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("sys.stdout.isatty", lambda: True, raising=False)
    show(str(make_model_file(tmp_path / "mine.onnx", limits=("\x1b]0;mine\x07",))), card=True)
    drawn = capsys.readouterr().out
    assert "Responsible use" in drawn
    assert "##" not in drawn
    assert "\x1b]0" not in drawn
    assert "\\x1b]0" in drawn


def test_a_model_that_can_be_pulled_has_a_page_too(capsys: pytest.CaptureFixture[str]) -> None:
    show("yunet", card=True)
    page = capsys.readouterr().out
    assert "emolens models pull yunet" in page
    assert "WIDER FACE" in page
    assert "0.8844" in page


def test_the_page_of_a_file_that_emolens_does_not_run_says_what_to_do(capsys: pytest.CaptureFixture[str]) -> None:
    show("hsemotion-b2", card=True)
    assert "emolens models import" in capsys.readouterr().out
    show("mediapipe-face-landmarker", card=True)
    assert ".task, 3,758,596 bytes" in capsys.readouterr().out


EVIL = "[red]a\x1b]0;b\x9b\u202ec"
SHOWN = "[red]a\\x1b]0;b\\x9b\\u202ec"


@pytest.mark.parametrize("terminal", [True, False])
def test_the_name_of_a_file_steers_no_terminal_and_is_no_markup(
    terminal: bool, cache: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    cache.mkdir()
    make_model_file(cache / f"{EVIL}.onnx")
    monkeypatch.setattr("sys.stdout.isatty", lambda: terminal, raising=False)
    monkeypatch.setenv("COLUMNS", "300")
    list_models()
    lines = capsys.readouterr().out.splitlines()
    (line,) = [line for line in lines if "[red]" in line]
    assert line.split()[0] == SHOWN
    assert line.isprintable()


def test_verifying_lets_no_name_steer_the_terminal(cache: Path, capsys: pytest.CaptureFixture[str]) -> None:
    cache.mkdir()
    make_model_file(cache / f"{EVIL}.onnx")
    (cache / f"broken{EVIL}.onnx").write_text("no model")
    assert verify() == 1
    told = capsys.readouterr()
    assert f"{SHOWN}: ok" in told.out.splitlines()
    (wrong,) = told.err.splitlines()
    assert wrong.startswith(f"emolens: broken{SHOWN}: ")
    assert wrong.isprintable()


def test_a_card_that_is_shown_steers_no_terminal_and_stays_json(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    limit = f"{EVIL}\x7f\U000e0001 caf\u00e9"
    show(str(make_model_file(tmp_path / "mine.onnx", limits=(limit,))))
    shown = capsys.readouterr().out
    assert all(line.isprintable() for line in shown.splitlines())
    assert "caf\u00e9" in shown
    assert ModelCard.model_validate_json(shown).limits == (limit,)


def test_verifying_goes_on_after_a_model_that_needs_an_extra(
    tmp_path: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setitem(sys.modules, "huggingface_hub", None)
    path = make_model_file(tmp_path / "mine.onnx")
    assert verify(["hf://ada/faces/tiny.onnx", str(path)]) == 1
    told = capsys.readouterr()
    assert told.out == f"{path}: ok\n"
    assert "install the extra 'hub'" in told.err
