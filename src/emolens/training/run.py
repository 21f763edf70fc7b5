"""Run: the directory that a training leaves, and how it comes to be."""

import json
import platform
from collections.abc import Mapping
from dataclasses import dataclass
from importlib import metadata
from pathlib import Path

import numpy as np
import torch
import yaml
from numpy.typing import NDArray
from pydantic import ValidationError
from safetensors import SafetensorError
from safetensors.torch import load_file, save_file
from torch import Tensor, nn

from emolens.card import ModelCard
from emolens.errors import ConfigError
from emolens.files import written_whole
from emolens.training import processes
from emolens.training.recipe import NetworkRecipe, parse_recipe

_LIBRARIES = ("emolens", "torch", "torchvision", "lightning", "timm", "numpy", "pillow")
_CROPS = "crops"


@dataclass(frozen=True)
class Run:
    """The directory that a training leaves.

    Attributes:
        folder: holds `recipe.yaml` (resolved), `versions.json`, `crops.safetensors` (some of a classifier's training
            crops, to export with), in `checkpoints/` the weights of the last checkpoint and of the best epoch
            (`last.safetensors`, `best.safetensors`) and what a resumed training needs (`last.ckpt`), and at the end
            `weights.safetensors`, the ones to keep, and `card.json`.
    """

    folder: Path

    @classmethod
    def start(cls, folder: Path, recipe: NetworkRecipe, resume: bool) -> "Run":
        """Opens the directory for a training.

        Raises:
            ConfigError: another training lives there, or there is none to resume.
        """
        run = cls(folder)
        if resume:
            if not run.checkpoint.is_file():
                raise ConfigError(f"{folder} has no checkpoint to resume; train without --resume")
            if run.recipe() != recipe:
                raise ConfigError(
                    f"{folder} was trained by another recipe; resume with the same --set, or use a new --out"
                )
        elif run.checkpoint.exists():
            raise ConfigError(f"{folder} holds a training already; add --resume to go on with it, or use a new --out")
        if processes.rank() == 0:
            run._describe(recipe)
        return run

    @property
    def checkpoint(self) -> Path:
        return self.folder / "checkpoints" / "last.ckpt"

    @property
    def best(self) -> Path:
        return self.checkpoint.with_name("best.safetensors")

    @property
    def _crops_file(self) -> Path:
        return self.folder / "crops.safetensors"

    @property
    def _weights_file(self) -> Path:
        return self.folder / "weights.safetensors"

    @property
    def recipe_file(self) -> Path:
        return self.folder / "recipe.yaml"

    def recipe(self) -> NetworkRecipe:
        """The resolved recipe."""
        if not self.recipe_file.is_file():
            raise ConfigError(f"{self.folder} is no run: it has no {self.recipe_file.name}; `emolens train` makes one")
        try:
            content = yaml.safe_load(self.recipe_file.read_text(encoding="utf-8"))
        except (yaml.YAMLError, UnicodeDecodeError):
            raise _damaged(self.recipe_file) from None
        return parse_recipe(content, str(self.recipe_file))

    def keep_crops(self, crops: NDArray[np.uint8]) -> None:
        """Keeps `(N, H, W, C)` uint8 crops of the training."""
        write_weights({_CROPS: torch.from_numpy(crops)}, self._crops_file)

    def crops(self) -> NDArray[np.uint8]:
        """The crops that were kept.

        Raises:
            ConfigError: there are none.
        """
        try:
            crops: NDArray[np.uint8] = load_file(self._crops_file)[_CROPS].numpy()
        except FileNotFoundError:
            raise ConfigError(
                f"{self.folder} kept no crops to check an export with; train again to have them"
            ) from None
        except (OSError, SafetensorError, KeyError):
            raise _damaged(self._crops_file) from None
        return crops

    def finish(self, network: nn.Module, card: ModelCard) -> None:
        """Keeps what an export needs."""
        write_weights(network.state_dict(), self._weights_file)
        _write(self.folder / "card.json", card.model_dump_json(indent=2))

    def card(self) -> ModelCard:
        """The card of the finished training."""
        path = self.folder / "card.json"
        if not path.is_file():
            raise ConfigError(f"{self.folder} is not finished; go on with `emolens train ... --resume`")
        try:
            return ModelCard.model_validate_json(path.read_bytes())
        except ValidationError:
            raise _damaged(path) from None

    def load_checkpoint(self, network: nn.Module, best: bool) -> None:
        """Puts the weights of the best epoch or of the last checkpoint into a network of the recipe's kind."""
        read_weights(network, self.best if best else self.checkpoint.with_suffix(".safetensors"))

    def load_weights(self, network: nn.Module) -> None:
        """Puts the trained weights into a network of the recipe's kind."""
        read_weights(network, self._weights_file)

    def _describe(self, recipe: NetworkRecipe) -> None:
        self.folder.mkdir(parents=True, exist_ok=True)
        _write(self.folder / "versions.json", json.dumps(_versions(), indent=2) + "\n")
        _write(self.recipe_file, yaml.safe_dump(recipe.model_dump(mode="json"), sort_keys=False))


def write_weights(state: Mapping[str, Tensor], path: Path) -> None:
    """Writes tensors under their names, such as the weights of a network, whole or not at all."""
    with written_whole(path) as unfinished:
        save_file({name: value.contiguous() for name, value in state.items()}, unfinished)


def read_weights(network: nn.Module, path: Path) -> None:
    """Puts the weights of a file into a network of the recipe's kind.

    Raises:
        ConfigError: the file is missing, damaged, or of another network.
    """
    try:
        network.load_state_dict(load_file(path))
    except (OSError, SafetensorError, RuntimeError):  # the last where the weights are another network's
        raise _damaged(path) from None


def _write(path: Path, text: str) -> None:
    with written_whole(path) as unfinished:
        unfinished.write_text(text, encoding="utf-8")


def _versions() -> dict[str, str]:
    """What the weights depend on besides recipe and data."""
    return {"python": platform.python_version(), **{name: metadata.version(name) for name in _LIBRARIES}}


def _damaged(path: Path) -> ConfigError:
    return ConfigError(f"{path} is missing, damaged, or of another training; train again into a new --out")
