"""The wheel alone, as an application installs it: no extras, no network, no heavy libraries."""

import json
import os
import shutil
import subprocess
import sys
import time
import venv
from pathlib import Path

import pytest

from conftest import ROOT, require

HEAVY = ("torch", "cv2", "pandas", "sklearn", "scipy", "matplotlib", "fastapi", "streamlit", "ray")
LARGEST_MB = 250
# Docs tell what an idle machine takes; one that is busy with other tests takes several times as much.
MOST_SECONDS = 10

pytestmark = pytest.mark.slow


def run(*command: str | Path, **options: object) -> subprocess.CompletedProcess[str]:
    environment = {"PATH": os.environ["PATH"], "HOME": os.environ.get("HOME", "/")}
    return subprocess.run(
        [str(part) for part in command], text=True, capture_output=True, env=environment, timeout=600, **options
    )  # type: ignore[call-overload]


@pytest.fixture(scope="module")
def wheel(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("wheel")
    build = run(sys.executable, "-m", "build", "--wheel", "--outdir", folder, ROOT)
    assert build.returncode == 0, build.stderr
    (wheel,) = folder.glob("emolens-*.whl")
    return wheel


def install(wheel: Path, folder: Path, extras: str = "") -> Path:
    """A virtual environment that holds the built wheel and what it depends on."""
    venv.create(folder, with_pip=True)
    constraints = ("--constraint", ROOT / "constraints.txt")
    ended = run(folder / "bin/pip", "install", "--quiet", *constraints, f"{wheel}{extras}")
    assert ended.returncode == 0, ended.stderr
    return folder


@pytest.fixture(scope="module")
def installed(wheel: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    return install(wheel, tmp_path_factory.mktemp("plain") / "venv")


@pytest.fixture(scope="module")
def installed_to_serve(wheel: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    return install(wheel, tmp_path_factory.mktemp("serve") / "venv", "[serve]")


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


def test_the_server_brings_nothing_heavy_either(installed_to_serve: Path) -> None:
    (packages,) = installed_to_serve.glob("lib/python*/site-packages")
    names = {path.name for path in packages.iterdir()}
    assert "fastapi" in names
    assert not names & (set(HEAVY) - {"fastapi"})


def test_the_server_starts_soon(installed_to_serve: Path) -> None:
    environment = {"PATH": os.environ["PATH"], "HOME": os.environ.get("HOME", "/"), "EMOLENS_SERVE_PORT": "0"}
    command = [installed_to_serve / "bin/emolens", "serve"]
    seconds = []
    for _ in range(3):  # the first start writes the byte code of everything
        started = time.monotonic()
        with subprocess.Popen(command, env=environment, stderr=subprocess.PIPE, text=True) as server:
            assert server.stderr
            lines = iter(server.stderr.readline, "")
            assert any("running on" in line for line in lines)
            seconds.append(time.monotonic() - started)
            server.terminate()
    assert min(seconds) < MOST_SECONDS, seconds
