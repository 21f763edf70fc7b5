"""`emolens explain`: pictures of what the answer for each face rests on."""

import sys
from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray
    from PIL import Image

    from emolens.card import ModelCard

    Crop = NDArray[np.uint8]

_STDIN = "-"


def explain(
    image: Annotated[str, typer.Argument(help="A photograph, or - for stdin.")],
    out: Annotated[Path, typer.Option(metavar="DIR", help="Write a picture of each face there.")],
    model: Annotated[
        str,
        typer.Option(
            metavar="NAME|FILE|RUN|CHECKPOINT",
            help="What to explain: a model, by occlusion; a run, or a checkpoint in it, by Grad-CAM.",
        ),
    ] = "face",
    detector: Annotated[
        str, typer.Option(metavar="NAME|FILE", help="The face detector; none takes the whole image for one face.")
    ] = "detector",
) -> None:
    """Draw which pixels the answer for each face rests on; print where the pictures are, the largest face's first.

    Exit code: 0 done, 1 the image cannot be read or shows no face, 2 wrong usage or configuration.
    """
    from emolens.errors import ImageError
    from emolens.text import printable

    card, draw = _explainer(model)
    try:
        stem, crops = _crops(image, card, detector)
    except ImageError as error:
        print(f"emolens: {printable(str(error))} ({error.code})", file=sys.stderr)
        raise typer.Exit(1) from None
    if not crops:
        print(
            f"emolens: {printable(image)}: no face was found, so there is nothing to explain; "
            "an image that is cut to a face already needs --detector none",
            file=sys.stderr,
        )
        raise typer.Exit(1)
    _make(out, image)
    for number, crop in enumerate(crops, 1):
        path = out / f"{stem}-{number}.png"
        draw(crop).save(path)
        print(path)


def _explainer(name: str) -> "tuple[ModelCard, Callable[[Crop], Image.Image]]":
    """What draws the explanation of a crop: a model file's, or a run's."""
    from emolens.cli.sources import run_named
    from emolens.evaluation.explain import picture

    source = run_named(name)
    if source is None:
        from emolens import zoo
        from emolens.evaluation.explain import occlusion
        from emolens.runtime import OnnxModel

        model = OnnxModel(zoo.find(name))
        return model.card, lambda crop: picture.draw_occlusion(
            model.card, model.probabilities(crop[None])[0], crop, occlusion.explain(model, crop)
        )

    from emolens.cli.extras import training_side

    with training_side("to explain a run"):
        from emolens.evaluation.explain import gradcam

    network = gradcam.TrainedNetwork.open(source)
    return network.card, lambda crop: picture.draw_gradcam(
        network.card, network.probabilities(crop[None])[0], crop, gradcam.explain(network, crop)
    )


def _crops(image: str, card: "ModelCard", detector: str) -> "tuple[str, list[Crop]]":
    """What the pictures are named after, and what the model sees."""
    from emolens.evaluation.explain.crops import cut_crops
    from emolens.image import Limits
    from emolens.predictor import open_detector

    limits = Limits.from_environment()
    finder = open_detector(detector) if card.kind == "face" and detector != "none" else None
    if image == _STDIN:
        return "stdin", cut_crops(sys.stdin.buffer.read(limits.max_bytes + 1), card, finder, limits)
    return Path(image).stem, cut_crops(image, card, finder, limits)


def _make(folder: Path, image: str) -> None:
    from emolens.errors import ConfigError

    try:
        folder.mkdir(parents=True, exist_ok=True)
    except OSError as error:
        raise ConfigError(f"{folder} cannot be made: {error.strerror}; choose another --out") from None
    if image != _STDIN and Path(image).parent.resolve() == folder.resolve():
        raise ConfigError(f"{image} lies in {folder}, whose photographs could be overwritten; choose another --out")
