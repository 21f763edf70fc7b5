"""The documented way from a folder of one's own faces to predictions, typed as it stands in `docs/train.md`."""

import json
import re
import shlex
import subprocess
import sys
from pathlib import Path

import pytest

pytest.importorskip("torch")

from conftest import ROOT, one_thread
from fer_tables import face_png
from layouts import write

pytestmark = pytest.mark.slow


def test_a_folder_becomes_a_working_model_in_two_commands(tmp_path: Path) -> None:
    import skimage.data
    from PIL import Image

    Image.fromarray(skimage.data.astronaut()).save(tmp_path / "photo.jpg")
    for place, label in enumerate(("happy", "sad")):
        for number in range(12):
            write(tmp_path / "my-faces" / label / f"{number}.png", face_png(100 * place + number))
    section = (
        (ROOT / "docs" / "train.md").read_text(encoding="utf-8").split("## Faces of your own")[1].split("\n## ")[0]
    )
    train, predict = (shlex.split(line)[1:] for line in re.findall(r"^    (emolens .*)$", section, re.M))
    for arguments in ([*train, "--set", "optimisation.epochs=1"], [*predict, "--format", "json"]):
        done = subprocess.run(
            [sys.executable, "-m", "emolens", *arguments],
            cwd=tmp_path,
            env=one_thread(),
            text=True,
            capture_output=True,
        )
        assert done.returncode == 0, done.stderr
    [photo] = json.loads(done.stdout)
    assert photo["model"] == "own-faces"
    assert len(photo["faces"]) == 1
    assert {"happy", "sad"} <= set(photo["probabilities"])
