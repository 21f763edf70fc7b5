"""The page: one file that holds its own style and pictures, and loads nothing."""

import base64
from functools import cache
from importlib.resources import files
from pathlib import Path

from jinja2 import Environment, StrictUndefined, Template

from emolens import __version__
from emolens.evaluation.evaluate import Evaluation, describe_left_out
from emolens.evaluation.report.drawings import save_plots
from emolens.evaluation.report.findings import find
from emolens.evaluation.report.words import plain, share, summary
from emolens.evaluation.slices import FEW
from emolens.files import written_whole


def write_report(evaluation: Evaluation, folder: Path) -> Path:
    """Writes `report.html`, and every plot as PNG and SVG beside it.

    The page holds pictures of the dataset's samples. One that can no longer be read is a note instead.

    Args:
        evaluation: `intervals` and `slices` are shown where its metrics have them.
        folder: exists.

    Returns:
        The path of the page.
    """
    findings = find(evaluation)
    plots = save_plots(evaluation, findings, folder)
    page = _template().render(
        evaluation=evaluation,
        metrics=evaluation.metrics,
        findings=findings,
        left_out=describe_left_out(evaluation.dataset),
        summary=summary(evaluation.metrics),
        unsliced=_unsliced(evaluation),
        plots={name: f"data:image/svg+xml;base64,{base64.b64encode(svg).decode()}" for name, svg in plots.items()},
        few=FEW,
        version=__version__,
    )
    path = folder / "report.html"
    with written_whole(path) as unfinished:
        # The name of a file may hold what is no text.
        unfinished.write_text(page, encoding="utf-8", errors="backslashreplace")
    return path


def _unsliced(evaluation: Evaluation) -> list[str]:
    """The columns of the metadata that no slice is made of."""
    columns = dict.fromkeys(column for sample in evaluation.dataset.samples for column in sample.metadata)
    slices = evaluation.metrics.get("slices", {})
    return [column for column in columns if not any(name.startswith(f"{column}: ") for name in slices)]


@cache
def _template() -> Template:
    environment = Environment(autoescape=True, undefined=StrictUndefined, trim_blocks=True, lstrip_blocks=True)
    environment.filters |= {"share": share, "plain": plain}
    return environment.from_string((files(__package__) / "page.html").read_text(encoding="utf-8"))
