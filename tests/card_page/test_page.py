"""The page of a card says what the card holds, what it does not hold, and nothing that a card smuggles in."""

import re
from itertools import pairwise
from typing import Any

import pytest
from markdown_it import MarkdownIt

from emolens import zoo
from emolens.card import Abstention, Calibration, ModelCard
from emolens.card_page.page import card_page, entry_page

READER = MarkdownIt("commonmark").enable("table")
HASH = "ab" * 32

SECTIONS = [
    "Intended use", "Limits", "Responsible use", "Bias", "Data and its terms", "Measured", "Calibration",
    "Input and output",
]  # fmt: skip


def card(**fields: Any) -> ModelCard:
    minimal = {
        "name": "mine",
        "version": "1",
        "kind": "face",
        "labels": ("happy", "sad"),
        "objective": "distribution",
        "input": {"height": 48, "width": 64, "channels": 1},
    }
    return ModelCard.model_validate(minimal | fields)


def page(**fields: Any) -> str:
    return card_page(card(**fields), HASH, 1234567)


def headings(markdown: str, level: int) -> list[str]:
    tokens = READER.parse(markdown)
    return [after.content for one, after in pairwise(tokens) if one.tag == f"h{level}" and one.nesting == 1]


def section(markdown: str, title: str) -> str:
    found = re.search(rf"^## {title}\n\n(.*?)(?=^## |\Z)", markdown, re.DOTALL | re.MULTILINE)
    assert found, title
    return found[1]


MEASURED = {
    "n": 120,
    "accuracy": 0.75,
    "vote_ece": 0.02,
    "per_class": {
        "happy": {"precision": 0.9, "recall": 0.8, "support": 100},
        "sad": {"precision": 0.5, "recall": 0.1, "support": 20},
    },
    "slices": {"dark": {"n": 60, "accuracy": 0.6}, "bright": {"n": 60, "accuracy": 0.9}},
    "confusion": [[1, 2], [3, 4]],
}


def test_a_minimal_card_has_every_section_and_says_what_it_leaves_open() -> None:
    bare = page()
    assert headings(bare, 1) == ["mine"]
    assert headings(bare, 2) == SECTIONS
    for title in ("Limits", "Data and its terms", "Measured"):
        assert "does not say" in section(bare, title)
    assert HASH in bare
    assert "1,234,567 bytes" in bare


def test_a_full_card_is_told_in_full() -> None:
    full = page(
        limits=("Not in the dark.",), trained_on=("Some faces: CC0",), licence="MIT", created="2026-01-02",
        emolens_version="9.9", metrics={"held-out": MEASURED},
    )  # fmt: skip
    assert "- Not in the dark." in section(full, "Limits")
    assert "- Some faces: CC0" in section(full, "Data and its terms")
    assert "| licence | MIT |" in full
    assert "| made | 2026-01-02, with emolens 9.9 |" in full
    told = section(full, "Measured")
    assert "### Held-out" in told
    assert "| accuracy | 0.750 |" in told
    assert "| happy | 0.900 | 0.800 | 100 |" in told
    assert "| dark | 60 | 0.600 |" in told


def test_intervals_stand_beside_the_figures_that_have_them() -> None:
    measured = {**MEASURED, "intervals": {"accuracy": [0.71, 0.79], "vote_ece": "wide", "n": [1]}}
    told = section(page(metrics={"held-out": measured}), "Measured")
    assert "| accuracy | 0.750 | 0.710 to 0.790 |" in told
    assert "| vote ece | 0.020 |  |" in told


def test_bias_names_the_extremes_and_what_nobody_measured() -> None:
    bias = section(page(metrics={"held-out": MEASURED}), "Bias")
    assert "recall from 0.100 (sad, 20 samples, too few to tell) to 0.800 (happy, 100 samples)" in bias
    assert "accuracy from 0.600 (dark, 60 samples) to 0.900 (bright, 60 samples)" in bias
    for bare in (bias, section(page(), "Bias")):
        assert "Not measured" in bare
        assert "skin tone" in bare


