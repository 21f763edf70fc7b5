"""The command line as users meet it: a process, its exit code, its two streams."""

import csv
import io
import json
import os
import signal
import subprocess
import sys
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest
from PIL import Image

from emoji_packages import face
from emolens.recipes import recipe_names
from feature_models import make_feature_model
from hostile import make_hostile
from models import make_model_file

COMMAND = (sys.executable, "-m", "emolens")

# A process of its own, because a child's peak counts from that of the process that started it.
MEASURE = """
import resource, subprocess, sys
code = subprocess.call([sys.executable, "-m", "emolens", *sys.argv[1:]])
print(resource.getrusage(resource.RUSAGE_CHILDREN).ru_maxrss, file=sys.stderr)
sys.exit(code)
"""

PREDICTION_KEYS = [
    *("input", "model", "width", "height", "dominant", "confidence", "unsure", "emotions", "probabilities", "faces"),
    *("reactions", "milliseconds"),
]
FACE_KEYS = ["box", "score", "dominant", "confidence", "emotions", "probabilities"]


@dataclass(frozen=True)
class Ended:
    code: int
    out: str
    err: str

    @property
    def json(self) -> Any:
        return json.loads(self.out)


def emolens(*arguments: object, stdin: bytes = b"", command: Sequence[str] = COMMAND, **environment: str) -> Ended:
    ended = subprocess.run(
        [*command, *map(str, arguments)],
        input=stdin,
        capture_output=True,
        timeout=120,
        env={**os.environ, **environment},
    )
    assert b"Traceback" not in ended.stderr, ended.stderr.decode()
    return Ended(ended.returncode, ended.stdout.decode(), ended.stderr.decode())


@pytest.fixture(scope="module")
def tiny(tmp_path_factory: pytest.TempPathFactory) -> list[str]:
    """Options for a model that takes no time, and needs no detector."""
    return ["--model", str(make_model_file(tmp_path_factory.mktemp("models") / "tiny.onnx")), "--detector", "none"]


@pytest.fixture
def photos(tmp_path: Path) -> Path:
    folder = tmp_path / "photos"
    folder.mkdir()
    for name in ("a.jpg", "b.png", "c.webp"):
        Image.effect_noise((120, 80), 60).convert("RGB").save(folder / name)
    return folder


def test_json_is_what_the_design_says(photos: Path, tiny: list[str]) -> None:
    ended = emolens("predict", photos, *tiny, "--format", "json")
    assert (ended.code, ended.err) == (0, "")
    assert [Path(one["input"]).name for one in ended.json] == ["a.jpg", "b.png", "c.webp"]
    for one in ended.json:
        assert list(one) == PREDICTION_KEYS
        assert list(one["reactions"]) == ["allowed", "blocked", "suggested", "reasons"]
        assert list(one["milliseconds"]) == ["decode", "detect", "classify", "total"]
        for emoji in (*one["reactions"]["allowed"], *one["reactions"]["blocked"]):
            assert list(one["reactions"]["reasons"][emoji]) == ["allowed_by", "blocked_by"]


def test_the_embedded_models_read_a_portrait(tmp_path: Path) -> None:
    data = pytest.importorskip("skimage.data", reason="the extra 'demo' brings the portrait")
    Image.fromarray(data.astronaut()).save(tmp_path / "astronaut.jpg")
    ended = emolens("predict", tmp_path / "astronaut.jpg", "--format", "json", "--annotate", tmp_path / "out")
    assert ended.code == 0
    (one,) = ended.json
    (face,) = one["faces"]
    assert list(face) == FACE_KEYS
    x, y, w, h = face["box"]
    assert (x < 224 < x + w, y < 110 < y + h) == (True, True)  # her nose
    assert one["dominant"] == face["dominant"] == "happy"
    assert "🎉" in one["reactions"]["allowed"]
    assert (tmp_path / "out" / "astronaut.jpg").stat().st_size > 10_000


