"""The examples against a live server, and the description that clients are generated from."""

import json
import os
import shutil
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import pytest

from conftest import ROOT, require
from emolens import settings
from emolens.serving import ServerSettings, create_app
from server_process import PATIENCE, Server

EXAMPLES = ROOT / "examples"
PHOTO = ROOT / "docs" / "images" / "astronaut.jpg"
NPM_SECONDS = 600


def run(*command: str | Path, cwd: Path = ROOT, seconds: float = PATIENCE) -> str:
    environment = os.environ | {"PYTHONPATH": str(ROOT / "src")}
    ended = subprocess.run(command, cwd=cwd, env=environment, capture_output=True, text=True, timeout=seconds)
    assert ended.returncode == 0, ended.stdout + ended.stderr
    return ended.stdout


def test_the_committed_description_is_the_applications(monkeypatch: pytest.MonkeyPatch) -> None:
    for name in settings.SETTINGS:
        monkeypatch.delenv(name, raising=False)
    committed = json.loads((EXAMPLES / "openapi.json").read_text(encoding="utf-8"))
    assert committed == json.loads(json.dumps(create_app(ServerSettings.load()).openapi())), "make openapi"


@pytest.mark.slow
def test_curl(serve: Callable[..., Server]) -> None:
    require(shutil.which("curl") is not None, "curl")
    lines = run("sh", EXAMPLES / "curl.sh", PHOTO, serve(models="face").url).splitlines()
    whole, emojis, batch, models = map(json.loads, lines)
    assert whole["prediction"]["dominant_emotion"] == "happy"
    assert whole["emotion_scores"]
    assert emojis["emojis"] == whole["suggested_emojis"]
    assert [result["faces"] for result in batch["results"]] == [whole["faces"]] * 2
    assert models["models"][0]["name"] == "face"


@pytest.mark.slow
def test_python(serve: Callable[..., Server]) -> None:
    said = run(sys.executable, EXAMPLES / "ask_server.py", serve(models="face").url, PHOTO, "missing.jpg")
    assert said.startswith(f"{PHOTO} happy ")


@pytest.mark.slow
def test_typescript(serve: Callable[..., Server], tmp_path: Path) -> None:
    npm, node = shutil.which("npm"), shutil.which("node")
    require(npm is not None and node is not None, "node with npm")
    assert npm
    assert node
    shutil.copytree(EXAMPLES, tmp_path / "examples", ignore=shutil.ignore_patterns("node_modules", "built"))
    folder = tmp_path / "examples" / "typescript"
    run(npm, "install", "--no-audit", "--no-fund", "--no-package-lock", cwd=folder, seconds=NPM_SECONDS)
    run(npm, "run", "types", cwd=folder)
    run(npm, "run", "check", cwd=folder)
    said = json.loads(run(node, folder / "built" / "ask.js", serve(models="face").url, PHOTO))
    assert (said["dominant"], said["faces"]) == ("happy", ["happy"])
    assert said["emojis"]
