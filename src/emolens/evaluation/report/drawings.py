"""The plots of an evaluation, as files."""

import io
from collections.abc import Iterator
from pathlib import Path

from matplotlib.figure import Figure

from emolens.evaluation.evaluate import Evaluation
from emolens.evaluation.plots.confusion import confusion_figure
from emolens.evaluation.plots.precision_recall import precision_recall_figure
from emolens.evaluation.plots.reliability import reliability_figure
from emolens.evaluation.plots.risk_coverage import risk_coverage_figure
from emolens.evaluation.plots.slices import slices_figure
from emolens.evaluation.plots.style import plot_style
from emolens.evaluation.report.findings import Findings
from emolens.files import written_whole

_DOTS_PER_INCH = 150


def save_plots(evaluation: Evaluation, findings: Findings, folder: Path) -> dict[str, bytes]:
    """Draws what there is to draw, each as `NAME.svg` and `NAME.png`.

    Returns:
        The content of the SVG by name of the plot.
    """
    with plot_style():
        return {name: _save(figure, folder, name) for name, figure in _figures(evaluation, findings)}


def _figures(evaluation: Evaluation, findings: Findings) -> Iterator[tuple[str, Figure]]:
    metrics = evaluation.metrics
    if "confusion" in metrics:
        yield "confusion", confusion_figure(metrics["confusion"], evaluation.dataset.labels)
    if findings.diagrams:
        yield "reliability", reliability_figure(findings.diagrams)
    if findings.risk is not None:
        yield "risk_coverage", risk_coverage_figure(findings.risk)
    if findings.curves:
        yield "precision_recall", precision_recall_figure(findings.curves)
    if findings.slices:
        key, name = findings.slice_figure
        yield "slices", slices_figure(findings.slices, metrics[key], name)


def _save(figure: Figure, folder: Path, name: str) -> bytes:
    for kind in ("png", "svg"):
        drawn = io.BytesIO()
        # Without the date, so that the same evaluation makes the same file.
        figure.savefig(drawn, format=kind, dpi=_DOTS_PER_INCH, metadata={"Date": None} if kind == "svg" else None)
        with written_whole(folder / f"{name}.{kind}") as unfinished:
            unfinished.write_bytes(drawn.getvalue())
    return drawn.getvalue()