def test_a_hostile_folder_costs_its_own_files_and_nothing_else(tmp_path: Path) -> None:
    folder = tmp_path / "hostile"
    expected = make_hostile(folder)
    for name in ("good_1.jpg", "good_2.png", "good_3.webp"):
        Image.effect_noise((640, 480), 60).convert("RGB").save(folder / name)
    ended = emolens("predict", folder, "--format", "jsonl", command=(sys.executable, "-c", MEASURE))
    results = [json.loads(line) for line in ended.out.splitlines()]
    failed = {Path(one["input"]).name: one["error"]["code"] for one in results if "error" in one}
    *lines, peak_kib = ended.err.splitlines()
    assert ended.code == 1
    assert len(expected) == 30
    assert failed == expected
    assert len(results) == 33
    assert len(lines) == 30
    assert all(line.startswith("emolens: ") and line.endswith(")") for line in lines)
    assert int(peak_kib) < 600 * 1024


def test_a_missing_file_is_named_and_the_others_are_written(photos: Path, tiny: list[str]) -> None:
    ended = emolens("predict", photos / "nowhere.jpg", photos / "a.jpg", *tiny, "--format", "jsonl")
    first, second = map(json.loads, ended.out.splitlines())
    assert ended.code == 1
    assert first["error"]["code"] == "not_found"
    assert second["dominant"]
    assert ended.err == f"emolens: {photos}/nowhere.jpg: there is no such file; check the path (not_found)\n"


def test_files_of_a_folder_that_are_no_images_are_counted(photos: Path, tiny: list[str]) -> None:
    (photos / "notes.txt").write_text("hello")
    ended = emolens("predict", photos, *tiny, "--format", "jsonl")
    assert ended.code == 0
    assert len(ended.out.splitlines()) == 3
    assert ended.err == "emolens: files of folders that are no images, skipped: 1\n"


def test_a_quoted_pattern_and_standard_input_are_read(photos: Path, tiny: list[str]) -> None:
    image = (photos / "a.jpg").read_bytes()
    ended = emolens("predict", f"{photos}/*.png", "-", *tiny, "--format", "json", stdin=image)
    assert [one["input"] for one in ended.json] == [f"{photos}/b.png", "-"]


def test_nothing_on_standard_input_is_a_failure_under_its_name(tiny: list[str]) -> None:
    ended = emolens("predict", "-", *tiny, "--format", "json")
    assert ended.code == 1
    assert ended.json[0]["input"] == "-"
    assert ended.err.startswith("emolens: -: is empty")


def test_the_table_and_csv_show_scores_on_request(photos: Path, tiny: list[str]) -> None:
    table = emolens("predict", photos / "a.jpg", *tiny, "--show-scores")
    assert "% neutral" in table.out
    rows = list(csv.DictReader(io.StringIO(emolens("predict", photos, *tiny, "--format", "csv", "--show-scores").out)))
    assert len(rows) == 3
    assert sum(float(rows[0][label]) for label in ("happy", "sad", "angry", "fear")) <= 1


def test_data_goes_into_the_file_that_was_asked_for(photos: Path, tiny: list[str]) -> None:
    out = photos / "out.json"
    ended = emolens("predict", photos / "a.jpg", *tiny, "--format", "json", "--output", out)
    assert (ended.code, ended.out, ended.err) == (0, "", "")
    assert len(json.loads(out.read_text())) == 1


def test_a_policy_and_a_threshold_of_ones_own_are_obeyed(photos: Path, tiny: list[str]) -> None:
    mine = photos / "mine.yaml"
    mine.write_text(emolens("policy", "show").out.replace("🙏", "🫂"))
    options = (*tiny, "--policy", mine, "--threshold", "0", "--format", "json")
    (one,) = emolens("predict", photos / "a.jpg", *options).json
    assert len(one["emotions"]) == 8
    assert "🫂" in one["reactions"]["reasons"]


