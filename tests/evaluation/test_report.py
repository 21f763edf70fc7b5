"""The report is one valid page that loads nothing, says what was measured, and takes nothing for markup."""

import base64
import io
import re
from collections.abc import Sequence
from dataclasses import replace
from html.parser import HTMLParser
from pathlib import Path
from xml.etree import ElementTree

import numpy as np
import pytest
from PIL import Image

from emolens.data.samples import Dataset, Objective, Sample
from emolens.evaluation.evaluate import Evaluation
from emolens.evaluation.metrics import compute_metrics, compute_multilabel_metrics
from emolens.evaluation.report import write_report
from emolens.evaluation.report.findings import find
from emolens.evaluation.report.words import summary
from fer_tables import face_png

VOID = {"meta", "img", "br", "hr", "link", "input"}
LABELS = ("happy", "sad", "angry")


class Page(HTMLParser):
    """Refuses tags that do not match, and collects what is there.

    Attributes:
        tags: every element with its attributes.
        text: what a reader sees.
        rows: the cells of every row of a table.
    """

    def __init__(self, source: str) -> None:
        super().__init__()
        self.tags: list[tuple[str, dict[str, str | None]]] = []
        self.rows: list[list[str]] = []
        self._open: list[str] = []
        self._text: list[str] = []
        self.feed(source)
        self.close()
        assert not self._open
        self.text = " ".join("".join(self._text).split())

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.tags.append((tag, dict(attrs)))
        assert len(dict(attrs)) == len(attrs), "no attribute stands twice"
        self._open += [] if tag in VOID else [tag]
        self.rows += [[]] if tag == "tr" else []
        if tag in ("td", "th"):
            self.rows[-1].append("")

    def handle_endtag(self, tag: str) -> None:
        assert self._open.pop() == tag

    def handle_data(self, data: str) -> None:
        if "style" not in self._open:
            self._text.append(data)
        if {"td", "th"} & set(self._open):
            self.rows[-1][-1] += data

    def row(self, name: str) -> list[str]:
        return next(cells for cells in self.rows if cells[0] == name)


def evaluation(
    probabilities: Sequence[Sequence[float]],
    targets: Sequence[Sequence[float]],
    labels: tuple[str, ...] = LABELS,
    objective: Objective = "distribution",
    answered: Sequence[bool] | None = None,
) -> Evaluation:
    predicted, wanted = np.array(probabilities, np.float32), np.array(targets, np.float32)
    samples = tuple(Sample(f"row {i}", face_png(i), target, "test") for i, target in enumerate(wanted))
    metrics = (
        compute_metrics(predicted, wanted, labels, answered)
        if objective == "distribution"
        else compute_multilabel_metrics(predicted, wanted, labels, [0.5] * len(labels))
    )
    return Evaluation(
        {"name": "tiny", "version": "1", "sha256": "5a" * 32},
        Dataset("faces", labels, samples, {"leak": 2}, objective=objective),
        predicted,
        np.ones(len(predicted), bool) if answered is None else np.array(answered),
        metrics,
        "2026-11-21T12:00:00+00:00",
    )


def answers_to(*targets: Sequence[float]) -> Evaluation:
    """Of every three samples the model is right about one, rather sure of it, and less and less of the others."""
    rows = 12
    predicted = [[0.9, 0.06, 0.04], *([0.7 - row / 100, 0.2 + row / 100, 0.1] for row in range(1, rows))]
    return evaluation(predicted, [targets[row % len(targets)] for row in range(rows)])


def page_of(measured: Evaluation, folder: Path) -> Page:
    path = write_report(measured, folder)
    assert path == folder / "report.html"
    return Page(path.read_text(encoding="utf-8"))


@pytest.fixture(scope="module")
def soft(tmp_path_factory: pytest.TempPathFactory) -> tuple[Page, Path]:
    measured = answers_to([0.6, 0.4, 0], [0.1, 0.8, 0.1], [0, 0.5, 0.5 + 1e-6])
    measured.metrics["intervals"] = {"accuracy": [0.2, 0.475], "nll": [1, 2]}
    measured.metrics["slices"] = {"dark": {"n": 400, "accuracy": 0.5, "kl": 0.25}, "age: 7": {"n": 4, "accuracy": 1.0}}
    samples = tuple(replace(one, metadata={"age": "7", "name": one.name}) for one in measured.dataset.samples)
    folder = tmp_path_factory.mktemp("soft")
    return page_of(replace(measured, dataset=replace(measured.dataset, samples=samples)), folder), folder


