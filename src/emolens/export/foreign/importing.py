"""A foreign classifier into a model file: read, wrapped, and held against the original before it is written."""

import tempfile
from datetime import UTC, datetime
from pathlib import Path
from typing import Any, Literal

import numpy as np
import onnx
from numpy.typing import NDArray

from emolens import __version__
from emolens.card import Input, ModelCard, Parity
from emolens.errors import ModelError
from emolens.export.container import save_model
from emolens.export.foreign.about import About, Layout, Objective, frame
from emolens.export.foreign.graph import ENDS, before_end, last_operator, prepare, to_probabilities, wrap
from emolens.export.foreign.onnx_file import check_size, dims_of, inputs_of, read_onnx
from emolens.export.parity import share_decided_alike
from emolens.runtime import OnnxModel
from emolens.session import file_hash, open_session, run_session

_IMAGES = 8
_LARGEST_DIFFERENCE = 1e-3
# Of logits, whose size says nothing: as a part of how far they are spread over the images.
_LARGEST_PART = 1e-2
# How far from one a sum of probabilities is, that are stored in float16.
_ROUNDING = 5e-3
_OTHERWISE = "answers several images at once otherwise than one by one, or not always alike"
_REMEDY = "export it with a free batch"
_HDF5 = b"\x89HDF\r\n\x1a\n"


def import_model(path: Path, about: About, out: Path) -> ModelCard:
    """Writes a model file that answers as a foreign classifier does.

    Args:
        path: an ONNX file, or a whole Keras model in HDF5.
        about: what the file does not say.
        out: the `.onnx` file to write, whole or not at all.

    Returns:
        The card that was put inside; its parity says how far random images are answered alike.

    Raises:
        ModelError: the file is damaged or no classifier of one batch of images, or the answers differ.
        ConfigError: `about` lacks something that the file leaves open, or contradicts it.
    """
    check_size(path)
    with tempfile.TemporaryDirectory() as folder:
        file = path
        if _is_hdf5(path):
            from emolens.export.foreign.keras_file import read_keras  # Keras takes seconds to import

            foreign, file = read_keras(path, about), Path(folder, "converted.onnx")
            file.write_bytes(foreign.SerializeToString())
        else:
            foreign = read_onnx(path)
        layout, size = _frame(foreign, about, str(path))
        crops = _random_crops(size)
        pixels = prepare(crops, layout, about)
        answers = _answers(file, foreign, pixels, path)
        _check_answers(answers, about, path)
        ends_in = _ending(foreign, answers, about.objective, path)
        wrapped = wrap(foreign, about, layout, size, from_probabilities=ends_in == "probabilities")
        card = _card(path, about, size)
        found = _wrapped_logits(wrapped, card, crops, Path(folder, "wrapped.onnx"), path)
        if ends_in == "operator":
            cut, file = before_end(foreign, about.objective), Path(folder, "cut.onnx")
            file.write_bytes(cut.SerializeToString())
            _check_logits(_answers(file, cut, pixels, path), found, path)
        elif ends_in == "logits":
            _check_logits(answers, found, path)
    expected = to_probabilities(answers, about.objective) if ends_in == "logits" else answers
    card = card.model_copy(update={"parity": _parity(expected, to_probabilities(found, about.objective), card, path)})
    save_model(wrapped, card, out)
    return card


def _is_hdf5(path: Path) -> bool:
    with path.open("rb") as file:
        return file.read(len(_HDF5)) == _HDF5


def _frame(foreign: onnx.ModelProto, about: About, source: str) -> tuple[Layout, Input]:
    dims = dims_of(inputs_of(foreign.graph)[0])
    if dims and dims[0] not in (None, 1):
        raise ModelError(f"{source} takes {dims[0]} images at a time; export it with a free batch")
    return frame(dims, about, source)


def _random_crops(size: Input) -> NDArray[np.uint8]:
    """Noise, from dark to bright: what is close to black or white alone would hide what differs."""
    noise = np.random.default_rng(0).random((_IMAGES, size.height or 0, size.width or 0, size.channels))
    brightness = np.linspace(64, 255, _IMAGES).reshape(-1, 1, 1, 1)
    return (noise * brightness).round().astype(np.uint8)


def _answers(file: Path, foreign: onnx.ModelProto, pixels: NDArray[np.float32], source: Path) -> NDArray[Any]:
    """What the original says, `(N, L)`, image by image, since it may take but one."""
    session, taken, given = open_session(file, "cpu"), inputs_of(foreign.graph)[0], foreign.graph.output[0]
    typed = pixels.astype(onnx.helper.tensor_dtype_to_np_dtype(taken.type.tensor_type.elem_type))
    answers = [run_session(session, [given.name], {taken.name: one[None]}, file)[0] for one in typed]
    shape = answers[0].shape
    if len(shape) != 2 or shape[0] != 1:
        raise ModelError(
            f"{source} gives {' x '.join(map(str, shape)) or 'a single number'} for an image; "
            "a classifier gives 1 x the number of its labels"
        )
    return np.concatenate(answers)


