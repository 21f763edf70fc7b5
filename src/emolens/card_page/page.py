"""The page of a model: what it is for and not for, how good it is and for whom that is unknown, and how to use it."""

from collections.abc import Mapping
from typing import TYPE_CHECKING

from emolens.card import ModelCard, Parity
from emolens.card_page.contract import contract
from emolens.card_page.markdown import bullets, table, text
from emolens.card_page.measured import found_bias, measurements
from emolens.card_page.responsible_use import responsible_use

if TYPE_CHECKING:
    from emolens.zoo import Entry

_PURPOSES = {
    "face": "Reads which expression people would see in a face that is cut out of a photograph, so that an application "
    "can suggest reactions that fit.",
    "scene": "Says which emotions people would say a picture evokes, so that an application can suggest reactions that "
    "fit.",
    "emoji": "Says which emotions the picture of an emoji stands for.",
    "generic": "Gives a picture the labels that it was trained on.",
    "detector": "Finds faces in photographs: where they are, not whose they are, nor what they express.",
    "embedding": "Makes of a face that is cut out of a photograph the numbers by which persons are told apart; here a "
    "classifier of expressions learns from them, and nobody is to be recognised by them.",
    "landmarks": "Finds points of a face that is cut out of a photograph; it names neither persons nor emotions.",
}
_NOT_SAID = "The card does not say."


def card_page(card: ModelCard, sha256: str, size: int) -> str:
    """The page of a model file, in Markdown.

    Args:
        card: out of the file; whatever it says is shown as text.
        sha256: of the file, in hexadecimal.
        size: of the file, in bytes.
    """
    made = [text(card.created), f"with emolens {text(card.emolens_version)}" if card.emolens_version else ""]
    facts = {
        "version": text(card.version),
        "kind": card.kind,
        "labels": ", ".join(map(text, card.labels)),
        "file": f"ONNX, {size:,} bytes",
        "sha256": f"`{sha256}`",
        "licence": text(card.licence) or _NOT_SAID,
        "made": ", ".join(filter(None, made)) or _NOT_SAID,
    }
    if card.parity is not None:
        facts["import" if card.parity.form == "import" else "export"] = _parity(card.parity)
    sections = {
        "Intended use": _PURPOSES[card.kind],
        "Limits": bullets(map(text, card.limits)) or _NOT_SAID,
        "Responsible use": responsible_use(card.kind),
        "Bias": found_bias(card.metrics, card.kind),
        "Data and its terms": bullets(map(text, card.trained_on)) or _NOT_SAID,
        "Measured": measurements(card.metrics) or _NOT_SAID,
        "Calibration": _calibration(card),
        "Input and output": contract(card),
    }
    if card.kind == "detector":
        del sections["Calibration"]
    return _page(card.name, facts, sections)


def _parity(parity: Parity) -> str:
    begin, source = f"{text(parity.form)}; over {parity.crops:,} crops", "trained network"
    if parity.form == "import":
        begin, source = f"over {parity.crops:,} random images", "original"
    return (
        f"{begin} its probabilities differ from the {source}'s by "
        f"{parity.mean_difference:.2g} on average and {parity.max_difference:.2g} at most, and {parity.agreement:.1%} "
        "of the decisions agree"
    )


def entry_page(entry: "Entry") -> str:
    """The page of a model that can be downloaded, as much as is known of it, in Markdown."""
    facts = {
        "about": text(entry.about),
        "kind": entry.kind,
        "labels": ", ".join(map(text, entry.labels)),
        "file": f"{'ONNX' if entry.path.suffix == '.onnx' else text(entry.path.suffix)}, {entry.size:,} bytes",
        "sha256": f"`{entry.sha256}`",
        "licence": text(entry.licence),
        "from": f"<{entry.url}>",
        "here": "yes" if entry.path.is_file() else f"not yet: `emolens models pull {text(entry.name)}`",
    }
    figures = [(text(one.of), f"{one.value:g}", f"<{one.source}>") for one in entry.metrics]
    done = f"emolens does not run it as it is: {entry.instead}" if entry.instead else "emolens sees to that."
    sections = {
        "Intended use": _PURPOSES[entry.kind],
        "Limits": "Others made this model, and it has no card: ask where it comes from.",
        "Responsible use": responsible_use(entry.kind),
        "Bias": found_bias({}, entry.kind),
        "Data and its terms": text(entry.training_data),
        "Measured by others": table(("", "", "source"), figures, right=False) if figures else _NOT_SAID,
        "Input and output": f"Takes {text(entry.preprocessing)}; {done}",
    }
    return _page(entry.name, facts, sections)


def _page(name: str, facts: Mapping[str, str], sections: Mapping[str, str]) -> str:
    parts = [f"# {text(name)}", table(("", ""), facts.items(), right=False)]
    return "\n\n".join([*parts, *(f"## {title}\n\n{content}" for title, content in sections.items())]) + "\n"


def _calibration(card: ModelCard) -> str:
    parts = [_fitted(card)]
    if card.abstention is not None:
        rule = card.abstention
        parts.append(
            f"An answer whose highest probability is under {rule.threshold:.3f} is marked as unsure. On "
            f"{text(rule.fitted_on)}, {rule.coverage:.1%} of the answers are not, and {rule.risk:.1%} of those are "
            "wrong."
        )
    return "\n\n".join(parts)


def _fitted(card: ModelCard) -> str:
    fitted = card.calibration
    if fitted is None:
        if card.temperature == 1:
            return "None: probabilities are as the network gives them."
        return f"Logits are divided by {card.temperature:.4g}; what that was worth is not on record."
    rows = [
        (text(key.replace("_", " ")), f"{fitted.before[key]:.4f}", f"{fitted.after[key]:.4f}")
        for key in fitted.before
        if key in fitted.after
    ]
    said = f"Method: {fitted.method}, fitted on {text(fitted.fitted_on)}."
    return "\n\n".join([said, *([table((f"{fitted.samples:,} samples", "before", "after"), rows)] if rows else [])])