@pytest.mark.parametrize("kind", ["face", "scene", "emoji", "generic", "detector"])
def test_every_kind_of_model_says_what_it_must_not_be_used_for(kind: str) -> None:
    told = section(page(kind=kind, objective="detection" if kind == "detector" else "distribution"), "Responsible use")
    for reference in ("(EU) 2024/1689", "Art. 5(1)(f)", "Art. 50(3)", "Annex III", "medical or safety reasons"):
        assert reference in told
    assert ("Barrett et al., 2019" in told) == (kind == "face")


def test_slices_of_models_with_several_labels_are_compared_too() -> None:
    slices = {"dark": {"n": 60, "subset_accuracy": 0.2}, "bright": {"n": 60, "subset_accuracy": 0.4}}
    bias = section(page(objective="multilabel", metrics={"held-out": {"slices": slices}}), "Bias")
    assert "subset accuracy from 0.200 (dark, 60 samples) to 0.400" in bias


def test_calibration_shows_before_and_after_and_when_an_answer_is_unsure() -> None:
    fitted = Calibration(
        method="temperature", fitted_on="held-out rows", samples=4321,
        before={"nll": 0.9, "ece": 0.2}, after={"nll": 0.8, "ece": 0.1},
    )  # fmt: skip
    rule = Abstention(threshold=0.6, risk=0.1, coverage=0.72, fitted_on="held-out rows")
    told = section(page(calibration=fitted, abstention=rule), "Calibration")
    assert "temperature, fitted on held-out rows" in told
    assert "4,321 samples" in told
    assert "| nll | 0.9000 | 0.8000 |" in told
    assert "under 0.600 is marked as unsure" in told
    assert "72.0% of the answers are not, and 10.0% of those are wrong" in told


def test_what_the_export_changed_is_told() -> None:
    parity = {"form": "onnx-int8", "crops": 512, "max_difference": 0.0629, "mean_difference": 0.0017, "agreement": 0.99}
    assert "differ from the trained network's by 0.0017 on average and 0.063 at most, and 99.0% of" in page(
        parity=parity
    )
    assert "differ" not in page().partition("## Intended use")[0]


def test_of_an_import_it_is_told_against_what_it_was_held() -> None:
    parity = {"form": "import", "crops": 8, "max_difference": 1e-6, "mean_difference": 1e-7, "agreement": 1}
    assert "over 8 random images its probabilities differ from the original's by 1e-07" in page(parity=parity)


def test_a_temperature_without_a_record_is_said_to_have_none() -> None:
    assert "divided by 1.5" in section(page(temperature=1.5), "Calibration")
    assert section(page(), "Calibration").startswith("None")


def test_the_contract_is_enough_for_a_client_in_any_language() -> None:
    contract = section(page(temperature=1.25, thresholds={"sad": 0.5}, crop={"margin": 0.1}), "Input and output")
    assert "uint8, N x 48 x 64 x 1" in contract
    assert "square" in contract
    assert "10%" in contract
    assert "64 x 48" in contract
    assert "float32, N x 2, in this order: happy, sad" in contract
    assert "divide the logits by 1.25, take the softmax" in contract
    assert "0.35 on" not in contract
    assert "0.35 (sad 0.5)" in contract


@pytest.mark.parametrize(
    ("fields", "steps"),
    [
        ({"objective": "multilabel"}, "the sigmoid of each."),
        ({"calibration": {"method": "vector", "scale": (1, 2), "shift": (0, 1)}}, "`calibration.scale`"),
        (
            {"calibration": {"method": "isotonic", "steps": [{"x": [0, 1], "y": [0, 1]}] * 2}},
            "divide them by their sum",
        ),
    ],
)
def test_every_way_to_probabilities_is_told(fields: dict[str, Any], steps: str) -> None:
    if "calibration" in fields:
        fields["calibration"] |= {"fitted_on": "rows", "samples": 5}
    assert steps in section(page(**fields), "Input and output")


def test_colour_models_take_rgb_and_models_of_scenes_the_whole_image() -> None:
    contract = section(page(kind="scene", input={"height": 9, "width": 9, "channels": 3}), "Input and output")
    assert "RGB" in contract
    assert "whole image" in contract
    assert "grey" not in contract


