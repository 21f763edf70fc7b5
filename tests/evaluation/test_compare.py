"""Two evaluations are compared on the samples that both have, and only where they are about the same thing."""

import json
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from emolens.errors import DataError
from emolens.evaluation.compare import compare
from emolens.evaluation.metrics import compute_metrics, compute_multilabel_metrics
from emolens.evaluation.predictions import Predictions

LABELS = ("happy", "sad", "angry")
ROWS = 200


def answers(noise: float, rows: int = ROWS, names: tuple[str, ...] | None = None) -> Predictions:
    """Votes, and answers that are further from them the more noise there is."""
    rng = np.random.default_rng(0)
    targets = rng.multinomial(10, [0.5, 0.3, 0.2], rows).astype(np.float32) / 10
    probabilities = (1 - noise) * targets + noise * rng.dirichlet([1, 1, 1], rows)
    names = names or tuple(f"row {row}" for row in range(rows))
    return Predictions(
        names, ("test",) * rows, LABELS, targets, probabilities.astype(np.float32), np.ones(rows, np.bool_)
    )


def take(predictions: Predictions, rows: list[int]) -> Predictions:
    names, splits = (tuple(column[row] for row in rows) for column in (predictions.names, predictions.splits))
    tables = (table[rows] for table in (predictions.targets, predictions.probabilities, predictions.answered))
    return Predictions(names, splits, predictions.labels, *tables)


def save(folder: Path, predictions: Predictions, thresholds: list[float] | None = None, changed: Any = ()) -> Path:
    """What an evaluation leaves in a folder."""
    folder.mkdir()
    predictions.save(folder / "predictions.csv")
    probabilities, targets, labels = predictions.probabilities, predictions.targets, predictions.labels
    metrics = (
        compute_metrics(probabilities, targets, labels, predictions.answered)
        if thresholds is None
        else compute_multilabel_metrics(probabilities, targets, labels, thresholds)
    )
    model = {"name": folder.name, "version": "1", "sha256": "0"}
    content = {"model": model, "labels": labels, **metrics, **dict(changed)}
    (folder / "metrics.json").write_text(json.dumps(content))
    return folder / "metrics.json"


def test_every_scalar_figure_is_compared_on_all_samples_where_both_have_the_same(tmp_path):
    worse, better = answers(0.9), answers(0.5)
    found = compare(save(tmp_path / "worse", worse), save(tmp_path / "better", better))
    assert (found.models, found.shared, found.left_out) == (("worse 1", "better 1"), ROWS, (0, 0))
    wanted = [compute_metrics(one.probabilities, one.targets, LABELS) for one in (worse, better)]
    assert set(found.differences) == {name for name, value in wanted[0].items() if isinstance(value, float)}
    for name, one in found.differences.items():
        assert (one.first, one.second) == pytest.approx((wanted[0][name], wanted[1][name]), abs=1e-9)
    assert found.differences["kl"].high < 0
    assert found.differences["kl"].p < 0.01


def test_samples_that_only_one_has_are_left_out_and_order_does_not_matter(tmp_path):
    one, two = answers(0.9), answers(0.5)
    ours, theirs = take(one, list(range(150))), take(two, list(range(199, 99, -1)))
    found = compare(save(tmp_path / "a", ours), save(tmp_path / "b", theirs))
    assert (found.shared, found.left_out) == (50, (100, 50))
    both = list(range(100, 150))
    for predictions, value in ((one, found.differences["nll"].first), (two, found.differences["nll"].second)):
        shared = take(predictions, both)
        assert value == pytest.approx(compute_metrics(shared.probabilities, shared.targets, LABELS)["nll"])


def test_samples_of_one_name_are_paired_in_their_order_within_the_split(tmp_path):
    one = replace(answers(0.9, 4, ("same",) * 4), splits=("train", "test", "test", "test"))
    two = take(replace(answers(0.5, 4, ("same",) * 4), splits=one.splits), [1, 2])
    found = compare(save(tmp_path / "a", one), save(tmp_path / "b", two))
    assert (found.shared, found.left_out) == (2, (2, 0))
    second = compute_metrics(two.probabilities, two.targets, LABELS)
    assert found.differences["nll"].second == pytest.approx(second["nll"])


