"""The confusion matrix: what is taken for what."""

from collections.abc import Sequence

import numpy as np
from matplotlib.backends.backend_agg import FigureCanvasAgg
from matplotlib.figure import Figure
from PIL import Image

from emolens.evaluation.plots.style import new_figure, percent, plot_style, short

Counts = Sequence[Sequence[int]]
"""`(L, L)` counts; rows are the truth, columns the prediction."""

# With more labels the counts in a confusion matrix could not be read.
_MOST_COUNTED, _CELL = 40, 0.62


def confusion_figure(matrix: Counts, labels: Sequence[str]) -> Figure:
    """The count in each cell, and in its colour the share of its row.

    Args:
        matrix: `(L, L)` counts; rows are the truth, columns the prediction.
        labels: the L names.
    """
    counts = np.asarray(matrix)
    shares = counts / np.maximum(counts.sum(axis=1, keepdims=True), 1)
    side = 2.2 + _CELL * min(len(labels), _MOST_COUNTED)
    figure = new_figure(side + 0.9, side)
    figure.set_layout_engine("compressed")  # cells are square, and else the room for names would be reckoned without
    axes = figure.add_subplot()
    axes.grid(False)
    colours = axes.imshow(shares, cmap="Blues", vmin=0, vmax=1)
    figure.colorbar(colours, axes.inset_axes((1.03, 0, 0.035, 1)), label="share of the row", format=percent())
    names = [short(label) for label in labels]
    axes.set_xticks(range(len(labels)), names, rotation=45, ha="right", rotation_mode="anchor")
    axes.set_yticks(range(len(labels)), names)
    axes.set(xlabel="predicted", ylabel="true")
    for (row, column), count in np.ndenumerate(counts) if len(labels) <= _MOST_COUNTED else ():
        ink = "white" if shares[row, column] > 0.5 else "black"
        axes.text(column, row, f"{count:,}", color=ink, ha="center", va="center", fontsize=9)
    return figure


def draw_confusion(matrix: Counts, labels: Sequence[str]) -> Image.Image:
    """A confusion matrix as a picture; the arguments are those of `confusion_figure`."""
    with plot_style():
        canvas = FigureCanvasAgg(confusion_figure(matrix, labels))
        canvas.draw()  # type: ignore[no-untyped-call]
        return Image.fromarray(np.asarray(canvas.buffer_rgba())).convert("RGB")  # type: ignore[no-untyped-call]
