"""`emolens explain` writes a picture per face and says where; what it cannot explain it says in a line."""

import io
import sys
from collections.abc import Callable
from functools import partial
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from models import make_model_file

Run = Callable[..., int]


@pytest.fixture
def run(emolens: Run) -> Run:
    return partial(emolens, "explain")


@pytest.fixture
def noise(tmp_path: Path) -> Path:
    """A picture in which nobody would see a face."""
    path = tmp_path / "photos" / "noise.jpg"
    path.parent.mkdir()
    Image.fromarray(np.random.default_rng(0).integers(90, 160, (64, 80, 3), dtype=np.uint8)).save(path)
    return path


@pytest.fixture
def astronaut(tmp_path: Path) -> Path:
    data = pytest.importorskip("skimage.data", reason="needs the `demo` extra")
    Image.fromarray(data.astronaut()).save(tmp_path / "astronaut.png")
    return tmp_path / "astronaut.png"


def test_every_face_gets_a_picture_and_its_path_a_line(run, astronaut, tmp_path, capsys):
    twice = tmp_path / "two people.png"
    with Image.open(astronaut) as one:
        face = one.crop((130, 0, 330, 250))
        both = Image.new("RGB", (400, 250))
        both.paste(face, (0, 0))
        both.paste(face, (200, 0))
        both.save(twice)
    out = tmp_path / "new" / "folder"
    assert run(twice, "--out", out) == 0
    paths = capsys.readouterr().out.splitlines()
    assert paths == [str(out / "two people-1.png"), str(out / "two people-2.png")]
    assert {path.name for path in out.iterdir()} == {"two people-1.png", "two people-2.png"}
    for path in paths:
        with Image.open(path) as picture:
            assert picture.format == "PNG"
            pixels = np.asarray(picture).astype(int)
        assert (pixels[..., 0] - pixels[..., 2]).max() > 50  # some orange


def test_another_model_explains_the_whole_image_where_it_looks_at_no_faces(run, noise, tmp_path, capsys):
    model = make_model_file(tmp_path / "scene.onnx", kind="scene")
    assert run(noise, "--model", model, "--out", tmp_path / "out") == 0
    assert capsys.readouterr().out.splitlines() == [str(tmp_path / "out" / "noise-1.png")]


def test_stdin_is_a_photograph_too(run, noise, tmp_path, capsys, monkeypatch):
    monkeypatch.setattr("sys.stdin", io.TextIOWrapper(io.BytesIO(noise.read_bytes())))
    assert run("-", "--detector", "none", "--out", tmp_path / "out") == 0
    assert capsys.readouterr().out.splitlines() == [str(tmp_path / "out" / "stdin-1.png")]


def test_no_face_is_said_with_what_helps_and_nothing_is_written(run, noise, tmp_path, capsys):
    assert run(noise, "--out", tmp_path / "out") == 1
    printed, said = capsys.readouterr()
    assert printed == ""
    assert "no face" in said
    assert "--detector none" in said
    assert not (tmp_path / "out").exists()


def test_an_unreadable_image_is_told_as_predict_tells_it(run, tmp_path, capsys):
    broken = tmp_path / "broken.jpg"
    broken.write_bytes(b"\xff\xd8\xff\xe0")
    assert run(broken, "--out", tmp_path / "out") == 1
    assert "(truncated)" in capsys.readouterr().err
    assert run(tmp_path / "none.jpg", "--out", tmp_path / "out") == 1
    assert "(not_found)" in capsys.readouterr().err


def test_a_name_cannot_steer_the_terminal(run, tmp_path, capsys):
    assert run(tmp_path / "\x1b[31m.jpg", "--out", tmp_path / "out") == 1
    assert "\x1b" not in capsys.readouterr().err


def test_the_folder_of_the_photograph_is_no_place_for_pictures(run, noise, capsys):
    before = set(noise.parent.iterdir())
    assert run(noise, "--detector", "none", "--out", noise.parent) == 2
    assert "choose another --out" in capsys.readouterr().err
    assert set(noise.parent.iterdir()) == before


def test_a_folder_that_cannot_be_made_is_named(run, noise, capsys):
    assert run(noise, "--detector", "none", "--out", noise / "out") == 2
    assert f"{noise / 'out'} cannot be made" in capsys.readouterr().err


@pytest.mark.parametrize("model", ["hapy", "nowhere.onnx", "detector", "nowhere.safetensors"])
def test_a_model_that_cannot_be_explained_is_a_line(run, noise, tmp_path, model, capsys):
    assert run(noise, "--model", model, "--out", tmp_path / "out") == 2
    printed, said = capsys.readouterr()
    assert printed == ""
    assert model in said
    assert "fault of emolens" not in said


class TestRuns:
    """Where MODEL is a run or a checkpoint, Grad-CAM draws."""

    @pytest.fixture
    def trained(self, tmp_path: Path) -> Path:
        torch = pytest.importorskip("torch", reason="needs the `train` extra")
        from emolens.training.cards import describe
        from emolens.training.recipe import load_recipe
        from emolens.training.run import Run, write_weights

        recipe = load_recipe("face")
        torch.manual_seed(0)
        network = recipe.network.build(8, 1)
        run = Run.start(tmp_path / "runs" / "mine", recipe, resume=False)
        run.finish(network, describe(recipe))
        run.checkpoint.parent.mkdir()
        write_weights(network.state_dict(), run.best)
        return run.folder

    @pytest.mark.parametrize("place", ["", "checkpoints/best.safetensors"])
    def test_a_run_and_a_checkpoint_in_it_are_explained(self, run, trained, noise, tmp_path, place, capsys):
        assert run(noise, "--detector", "none", "--model", trained / place, "--out", tmp_path / "cam") == 0
        (path,) = capsys.readouterr().out.splitlines()
        pixels = np.asarray(Image.open(path)).astype(int)
        assert (pixels[..., 2] - pixels[..., 0]).max() < 20  # no blue: Grad-CAM has none

    def test_a_run_is_found_in_the_folder_of_runs(self, run, trained, noise, tmp_path, monkeypatch, capsys):
        monkeypatch.setenv("EMOLENS_RUNS", str(trained.parent))
        assert run(noise, "--detector", "none", "--model", "mine", "--out", tmp_path / "cam") == 0
        assert len(capsys.readouterr().out.splitlines()) == 1

    def test_without_torch_the_extra_is_named(self, run, noise, trained, tmp_path, monkeypatch, capsys):
        monkeypatch.setitem(sys.modules, "torch", None)
        monkeypatch.delitem(sys.modules, "emolens.evaluation.explain.gradcam", raising=False)
        monkeypatch.delattr("emolens.evaluation.explain.gradcam", raising=False)
        assert run(noise, "--detector", "none", "--model", trained, "--out", tmp_path / "cam") == 2
        assert "pip install 'emolens[train]'" in capsys.readouterr().err
