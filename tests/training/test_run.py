"""A run's directory: whatever is broken in it is named."""

from pathlib import Path

import pytest
import torch
import yaml
from safetensors.torch import save_file

from emolens.errors import ConfigError
from emolens.export.run import export_run
from emolens.training.cards import describe
from emolens.training.recipe import ClassifierRecipe, load_recipe
from emolens.training.run import Run


@pytest.fixture
def finished(tmp_path: Path) -> Path:
    """A run that could be exported."""
    recipe = load_recipe("face")
    assert isinstance(recipe, ClassifierRecipe)
    run = Run.start(tmp_path / "run", recipe, resume=False)
    run.finish(recipe.network.build(8, recipe.input.channels), describe(recipe))
    return run.folder


@pytest.mark.parametrize("content", [b"- a list", b"{", b"\xff", b""])
@pytest.mark.parametrize("name", ["recipe.yaml", "card.json", "weights.safetensors"])
def test_a_damaged_file_of_a_run_is_named(finished: Path, name: str, content: bytes) -> None:
    (finished / name).write_bytes(content)
    with pytest.raises(ConfigError, match=name):
        export_run(finished, finished / "model.onnx")
    assert not (finished / "model.onnx").exists()


def test_weights_that_are_missing_or_another_networks_are_named(finished: Path) -> None:
    weights = finished / "weights.safetensors"
    save_file({"other": torch.zeros(2)}, weights)
    with pytest.raises(ConfigError, match=weights.name):
        export_run(finished, finished / "model.onnx")
    weights.unlink()
    with pytest.raises(ConfigError, match=weights.name):
        export_run(finished, finished / "model.onnx")


def test_a_resolved_recipe_reads_back_as_it_was(finished: Path) -> None:
    assert Run(finished).recipe() == load_recipe("face")
    assert yaml.safe_load((finished / "recipe.yaml").read_text())["crop"] == {"margin": 0.0, "square": True}
