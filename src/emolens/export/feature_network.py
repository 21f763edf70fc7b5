"""The graph of a network that takes features."""

import onnx
import torch
from torch import nn

from emolens.export.model_file import OPSET, quiet_exporter


def feature_graph(network: nn.Module, size: int) -> onnx.ModelProto:
    """From `features`, `(N, size)` float32, to `logits`."""
    with quiet_exporter():
        program = torch.onnx.export(
            network,
            (torch.zeros(2, size),),
            dynamo=True,
            opset_version=OPSET,
            input_names=["features"],
            output_names=["logits"],
            dynamic_shapes=({0: torch.export.Dim("N", min=1)},),
            verbose=False,
        )
    assert program is not None
    graph: onnx.ModelProto = program.model_proto
    return graph
