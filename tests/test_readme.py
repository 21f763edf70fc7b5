"""The README's Python and its commands run as they stand, and its links lead somewhere."""

import re
import shlex
import subprocess
import sys
from pathlib import Path

import pytest

from conftest import ROOT

README = (ROOT / "README.md").read_text(encoding="utf-8")


@pytest.fixture
def photos(tmp_path: Path) -> Path:
    """A folder with what the README takes for granted."""
    import skimage.data
    from PIL import Image

    (tmp_path / "holiday").mkdir()
    for name in ("photo.jpg", "holiday/one.jpg"):
        Image.fromarray(skimage.data.astronaut()).save(tmp_path / name)
    return tmp_path


def run(folder: Path, *arguments: str) -> str:
    ended = subprocess.run([sys.executable, *arguments], cwd=folder, text=True, capture_output=True)
    assert ended.returncode == 0, ended.stderr
    return ended.stdout


@pytest.mark.slow
def test_every_python_block_of_the_readme_runs(photos: Path) -> None:
    blocks = re.findall(r"^```python\n(.*?)^```", README, re.DOTALL | re.M)
    assert blocks
    run(photos, "-W", "error", "-c", "\n".join(blocks))


@pytest.mark.slow
def test_every_command_of_the_readme_runs(photos: Path) -> None:
    commands = [shlex.split(line)[1:] for line in re.findall(r"^    (emolens .*)$", README, re.M)]
    one, many = (run(photos, "-m", "emolens", *command) for command in commands)
    assert "happy" in one
    assert many == ""
    assert (photos / "emotions.jsonl").read_text(encoding="utf-8").count("\n") == 1
    assert (photos / "drawn" / "one.jpg").is_file()


@pytest.mark.parametrize("page", ["README.md", "docs/index.md"])
def test_links_lead_somewhere(page: str) -> None:
    links = re.findall(r"\]\(([^)#:]+)(?:#[^)]*)?\)", (ROOT / page).read_text(encoding="utf-8"))
    assert links
    for link in links:
        assert ((ROOT / page).parent / link).is_file(), link
