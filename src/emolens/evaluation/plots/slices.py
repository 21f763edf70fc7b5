"""Slices side by side, each with how far its figure may be from the true one."""

import math
from collections.abc import Mapping
from typing import NamedTuple

from matplotlib.figure import Figure

from emolens.evaluation.plots.style import BLUE, GREY, new_figure, percent, short
from emolens.evaluation.slices import FEW


class Slice(NamedTuple):
    """A share that was measured on some samples.

    Attributes:
        n: how many samples.
        share: 0 to 1, such as the accuracy.
        low: end of its 95 % interval.
        high: the other end.
    """

    n: int
    share: float
    low: float
    high: float


def slices_figure(slices: Mapping[str, Slice], overall: float, figure_name: str) -> Figure:
    """A dot and a whisker for each slice, and a line for all samples.

    Args:
        slices: by name, from the top down.
        overall: the share in all samples.
        figure_name: what the share is.
    """
    low, high = min(one.low for one in slices.values()), max(one.high for one in slices.values())
    figure = new_figure(7.2, 1.2 + 0.27 * len(slices))
    axes = figure.add_subplot()
    axes.axvline(overall, color=GREY, linestyle="--", linewidth=1.2)
    for place, one in enumerate(slices.values()):
        axes.plot((one.low, one.high), (place, place), color=BLUE, linewidth=1.4)
        axes.plot(one.share, place, "o", color=BLUE, markerfacecolor="white" if one.n < FEW else BLUE)
    names = [f"{short(name)}  (n {one.n:,})" for name, one in slices.items()]
    axes.set_yticks(range(len(slices)), names)
    tenths = math.floor(10 * min(low, overall)), math.ceil(10 * max(high, overall))
    axes.set(xlim=(tenths[0] / 10 - 0.01, tenths[1] / 10 + 0.01), ylim=(len(slices) - 0.5, -0.5))
    axes.set_xlabel(f"{figure_name}; dashed: all samples; hollow: fewer than {FEW} samples")
    axes.xaxis.set_major_formatter(percent())
    return figure