def test_the_page_loads_nothing_and_runs_nothing(soft: tuple[Page, Path]) -> None:
    page, _ = soft
    sources = [value for _, attrs in page.tags for name, value in attrs.items() if name in ("src", "href", "srcset")]
    assert len(sources) == 5 + 8, "five plots and the mistakes"
    assert all(source is not None and source.startswith("data:image/") for source in sources)
    assert not {"script", "link", "iframe", "object", "form"} & {tag for tag, _ in page.tags}
    policies = [attrs["content"] for tag, attrs in page.tags if attrs.get("http-equiv") == "Content-Security-Policy"]
    assert policies == ["default-src 'none'; img-src data:; style-src 'unsafe-inline'"]


def test_every_plot_is_a_picture_and_a_drawing_that_loads_nothing(soft: tuple[Page, Path]) -> None:
    page, folder = soft
    names = {"confusion", "reliability", "risk_coverage", "precision_recall", "slices"}
    assert {path.name for path in folder.iterdir()} == {
        "report.html", *(f"{name}.{kind}" for name in names for kind in ("png", "svg")),
    }  # fmt: skip
    shown = [attrs["src"] for tag, attrs in page.tags if attrs.get("class") == "plot"]
    for name in names:
        Image.open(folder / f"{name}.png").load()
        drawing = (folder / f"{name}.svg").read_bytes()
        ElementTree.fromstring(drawing)
        links = re.findall(r'(?:href|src)="([^"]*)"', drawing.decode())
        assert all(link.startswith(("#", "data:")) for link in links)
        assert f"data:image/svg+xml;base64,{base64.b64encode(drawing).decode()}" in shown


def test_the_figures_are_there_with_their_intervals(soft: tuple[Page, Path]) -> None:
    page, _ = soft
    assert "tiny 1 on faces" in page.text
    assert "12 samples of test" in page.text
    assert "Left out: 2 leak." in page.text
    assert "sha256 5a5a" in page.text
    assert page.row("accuracy")[1:3] == ["33.3\xa0%", "20.0\xa0% to 47.5\xa0%"]
    assert page.row("NLL")[2] == "1.000 to 2.000"
    assert page.row("Brier score")[2] == ""
    assert page.row("angry")[1:4] == ["0.0\xa0%"] * 3


def test_votes_are_told_from_being_right(soft: tuple[Page, Path], tmp_path: Path) -> None:
    page, _ = soft
    assert "Such a predictor has an ECE of 0.367" in page.text, "1 - (0.6 + 0.8 + 0.5) / 3"
    assert "ECE against votes" in page.text
    assert "true: sad 80\xa0%, happy 10\xa0%, angry 10\xa0%".replace("\xa0", " ") in page.text
    hard = page_of(answers_to([1, 0, 0], [0, 1, 0]), tmp_path)
    assert "predictor" not in hard.text
    assert "votes" not in hard.text
    assert "Slices" not in hard.text
    assert "true: sad" in hard.text


def test_slices_have_their_samples_and_intervals_and_what_has_none_is_named(soft: tuple[Page, Path]) -> None:
    page, _ = soft
    assert page.row("dark") == ["dark", "400", "50.0\xa0%", "45.1\xa0% to 54.9\xa0%", "0.250", ""]
    assert page.row("age: 7")[4:] == ["–", "few samples"]
    assert "too many, or too long: name." in page.text


def test_mistakes_come_the_most_confident_first_and_the_answers_that_cost_nothing_are_counted() -> None:
    findings = find(answers_to([1, 0, 0], [0, 1, 0]))
    assert [one.name for one in findings.mistakes] == ["row 1", "row 3", "row 5", "row 7", "row 9", "row 11"]
    assert findings.mistakes[0].confidence == pytest.approx(0.69)
    assert (findings.mistakes[0].true, findings.mistakes[0].predicted) == ("sad", "happy")
    points = [(point.risk, point.coverage) for point in findings.thresholds.values() if point is not None]
    assert points == [(0, pytest.approx(1 / 12))] * 3


def test_a_mistake_shows_the_face_in_its_box_and_a_picture_that_has_vanished_is_a_note(tmp_path: Path) -> None:
    halves = np.zeros((60, 100, 3), np.uint8)
    halves[:, 50:] = 255
    Image.fromarray(halves).save(tmp_path / "halves.png")
    measured = evaluation([[0.9, 0.1, 0], [0.8, 0.2, 0], [0.7, 0.3, 0]], [[0, 1, 0]] * 3)
    first, second, third = measured.dataset.samples
    samples = (
        replace(first, image=tmp_path / "halves.png", box=(60, 10, 30, 30)),
        replace(second, image=tmp_path / "halves.png"),
        replace(third, image=tmp_path / "gone.png"),
    )
    measured = replace(measured, dataset=replace(measured.dataset, samples=samples))
    face, whole, gone = (one.picture for one in find(measured).mistakes)
    assert face is not None
    assert whole is not None
    assert gone is None
    opened = [Image.open(io.BytesIO(base64.b64decode(one.partition(",")[2]))) for one in (face, whole)]
    assert np.asarray(opened[0]).min() > 250
    assert opened[1].size == (100, 60)
    assert "the picture can no longer be read" in page_of(measured, tmp_path).text


