"""TorchScript, for C++ and mobile programs that run it; torch calls it deprecated in favour of torch.export."""

import warnings
from pathlib import Path

import torch

from emolens.card import METADATA_KEY, ModelCard
from emolens.export.source import Source
from emolens.files import written_whole


def write_torchscript(source: Source, path: Path) -> None:
    """Writes the graph, pixels to logits, with the card as the extra file `emolens.card`, whole or not at all."""
    with warnings.catch_warnings(), torch.inference_mode():
        warnings.simplefilter("ignore", FutureWarning)  # of the deprecation
        traced = torch.jit.trace(source.graph, source.example(), check_trace=False)  # type: ignore[no-untyped-call]
        save_torchscript(traced, source.card, path)


def save_torchscript(graph: torch.jit.ScriptModule, card: ModelCard, path: Path) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    with warnings.catch_warnings(), written_whole(path) as unfinished:
        warnings.simplefilter("ignore", FutureWarning)
        graph.save(str(unfinished), _extra_files={METADATA_KEY: card.model_dump_json()})


def open_torchscript(path: Path) -> torch.jit.ScriptModule:
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", FutureWarning)
        module: torch.jit.ScriptModule = torch.jit.load(path)  # type: ignore[no-untyped-call]
    return module