def _check_answers(answers: NDArray[Any], about: About, source: Path) -> None:
    if answers.shape[1] != len(about.labels):
        raise ModelError(
            f"{source} has {answers.shape[1]} outputs, but --labels names {len(about.labels)}: "
            f"{', '.join(about.labels)}"
        )
    if not np.isfinite(answers).all():
        raise ModelError(f"{source} answers with NaN or infinity; its weights are broken")


def _ending(
    foreign: onnx.ModelProto, answers: NDArray[Any], objective: Objective, source: Path
) -> Literal["operator", "probabilities", "logits"]:
    """Whether the graph ends in the operator of this objective, gives probabilities otherwise, or gives logits."""
    end = last_operator(foreign)
    if end == ENDS[objective]:
        return "operator"
    if end is not None:
        (other,) = ENDS.keys() - {objective}
        raise ModelError(f"{source} ends in a {end}, which stands for --objective {other}; say so")
    if not ((answers >= 0) & (answers <= 1 + _ROUNDING)).all():
        return "logits"
    if objective == "multilabel":
        raise ModelError(f"{source} seems to give probabilities without a Sigmoid at its end; export it to give logits")
    if not np.allclose(answers.sum(axis=1), 1, atol=_ROUNDING):
        raise ModelError(
            f"{source} gives numbers in 0 to 1 that do not sum to one, as hidden sigmoids do, which stand for "
            "--objective multilabel; say so, and export it to give logits"
        )
    return "probabilities"


def _wrapped_logits(
    wrapped: onnx.ModelProto, card: ModelCard, crops: NDArray[np.uint8], file: Path, source: Path
) -> NDArray[np.float32]:
    """What the import says of all images at once."""
    try:
        save_model(wrapped, card, file)
        return OnnxModel(file, "cpu").logits(crops)
    except (ModelError, onnx.checker.ValidationError, onnx.shape_inference.InferenceError) as error:
        raise ModelError(
            f"{source} does not fit into a model file, which takes any number of images at once; "
            "export it with a free batch"
        ) from error


def _check_logits(theirs: NDArray[Any], ours: NDArray[np.float32], source: Path) -> None:
    """Refuses logits that differ although the probabilities of them, all close to 0 and 1, may not."""
    precision = max(np.finfo(theirs.dtype).eps, np.finfo(ours.dtype).eps)
    wide = theirs.astype(np.float64)
    spread, size, difference = np.ptp(wide, axis=0).max(), np.abs(wide).max(), np.abs(wide - ours).max()
    if not difference <= _LARGEST_PART * spread + 16 * precision * size:
        raise ModelError(
            f"{source} {_OTHERWISE}: logits that are spread over {spread:.2g} differ by up to {difference:.2g}; "
            f"{_REMEDY}"
        )


def _parity(expected: NDArray[Any], found: NDArray[np.float32], card: ModelCard, source: Path) -> Parity:
    gaps = np.abs(expected - found)
    if not gaps.max() <= _LARGEST_DIFFERENCE:
        raise ModelError(f"{source} {_OTHERWISE}: probabilities differ by up to {gaps.max():.2g}; {_REMEDY}")
    thresholds = [card.threshold_of(label) for label in card.labels] if card.objective == "multilabel" else None
    return Parity(
        form="import",
        crops=len(expected),
        max_difference=float(f"{gaps.max():.2g}"),
        mean_difference=float(f"{gaps.mean():.2g}"),
        agreement=round(share_decided_alike(expected, found, thresholds), 4),
    )


def _card(path: Path, about: About, size: Input) -> ModelCard:
    mean, std = (", ".join(f"{number:g}" for number in numbers) for numbers in (about.mean, about.std))
    return ModelCard(
        name=about.name or path.stem[:100],
        version=file_hash(path)[:12],  # of others' versions nothing else is known for sure
        kind=about.kind,
        labels=about.labels,
        objective=about.objective,
        input=size,
        trained_on=("unknown",),
        limits=(
            "Others made it: for what it is fit, and for whom, is unknown until it is measured.",
            f"Whoever imported it said that its labels stand in this order, and that it takes (pixels / 255 - {mean}) "
            f"/ {std}; the file proves neither.",
        ),
        licence="unknown; see where the model came from",
        created=datetime.now(UTC).date().isoformat(),
        emolens_version=__version__,
    )
