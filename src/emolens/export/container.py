"""The file around a graph: a checked ONNX file with a model card inside."""

from pathlib import Path

import onnx

from emolens.card import ModelCard
from emolens.files import written_whole


def save_model(graph: onnx.ModelProto, card: ModelCard, path: Path) -> None:
    """Writes a checked graph with its card, and nothing else that its makers noted, whole or not at all."""
    graph.ClearField("metadata_props")
    _drop_traces(graph)
    onnx.helper.set_model_props(graph, card.to_metadata())
    onnx.checker.check_model(graph, full_check=True)
    path.parent.mkdir(parents=True, exist_ok=True)
    with written_whole(path) as unfinished:
        unfinished.write_bytes(graph.SerializeToString())


def change_card(source: Path, card: ModelCard, path: Path) -> None:
    """Writes a model file with another card, whole or not at all; `path` may be the file itself."""
    save_model(onnx.load(source), card, path)


def _drop_traces(graph: onnx.ModelProto) -> None:
    """Removes what the exporter notes about source lines: it is larger than small graphs, and names this machine."""
    for part in (*graph.graph.node, *graph.graph.input, *graph.graph.output, *graph.graph.value_info):
        part.ClearField("metadata_props")
        part.ClearField("doc_string")
    for tensor in graph.graph.initializer:
        tensor.ClearField("metadata_props")
    graph.graph.ClearField("metadata_props")
    graph.graph.ClearField("doc_string")
    graph.graph.ClearField("value_info")
