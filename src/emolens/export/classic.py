"""Puts the head of a classic system into a model file, and checks that it answers alike."""

from pathlib import Path

import numpy as np
import onnx
from numpy.typing import NDArray
from onnx import TensorProto, helper, numpy_helper

from emolens.card import ModelCard
from emolens.classic.estimator import ImageClassifier
from emolens.errors import MissingExtraError
from emolens.export.container import save_model
from emolens.export.formats import Format
from emolens.export.parity import check_parity
from emolens.probability import softmax
from emolens.session import open_session, run_session

_OPSETS = {"": 17, "ai.onnx.ml": 3}
# Of a probability: under any that matters, and with a logarithm that float32 holds.
_FLOOR = 1e-7


def write_classic(classifier: ImageClassifier, card: ModelCard, features: NDArray[np.float32], path: Path) -> ModelCard:
    """Writes a model file, whole or not at all.

    Its logits are those of the head's network or, where it has none, the logarithms of the head's probabilities.

    Args:
        classifier: fitted; its classes stand in the order of the card's labels.
        card: with the features that its step makes.
        features: some of crops, `(N, F)`, to compare the answers on.
        path: of the `.onnx` file.

    Returns:
        The card that was put inside, with how far the file answers as the classifier.

    Raises:
        ModelError: it answers too differently.
        MissingExtraError: skl2onnx is not installed.
    """
    graph = _graph(classifier, len(card.labels))
    some = features[~np.isnan(features).any(axis=1)]
    save_model(graph, card, path)
    logits = run_session(open_session(path, "cpu"), ["logits"], {"features": some}, path)[0]
    expected = classifier.predict_features(some).astype(np.float32)
    try:
        parity = check_parity(Format.onnx, expected, softmax(logits))
    except BaseException:
        path.unlink()
        raise
    card = card.model_copy(update={"parity": parity})
    save_model(graph, card, path)
    return card


def _graph(classifier: ImageClassifier, labels: int) -> onnx.ModelProto:
    if hasattr(classifier.head_, "network_"):
        from emolens.export.feature_network import feature_graph

        return feature_graph(classifier.head_.network_, classifier.step.size)
    try:
        from skl2onnx import convert_sklearn
        from skl2onnx.common.data_types import FloatTensorType
        from skl2onnx.helpers.onnx_helper import select_model_inputs_outputs
    except ModuleNotFoundError:
        raise MissingExtraError("classic", "to write classifiers of scikit-learn as model files") from None
    taken = [("features", FloatTensorType([None, classifier.step.size]))]
    converted = convert_sklearn(classifier.head_, initial_types=taken, options={"zipmap": False}, target_opset=_OPSETS)
    model: onnx.ModelProto = select_model_inputs_outputs(converted, outputs=["probabilities"])
    graph = model.graph
    graph.node.extend(
        [
            helper.make_node("Max", ["probabilities", "floor"], ["probabilities_over_floor"]),
            helper.make_node("Log", ["probabilities_over_floor"], ["logits"]),
        ]
    )
    graph.initializer.append(numpy_helper.from_array(np.float32(_FLOOR).reshape(1), "floor"))
    for field in ("input", "output"):
        graph.ClearField(field)
    graph.input.append(helper.make_tensor_value_info("features", TensorProto.FLOAT, ["N", classifier.step.size]))
    graph.output.append(helper.make_tensor_value_info("logits", TensorProto.FLOAT, ["N", labels]))
    return model
