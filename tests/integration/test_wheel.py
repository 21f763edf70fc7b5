"""The wheel alone, as an application installs it: no extras, no network, no heavy libraries."""

import json
import os
import shutil
import subprocess
import sys
import venv
from pathlib import Path

import pytest

from conftest import ROOT, require

HEAVY = ("torch", "cv2", "pandas", "sklearn", "scipy", "matplotlib", "fastapi", "streamlit", "ray")
LARGEST_MB = 250

pytestmark = pytest.mark.slow


def run(*command: str | Path, **options: object) -> subprocess.CompletedProcess[str]:
    environment = {"PATH": os.environ["PATH"], "HOME": os.environ.get("HOME", "/")}
    return subprocess.run(
        [str(part) for part in command], text=True, capture_output=True, env=environment, timeout=600, **options
    )  # type: ignore[call-overload]


@pytest.fixture(scope="module")
def installed(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A virtual environment that holds the built wheel and what it depends on."""
    folder = tmp_path_factory.mktemp("wheel")
    build = run(sys.executable, "-m", "build", "--wheel", "--outdir", folder, ROOT)
    assert build.returncode == 0, build.stderr
    (wheel,) = folder.glob("emolens-*.whl")
    venv.create(folder / "venv", with_pip=True)
    install = run(folder / "venv/bin/pip", "install", "--quiet", "--constraint", ROOT / "constraints.txt", wheel)
    assert install.returncode == 0, install.stderr
    return folder / "venv"


@pytest.fixture(scope="module")
def portrait(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A real photograph with one face."""
    import skimage.data
    from PIL import Image

    path = tmp_path_factory.mktemp("photo") / "astronaut.jpg"
    Image.fromarray(skimage.data.astronaut()).save(path)
    return path


def test_it_predicts_with_the_network_off(installed: Path, portrait: Path) -> None:
    require(shutil.which("unshare") is not None, "unshare, which switches the network off,")
    require(run("unshare", "--map-root-user", "--net", "true").returncode == 0, "the right to switch the network off")
    without_network = ("unshare", "--map-root-user", "--net")
    result = run(*without_network, installed / "bin/emolens", "predict", portrait, "--format", "json")
    assert result.returncode == 0, result.stderr
    (prediction,) = json.loads(result.stdout)
    assert len(prediction["faces"]) == 1
    assert prediction["dominant"] == "happy"
    assert prediction["reactions"]["allowed"]


def test_it_brings_nothing_heavy(installed: Path) -> None:
    (packages,) = installed.glob("lib/python*/site-packages")
    names = {path.name for path in packages.iterdir()}
    assert not names & set(HEAVY)
    pip = {"pip", "setuptools"}
    size = sum(
        path.stat().st_size
        for path in packages.rglob("*")
        if path.is_file() and path.relative_to(packages).parts[0].partition("-")[0] not in pip
    )
    assert size / 1e6 < LARGEST_MB