def test_of_labels_that_may_hold_together_the_wrong_ones_are_shown(tmp_path: Path) -> None:
    predicted, wanted = [[0.9, 0.95, 0.1], [0.2, 0.02, 0.4], [0.6, 0.3, 0.2]], [[1, 0, 0], [0, 1, 0], [1, 0, 0]]
    measured = evaluation(predicted, wanted, objective="multilabel")
    measured.metrics["slices"] = {"dark": {"n": 2, "subset_accuracy": 0.5, "mean_average_precision": 0.25}}
    assert [(one.name, one.predicted, one.true) for one in find(measured).mistakes] == [
        ("row 1", "not sad", "sad"),
        ("row 0", "sad", "happy"),
    ]
    page = page_of(measured, tmp_path)
    assert {path.stem for path in tmp_path.glob("*.svg")} == {"precision_recall", "slices"}
    assert page.row("sad")[5] == "0.500", "the threshold"
    assert page.row("dark")[4] == "25.0\xa0%"
    assert page.row("subset accuracy")[1] == "33.3\xa0%"
    assert "Confusion" not in page.text
    assert "The dot is the threshold" in page.text


@pytest.mark.filterwarnings("ignore:Glyph")
def test_nothing_in_the_data_is_taken_for_markup(tmp_path: Path) -> None:
    evil = '"><script>alert(1)</script><img src=http://evil.example/x onerror=alert(1)>'
    labels = (evil, "$\\frac{", "{{ 7 * 7 }}")
    measured = evaluation([[0.9, 0.1, 0]] * 3, [[0, 1, 0]] * 3, labels)
    measured.metrics["slices"] = {f"{evil}: {evil}": {"n": 2, "accuracy": 0.5}}
    samples = tuple(replace(one, name=f"{evil}\udcff", metadata={evil: evil}) for one in measured.dataset.samples)
    dataset = replace(measured.dataset, name=evil, samples=samples, left_out={evil: 1})
    page = page_of(replace(measured, model={"name": evil, "version": evil}, dataset=dataset), tmp_path)
    assert "script" not in {tag for tag, _ in page.tags}
    assert not any(name.startswith("on") for _, attrs in page.tags for name in attrs)
    assert all(attrs["src"].startswith("data:") for tag, attrs in page.tags if tag == "img")
    assert evil in page.text
    assert "{{ 7 * 7 }}" in page.text
    for drawing in tmp_path.glob("*.svg"):
        assert all("script" not in element.tag for element in ElementTree.parse(drawing).iter())


@pytest.mark.parametrize("answered", [[True, False, True], [False, False, False]])
def test_faces_that_were_missed_are_told_and_none_of_the_mistakes(answered: list[bool], tmp_path: Path) -> None:
    predicted = [[0.9, 0.1, 0] if found else [0, 0, 0] for found in answered]
    measured = evaluation(predicted, [[0.2, 0.8, 0], [1, 0, 0], [0.8, 0.2, 0]], answered=answered)
    page = page_of(measured, tmp_path)
    assert f"in {answered.count(False)} samples it was not found" in page.text
    assert [one.name for one in find(measured).mistakes] == (["row 0"] if answered[0] else [])


def test_several_models_are_named_each_with_its_weight(tmp_path: Path) -> None:
    members = [{"name": f"model {i}", "version": "1", "sha256": f"{i}" * 64, "weight": 0.5} for i in (1, 2)]
    about = {"name": "both", "version": "2", "members": members, "tta": "flip"}
    measured = replace(answers_to([1, 0, 0]), model=about)
    page = page_of(measured, tmp_path)
    assert "both 2 on faces" in page.text
    assert "model 2 1, weight 0.500, averaged over views (flip): sha256 2222" in page.text


def test_the_same_evaluation_makes_the_same_files(tmp_path: Path) -> None:
    contents = []
    for folder in (tmp_path / "one", tmp_path / "two"):
        folder.mkdir()
        write_report(answers_to([1, 0, 0], [0, 1, 0]), folder)
        contents.append({path.name: path.read_bytes() for path in folder.iterdir()})
    assert contents[0] == contents[1]


def test_micro_f1_is_told_where_it_is_not_the_accuracy() -> None:
    assert [row["name"] for row in summary({"accuracy": 0.5, "micro_f1": 0.5, "nll": 1})] == ["accuracy", "NLL"]
    assert [row["value"] for row in summary({"micro_f1": 0.75})] == ["75.0\xa0%"]
