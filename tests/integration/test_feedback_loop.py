"""The documented way from feedback to a better model, typed as it stands in `docs/feedback.md`."""

import re
import shlex
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest

pytest.importorskip("torch")
pytest.importorskip("sqlalchemy")

from conftest import ROOT, one_thread
from emolens.feedback import Store
from feedback_answers import make_answer
from fer_tables import face_png

pytestmark = pytest.mark.slow

LABELS = ("happy", "sad", "angry", "fear", "surprise", "disgust", "neutral", "other")


def test_feedback_becomes_a_model_that_is_compared_with_the_old_one(tmp_path: Path) -> None:
    url = f"sqlite:///{tmp_path}/feedback.db"
    probabilities = dict.fromkeys(LABELS, 0.125)
    with Store.open(url) as store:
        for number in range(60):
            photo = {"probabilities": probabilities, "consent": True, "image": face_png(number), "box": (0, 0, 48, 48)}
            for said in ("happy", "happy", "sad") if number == 0 else (LABELS[number % 2],):
                store.add(make_answer(said=said, **photo))
    page = (ROOT / "docs" / "feedback.md").read_text(encoding="utf-8").split("## From feedback to a better model")[1]
    commands = [shlex.split(line)[1:] for line in re.findall(r"^    (emolens .*)$", page, re.M)]
    wanted = ["feedback", "train", "evaluate", "evaluate", "compare"]
    assert [command[0] for command in commands][: len(wanted)] == wanted
    for command in commands[: len(wanted)]:
        tiny = ["--set", "optimisation.epochs=1"] if command[0] == "train" else []
        done = subprocess.run(
            [sys.executable, "-m", "emolens", *command, *tiny],
            cwd=tmp_path,
            env=one_thread(EMOLENS_FEEDBACK_URL=url),
            text=True,
            capture_output=True,
        )
        assert done.returncode == 0, done.stderr
    table = (tmp_path / "feedback" / "labels.csv").read_text(encoding="utf-8").splitlines()
    assert len(table) == 61
    assert np.isclose([float(share) for share in table[1].split(",")[2:4]], [2 / 3, 1 / 3], atol=1e-5).all()
    assert re.search(r"^ *accuracy +[\d.]+ +[\d.]+ ", done.stdout, re.M), done.stdout
    assert "0 only in A, 0 only in B" in done.stdout