def test_a_name_that_is_no_text_does_not_break_the_json(photos: Path, tiny: list[str]) -> None:
    odd = os.fsencode(photos) + b"/\xe9\x1b[31m.jpg"
    (photos / "a.jpg").rename(os.fsdecode(odd))
    ended = emolens("predict", photos, *tiny, "--format", "json", PYTHONIOENCODING="ascii")
    assert len(ended.json) == 3
    failed = emolens("predict", os.fsdecode(odd) + "x", *tiny)
    assert "\x1b" not in failed.err
    assert "\\udce9\\x1b" in failed.err


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        (["predict"], "Missing argument"),
        (["predict", "a.jpg", "--colour"], "No such option"),
        (["frobnicate"], "No such command"),
        (["predict", "a.jpg", "--format", "xml"], "xml"),
        (["predict", "a.jpg", "--model", "nowhere.onnx"], "no model file at nowhere.onnx"),
        (["predict", "a.jpg", "--model", "faec"], "did you mean 'face'"),
        (["predict", "a.jpg", "--detector", "yunet"], "emolens models pull yunet"),
        (["predict", "a.jpg", "--detector-size", "big"], "32 to 16384, or native"),
        (["predict", "a.jpg", "--threshold", "7"], "0 to 1, not 7"),
        (["predict", "a.jpg", "--policy", "nowhere.yaml"], "nowhere.yaml"),
        (["predict", "a.jpg", "--output", "/nowhere/out.json"], "/nowhere/out.json cannot be written"),
        (["models", "show", "nothing"], "'nothing' is neither a model nor a file"),
        (["models", "pull", "nothing"], "'nothing' cannot be pulled"),
    ],
)
def test_wrong_usage_is_one_line_and_exit_code_2(tmp_path: Path, arguments: list[str], said: str) -> None:
    ended = emolens(*arguments, EMOLENS_MODELS=str(tmp_path))
    assert ended.code == 2
    assert ended.out == ""
    assert said in ended.err
    assert ended.err.startswith("emolens: ")
    assert ended.err.count("\n") == 1


@pytest.mark.parametrize("place", [0, 1, 3])
def test_debug_shows_where_it_happened_wherever_it_stands(place: int) -> None:
    arguments = ["models", "show", "nothing"]
    arguments.insert(place, "--debug")
    ended = subprocess.run([*COMMAND, *arguments], capture_output=True)
    assert b"Traceback" in ended.stderr


def test_a_reader_that_leaves_early_is_no_fault(photos: Path, tiny: list[str]) -> None:
    process = subprocess.Popen(
        [*COMMAND, "predict", *[str(photos)] * 200, *tiny, "--format", "jsonl"],
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
    )
    assert process.stdout
    assert process.stderr
    process.stdout.readline()
    process.stdout.close()
    assert process.stderr.read() == b""
    assert process.wait(60) == 1
    process.stderr.close()


def test_an_interrupt_ends_quietly(photos: Path, tiny: list[str]) -> None:
    process = subprocess.Popen(
        [*COMMAND, "predict", *[str(photos)] * 2000, *tiny, "--format", "jsonl"],
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        preexec_fn=lambda: signal.signal(signal.SIGINT, signal.SIG_DFL),  # a shell's background jobs ignore it
    )
    assert process.stdout
    process.stdout.readline()
    process.send_signal(signal.SIGINT)
    _, err = process.communicate(timeout=60)
    assert (process.returncode, err) == (130, b"")


def test_recipes_are_listed_without_the_libraries_that_train_them() -> None:
    without_torch = "import sys; sys.modules['torch'] = None; from emolens.cli import main; main()"
    ended = subprocess.run([sys.executable, "-c", without_torch, "train", "--list"], capture_output=True, text=True)
    assert (ended.returncode, ended.stdout.splitlines()) == (0, recipe_names())


def test_the_environment_sets_the_limits(photos: Path, tiny: list[str]) -> None:
    refused = emolens("predict", photos, *tiny, "--format", "json", EMOLENS_MAX_PIXELS="100")
    assert refused.code == 1
    assert {item["error"]["code"] for item in refused.json} == {"too_many_pixels"}
    assert emolens("predict", photos, *tiny, EMOLENS_MAX_BYTES="many").code == 2


@pytest.mark.slow
def test_a_raised_limit_holds_for_the_annotated_picture_too(tmp_path: Path, tiny: list[str]) -> None:
    Image.new("1", (7300, 7300)).save(tmp_path / "large.png")
    arguments = ("predict", tmp_path / "large.png", *tiny, "--annotate", tmp_path / "out")
    assert emolens(*arguments).code == 1
    assert emolens(*arguments, EMOLENS_MAX_PIXELS="60000000").code == 0
    assert (tmp_path / "out" / "large.jpg").exists()