def test_a_model_of_features_says_what_makes_them() -> None:
    hog = section(page(features={"step": "hog", "cell": 8}), "Input and output")
    assert "`features`: float32, N x their number" in hog
    assert "the step `hog` of emolens, cell 8, of crops of uint8, 48 x 64 x 1" in hog
    network = {"step": "embedding", "model": "faces.onnx", "sha256": "0" * 64}
    assert f"made by faces.onnx, sha256 {'0' * 64}" in section(page(features=network), "Input and output")


def test_a_detectors_page_tells_of_boxes_and_of_no_calibration() -> None:
    told = page(kind="detector", labels=("face",), objective="detection", threshold=0.52)
    assert headings(told, 2) == [title for title in SECTIONS if title != "Calibration"]
    assert "0.52 or more" in section(told, "Input and output")


def test_a_model_that_is_not_here_yet_has_a_page_of_what_is_known(monkeypatch, tmp_path) -> None:
    monkeypatch.setenv("EMOLENS_MODELS", str(tmp_path))
    entry = zoo.entry("yunet")
    known = entry_page(entry)
    assert headings(known, 1) == ["yunet"]
    for part in (entry.sha256, entry.licence, entry.url, "emolens models pull yunet", "Art. 5(1)(f)"):
        assert part in known
    entry.path.write_bytes(b"")
    assert "models pull" not in entry_page(entry)


HOSTILE = "a\n\n# Safe to use\n\n| x | y |\n|---|---|\n<b>\x1b[2J`` [link](http://evil.example) \u202e"


def test_no_text_of_a_card_becomes_structure_or_steers_a_terminal() -> None:
    measured = {HOSTILE: {HOSTILE: 1, "per_class": {HOSTILE: {HOSTILE: 0.5, "recall": 1.0}, "sad": {"recall": 0.0}}}}
    hostile = page(
        name=HOSTILE[:99], version=HOSTILE, labels=(HOSTILE, "sad"), limits=(HOSTILE,), trained_on=(HOSTILE,),
        licence=HOSTILE, created=HOSTILE, emolens_version=HOSTILE, metrics=measured, thresholds={HOSTILE: 0.1},
        calibration={
            "method": "temperature", "fitted_on": HOSTILE, "samples": 1, "before": {HOSTILE: 1}, "after": {HOSTILE: 1}
        },
        abstention={"threshold": 0.1, "risk": 0.1, "coverage": 0.1, "fitted_on": HOSTILE},
        parity={"form": HOSTILE, "crops": 1, "max_difference": 0, "mean_difference": 0, "agreement": 1},
    )  # fmt: skip
    assert headings(hostile, 2) == SECTIONS
    assert len(headings(hostile, 3)) == 1
    assert all(sign.isprintable() or sign == "\n" for sign in hostile)
    tokens = READER.parse(hostile)
    children = [child for token in tokens for child in token.children or []]
    links = {child.attrs["href"] for child in children if child.type == "link_open"}
    assert not any("evil" in str(link) for link in links)
    assert not any(token.type.startswith("html") for token in [*tokens, *children])


@pytest.mark.parametrize(
    "metrics",
    [
        {"a": 1, "b": "text", "c": None, "d": [1, 2]},
        {"held-out": {"per_class": [1], "slices": {"dark": 3, "bright": {"n": "many"}}, "accuracy": True}},
        {"held-out": {"n": 10**400, "nll": 1e300, "per_class": {"happy": {}, "sad": {"recall": 1}}}},
        {"": {}},
    ],
)
def test_metrics_of_any_shape_make_a_page(metrics: dict[str, Any]) -> None:
    assert headings(page(metrics=metrics), 2) == SECTIONS


def test_the_embedded_models_have_pages_that_tell_everything() -> None:
    for name, path in zoo.embedded().items():
        about = zoo.card_of(path)
        told = card_page(about, HASH, path.stat().st_size)
        assert "does not say" not in told, name
        assert len(re.findall("^### ", told, re.MULTILINE)) == len(about.metrics)
