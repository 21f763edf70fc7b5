"""What goes into a model file and what comes out, for clients in any language."""

from emolens.card import ModelCard
from emolens.card_page.markdown import bullets, text

_GREY = "grey, 0.299 R + 0.587 G + 0.114 B"


def contract(card: ModelCard) -> str:
    """How to use a model file with nothing but an ONNX runtime, in Markdown."""
    return bullets(_detector(card) if card.kind == "detector" else _classifier(card))


def _classifier(card: ModelCard) -> list[str]:
    size = card.input
    colours = _GREY if size.channels == 1 else "RGB"
    labels = ", ".join(map(text, card.labels))
    return [
        "In emolens: `emolens predict PHOTO --model FILE`, or `emolens.load(FILE)`. In any other language:",
        f"**Crop:** {_crop(card)} Resize it to {size.width} x {size.height}, bilinearly, averaging where it shrinks.",
        _input(card, colours),
        f"**Output** `logits`: float32, N x {len(card.labels)}, in this order: {labels}.",
        f"**Probabilities:** {_probabilities(card)}",
        f"**Found** is an emotion from a probability of {_thresholds(card)} on, unless a policy says otherwise.",
    ]


def _input(card: ModelCard, colours: str) -> str:
    size = card.input
    pixels = f"{size.height} x {size.width} x {size.channels}, 0 to 255, {colours}; rows from the top"
    if card.features is None:
        return f"**Input** `image`: uint8, N x {pixels}, any N. Normalisation is part of the graph."
    features = card.features
    told = "".join(f", {text(name)} {text(str(value))}" for name, value in features.parameters.items())
    maker = "" if features.model is None else f" made by {text(features.model)}, sha256 {features.sha256},"
    return (
        f"**Input** `features`: float32, N x their number, any N:{maker} the step `{features.step}` of emolens{told}, "
        f"of crops of uint8, {pixels}."
    )


def _crop(card: ModelCard) -> str:
    if card.kind != "face":
        return "take the whole image, whatever its shape."
    square = "make the face's box square about its centre, as long as its longer side; " if card.crop.square else ""
    margin = f"add {card.crop.margin:.0%} of the box's side on every side; " if card.crop.margin else ""
    cut = "cut it out, repeating the image's edge where it reaches beyond."
    return f"{square}{margin}{cut}"


def _probabilities(card: ModelCard) -> str:
    method = card.calibration.method if card.calibration else "temperature"
    steps = [f"divide the logits by {card.temperature:.6g}"]
    if method == "vector":
        steps.append("multiply them by `calibration.scale` of the card and add `calibration.shift`, label by label")
    steps.append("take the softmax" if card.objective == "distribution" else "take the sigmoid of each")
    if method == "isotonic":
        steps.append("put each through `calibration.steps` of its label, linear between the points")
        if card.objective == "distribution":
            steps.append("divide them by their sum")
    return f"{', '.join(steps)}. The card is JSON in the file's metadata, under `emolens.card`."


def _thresholds(card: ModelCard) -> str:
    others = ", ".join(f"{text(label)} {value:.3g}" for label, value in card.thresholds.items())
    return f"{card.threshold:.3g}{f' ({others})' if others else ''}"


def _detector(card: ModelCard) -> list[str]:
    return [
        "In emolens: `emolens predict PHOTO --detector FILE`. In any other language:",
        "**Input** `image`: uint8, N x H x W x 3, RGB, 0 to 255; rows from the top. H and W are multiples of 32: the "
        "photograph stands at the top left of a grey picture of that size. Normalisation is part of the graph.",
        "**Output** `map_8`, `map_16`, `map_32`: float32, N x 15 x H/stride x W/stride, for the stride in the name. "
        "Per cell: the logit of the score; the box's centre from the cell's, across and down; the logarithms of its "
        "width and height; right eye, left eye, nose, right and left corner of the mouth from the cell's centre, "
        "across and down. All lengths are in strides.",
        f"**Boxes:** keep the cells whose score, the sigmoid of its logit, is {card.threshold:.3g} or more, and of "
        "boxes that overlap the one with the highest score.",
    ]