def test_a_full_disk_is_one_line(photos: Path, tiny: list[str]) -> None:
    with Path("/dev/full").open("wb") as full:
        ended = subprocess.run(
            [*COMMAND, "predict", photos, *tiny, "--format", "json"], stdout=full, stderr=subprocess.PIPE
        )
    assert ended.returncode == 2
    assert b"No space left" in ended.stderr
    assert ended.stderr.count(b"\n") == 1


def test_help_and_version_are_there() -> None:
    for command in ([], *([name] for name in ("predict", "models", "info", "policy", "evaluate", "train", "export"))):
        assert emolens(*command, "--help").code == 0
    assert emolens("--version").out.strip().count(".") == 2


def test_alone_it_shows_every_command_and_nothing_else() -> None:
    for arguments, commands in (
        ([], ("predict", "evaluate", "train", "export", "models", "policy", "info")),
        (["models"], ("list", "show", "pull")),
    ):
        ended = emolens(*arguments)
        assert (ended.code, ended.err) == (2, "")
        assert all(f"│ {command} " in ended.out for command in commands)


def test_prediction_imports_nothing_heavy(photos: Path, tiny: list[str]) -> None:
    script = (
        "import sys; from emolens.cli import main\n"
        "try: main()\n"
        "except SystemExit as end: assert not end.code, end.code\n"
        "heavy = {'torch', 'pandas', 'sklearn', 'matplotlib', 'fastapi', 'requests', 'huggingface_hub', 'filelock'}\n"
        "heavy = (heavy | {'ssl', 'urllib.request'}) & set(sys.modules)\n"
        "assert not heavy, heavy"
    )
    ended = subprocess.run([sys.executable, "-c", script, "predict", photos, *tiny], capture_output=True)
    assert ended.returncode == 0, ended.stderr.decode()


@pytest.mark.slow
def test_memory_stays_flat_over_thousands_of_photographs(photos: Path, tiny: list[str]) -> None:
    script = (
        "import resource, sys; from emolens.predictor import load\n"
        "model, photo, count = sys.argv[1], sys.argv[2], int(sys.argv[3])\n"
        "predictor = load(model, detector=None)\n"
        "assert sum(1 for _ in predictor.predict_many(photo for _ in range(count))) == count\n"
        "print(resource.getrusage(resource.RUSAGE_SELF).ru_maxrss)"
    )
    few, many = (
        int(subprocess.check_output([sys.executable, "-c", script, tiny[1], str(photos / "a.jpg"), str(count)]))
        for count in (100, 3000)
    )
    assert many - few < 20 * 1024  # KiB


def test_each_emoji_of_a_picture_is_found_and_answered(tmp_path: Path) -> None:
    picture = Image.new("RGB", (200, 100), "white")
    for x, smiles in ((10, True), (120, False)):
        one = face(smiles, side=60)
        picture.paste(one, (x, 20), one)
    picture.save(tmp_path / "chat.png")
    marked = tmp_path / "marked"
    options = ("--model", "emoji", "--crop-emoji", "--annotate", marked, "--format", "json")
    [told] = emolens("predict", tmp_path / "chat.png", *options).json
    assert [(round(one["box"][0]), one["dominant"]) for one in told["faces"]] == [(10, "happy"), (120, "sad")]
    assert len(list(marked.iterdir())) == 1


def test_a_model_file_that_needs_a_missing_extra_says_which_to_install(tmp_path: Path) -> None:
    model = make_feature_model(tmp_path / "hog.onnx", {"step": "hog"}, 900)
    without = "import sys; sys.modules['skimage.feature'] = None; from emolens.cli import main; main()"
    ended = emolens("predict", "any.jpg", "--model", model, command=(sys.executable, "-c", without))
    assert ended.code == 2
    assert "pip install 'emolens[classic]'" in ended.err
    assert len(ended.err.splitlines()) == 1