def test_labels_in_another_order_are_the_same_labels(tmp_path):
    one = answers(0.9)
    turned = replace(one, labels=LABELS[::-1], targets=one.targets[:, ::-1], probabilities=one.probabilities[:, ::-1])
    found = compare(save(tmp_path / "a", one), save(tmp_path / "b", turned))
    assert all(abs(one.second - one.first) < 1e-12 for one in found.differences.values())


def test_a_face_that_one_model_did_not_get_to_see_counts_as_its_mistake(tmp_path):
    crops = answers(0.2)
    photos = replace(crops, answered=np.arange(ROWS) % 4 > 0)
    found = compare(save(tmp_path / "crops", crops), save(tmp_path / "photos", photos)).differences
    assert found["accuracy"].high < -0.1
    assert found["accuracy"].p < 0.01


def test_models_of_several_labels_are_compared_at_their_own_thresholds(tmp_path):
    one = answers(0.5)
    present = replace(one, targets=(one.targets > 0.25).astype(np.float32))
    found = compare(save(tmp_path / "a", present, [0.5] * 3), save(tmp_path / "b", present, [0.5, 0.3, 0.2]))
    wanted = compute_multilabel_metrics(present.probabilities, present.targets, LABELS, [0.5, 0.3, 0.2])
    assert found.differences["macro_f1"].second == pytest.approx(wanted["macro_f1"])
    assert found.differences["macro_f1"].p < 0.01
    assert found.differences["mean_average_precision"].p == 1


def refusal(first: Path, second: Path) -> str:
    with pytest.raises(DataError) as refused:
        compare(first, second)
    return str(refused.value)


def test_evaluations_that_are_not_about_the_same_thing_are_refused(tmp_path):
    one = answers(0.5)
    first = save(tmp_path / "a", one)
    others = {
        "labels": (replace(one, labels=("happy", "sad", "fear")), None, "about one label each of happy, sad, fear"),
        "kind": (one, [0.5] * 3, "about several labels at once of happy, sad, angry"),
        "names": (replace(one, names=tuple(f"other {row}" for row in range(ROWS))), None, "share no sample"),
        "splits": (replace(one, splits=("train",) * ROWS), None, "share no sample"),
        "targets": (
            replace(one, targets=np.vstack([one.targets[:7], np.eye(3, dtype=np.float32)[[0]], one.targets[8:]])),
            None,
            "disagree about what is true of 1 of 200 shared samples, such as 'row 7'",
        ),
    }
    for name, (predictions, thresholds, said) in others.items():
        assert said in refusal(first, save(tmp_path / name, predictions, thresholds))


def test_without_predictions_it_says_what_writes_them(tmp_path):
    first, second = save(tmp_path / "a", answers(0.5)), save(tmp_path / "b", answers(0.9))
    second.with_name("predictions.csv").unlink()
    said = refusal(first, second)
    assert f"{tmp_path / 'b' / 'predictions.csv'} is missing; run `emolens evaluate" in said


@pytest.mark.parametrize(
    ("changed", "what"),
    [({"accuracy": 0.123}, "accuracy"), ({"labels": ["happy", "sad"]}, "labels"), ({"thresholds": {}}, "labels")],
)
def test_predictions_of_another_evaluation_are_refused(tmp_path, changed, what):
    first, second = save(tmp_path / "a", answers(0.5)), save(tmp_path / "b", answers(0.5), changed=changed)
    assert f"not of the same evaluation: their {what} differ; run `emolens evaluate" in refusal(first, second)


@pytest.mark.parametrize(
    ("content", "said"),
    [
        (b"{", "Invalid JSON"),
        (b"[]", "Input should be an object"),
        (b"\xff", "Invalid JSON"),
        (b"[" * 100_000, "Invalid JSON"),
        (b'{"labels": ["a"]}', "model: Field required"),
        (b'{"labels": [], "model": {"name": "a", "version": "1"}}', "labels: Tuple should have at least 1 item"),
    ],
)
def test_what_is_no_metrics_file_is_refused(tmp_path, content, said):
    path = tmp_path / "metrics.json"
    path.write_bytes(content)
    assert said in refusal(path, path)
    assert "give the metrics.json that" in refusal(path, path)


def test_a_folder_or_nothing_is_refused(tmp_path):
    for path in (tmp_path, tmp_path / "nowhere.json"):
        assert "give the metrics.json that `emolens evaluate ... --out` wrote" in refusal(path, path)
