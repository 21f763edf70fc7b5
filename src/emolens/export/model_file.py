"""Puts a trained network into a model file."""

import contextlib
import logging
import warnings
from collections.abc import Iterator
from pathlib import Path

import torch

from emolens.export.container import save_model
from emolens.export.first_layers import interpolate_by_products, read_rows, space_to_depth
from emolens.export.folding import fold_normalisation
from emolens.export.source import Source

OPSET = 20


def write_model_file(source: Source, path: Path, half: bool = False) -> None:
    """Writes a model file, whole or not at all.

    Args:
        source: what to write.
        path: of the `.onnx` file.
        half: weights and calculations in float16, which graphics processors are fast at.
    """
    dynamic: dict[int, torch.export.Dim] = {0: torch.export.Dim("N", min=1)}
    if source.card.input.height is None:
        # Detectors halve the picture five times, so that only multiples of 32 can be traced.
        dynamic |= {1: 32 * torch.export.Dim("h", min=1, max=512), 2: 32 * torch.export.Dim("w", min=1, max=512)}
    with quiet_exporter():
        program = torch.onnx.export(
            source.halved() if half else source.graph,
            (source.example(),),
            dynamo=True,
            opset_version=OPSET,
            input_names=["image"],
            output_names=list(source.outputs),
            dynamic_shapes=(dynamic,),
            verbose=False,
        )
    assert program is not None
    graph = program.model_proto
    for improve in (fold_normalisation, interpolate_by_products, space_to_depth, read_rows):
        improve(graph.graph)
    save_model(graph, source.card, path)


@contextlib.contextmanager
def quiet_exporter() -> Iterator[None]:
    """Without what the exporter says of its own internals."""
    logger = logging.getLogger("torch.onnx")
    level = logger.level
    logger.setLevel(logging.ERROR)
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            yield
    finally:
        logger.setLevel(level)
