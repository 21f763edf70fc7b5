"""Exports what a training left, and checks that it answers as what was trained."""

import math
import tempfile
from pathlib import Path

import numpy as np
import onnxruntime as ort
from numpy.typing import NDArray

from emolens.card import ModelCard, Parity
from emolens.errors import ConfigError
from emolens.export.container import change_card
from emolens.export.formats import Format
from emolens.export.model_file import write_model_file
from emolens.export.parity import check_parity
from emolens.export.quantise import quantise
from emolens.export.source import Outputs, Source, comparable
from emolens.export.torchscript import open_torchscript, save_torchscript, write_torchscript
from emolens.session import open_session, run_session
from emolens.training.trained import open_trained

_BATCH = 32


def export_run(source: Path, out: Path, form: Format = Format.onnx) -> ModelCard:
    """Writes what a run, or one checkpoint of it, has learnt.

    Args:
        source: the directory of a finished run, or `RUN/checkpoints/last.safetensors`, whose card then has neither a
            fitted temperature or threshold nor metrics.
        out: the file to write, whole or not at all.
        form: `onnx`, the model file; `onnx-int8` calculates in 8 bits, see `emolens.export.quantise`; `onnx-fp16` in
            float16; `torchscript` is for programs that run it.

    Returns:
        The card that was put inside, with how far the export answers as the network over crops of the training.

    Raises:
        ConfigError: `source` is neither, or the run is not finished, or 8 bits are asked of a detector.
        ModelError: the export answers too differently.
    """
    learnt = open_trained(source)
    trained = Source(learnt.network, learnt.card, learnt.pixels.mean, learnt.pixels.std)
    kept = learnt.run.crops()
    # Those that 8 bits find their ranges by would flatter them.
    examples, crops = kept[::2], kept[1::2] if len(kept) > 1 else kept
    if form == Format.onnx_int8 and trained.card.kind == "detector":
        raise ConfigError("a detector is not written in 8 bits, which move its boxes; write --format onnx")
    expected = trained.answers(crops)

    def check(found: Outputs) -> Parity:
        ours, theirs = (comparable(one, trained.card, expected) for one in (expected, found))
        return check_parity(form, ours, theirs, _thresholds(trained.card), len(crops))

    if form == Format.onnx_fp16:
        # ONNX Runtime calculates in float32 on a processor, where nothing overflows.
        check(trained.answers(crops, trained.halved()))
    with tempfile.TemporaryDirectory() as folder:
        written = Path(folder, out.name)
        if form == Format.torchscript:
            write_torchscript(trained, written)
            graph = open_torchscript(written)
            card = trained.card.model_copy(update={"parity": check(trained.answers(crops, graph))})
            save_torchscript(graph, card, out)
        else:
            _write_onnx(trained, examples, written, form)
            card = trained.card.model_copy(update={"parity": check(_answers(written, crops))})
            change_card(written, card, out)
    return card


def _write_onnx(trained: Source, examples: NDArray[np.uint8], path: Path, form: Format) -> None:
    if form != Format.onnx_int8:
        write_model_file(trained, path, half=form == Format.onnx_fp16)
        return
    exact = path.with_name("exact.onnx")
    write_model_file(trained, exact)
    quantise(exact, examples, path)


def _thresholds(card: ModelCard) -> list[float] | None:
    """From when on a label counts as present, or a place as a face; a box is never decided for."""
    if card.kind == "detector":
        return [card.threshold, *[math.inf] * 4]
    return [card.threshold_of(label) for label in card.labels] if card.objective == "multilabel" else None


def _answers(path: Path, crops: NDArray[np.uint8]) -> Outputs:
    session: ort.InferenceSession = open_session(path, "cpu")
    names = [node.name for node in session.get_outputs()]
    parts = (crops[start : start + _BATCH] for start in range(0, len(crops), _BATCH))
    answers = [run_session(session, names, {"image": part}, path) for part in parts]
    return [np.concatenate(each) for each in zip(*answers, strict=True)]
