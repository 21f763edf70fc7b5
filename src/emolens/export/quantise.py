"""Model files of 8-bit integers: a quarter of the size, and two to three times the speed where a processor has them."""

import contextlib
import logging
import tempfile
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np
import onnx
from numpy.typing import NDArray
from onnxruntime.quantization import CalibrationDataReader, QuantFormat, QuantType, quantize_static
from onnxruntime.quantization.shape_inference import quant_pre_process

from emolens.export.container import change_card
from emolens.export.first_layers import REARRANGING
from emolens.runtime import OnnxModel

_BATCH = 16


def quantise(source: Path, crops: NDArray[np.uint8], out: Path) -> None:
    """Writes a classifier's model file with weights and activations in 8 bits (Jacob et al., 2018).

    Weights have a scale per channel, and 7 of their 8 bits: with all 8, processors without VNNI add two products in
    16 bits and overflow. Activations have the range that the crops show. The last layer stays as it is: it takes no
    time, and its answers are not rounded to steps. So does what only rearranges pixels.

    Args:
        source: the model file in floating point; its card goes inside.
        crops: `(N, H, W, C)` uint8, such as it will see; some hundreds.
        out: the `.onnx` file to write, whole or not at all.
    """
    card = OnnxModel(source, "cpu").card
    with tempfile.TemporaryDirectory() as folder, _silence():
        prepared, rounded = Path(folder, "prepared.onnx"), Path(folder, "rounded.onnx")
        quant_pre_process(source, prepared, skip_symbolic_shape=True)
        quantize_static(
            prepared,
            rounded,
            _Crops(crops),
            quant_format=QuantFormat.QDQ,
            activation_type=QuantType.QUInt8,
            weight_type=QuantType.QInt8,
            per_channel=True,
            reduce_range=True,
            nodes_to_exclude=_kept(onnx.load(prepared).graph),
        )
        change_card(rounded, card, out)


def _kept(graph: onnx.GraphProto) -> list[str]:
    """The nodes that stay as they are."""
    outputs = {output.name for output in graph.output}
    return [node.name for node in graph.node if outputs & set(node.output) or node.name.startswith(REARRANGING)]


class _Crops(CalibrationDataReader):  # type: ignore[misc]  # onnxruntime has no types
    def __init__(self, crops: NDArray[np.uint8]) -> None:
        self.batches = (crops[start : start + _BATCH] for start in range(0, len(crops), _BATCH))

    def get_next(self) -> dict[str, Any] | None:
        batch = next(self.batches, None)
        return None if batch is None else {"image": batch}


@contextlib.contextmanager
def _silence() -> Iterator[None]:
    """Without the root logger's advice to run the preprocessing that has been run."""
    disabled = logging.root.manager.disable
    logging.disable(max(disabled, logging.WARNING))
    try:
        yield
    finally:
        logging.disable(disabled)
