"""How every plot looks: on white, in colours that any kind of colour vision tells apart (Okabe and Ito, 2008)."""

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any
from warnings import catch_warnings, filterwarnings

import matplotlib as mpl
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.ticker import PercentFormatter

from emolens.text import printable

BLUE, ORANGE, GREY = "#0072b2", "#d55e00", "#6b7280"

_LONGEST = 28

_STYLE: dict[Any, Any] = {
    "font.size": 10,
    "axes.titlesize": 11,
    "axes.titleweight": "bold",
    "axes.titlelocation": "left",
    "axes.spines.top": False,
    "axes.spines.right": False,
    "axes.edgecolor": GREY,
    "axes.grid": True,
    "axes.axisbelow": True,
    "grid.color": "#e5e7eb",
    "legend.frameon": False,
    "lines.linewidth": 1.8,
    "text.parse_math": False,  # a label may have a dollar sign in it
    "svg.hashsalt": "emolens",  # so that the same figures make the same file
}


@contextmanager
def plot_style() -> Iterator[None]:
    """Around drawing and saving; a letter that the font does not have is drawn as a box, without a warning."""
    with mpl.rc_context(_STYLE), catch_warnings():
        filterwarnings("ignore", message="Glyph .* missing from font", category=UserWarning)
        yield


def new_figure(width: float, height: float) -> Figure:
    """An empty figure, in inches."""
    return Figure(figsize=(width, height), layout="constrained")


def shares(axes: Axes, x: str, y: str) -> None:
    """Both axes from 0 to 100 %, with their names."""
    axes.set(xlim=(0, 1), ylim=(0, 1), xlabel=x, ylabel=y)
    for axis in (axes.xaxis, axes.yaxis):
        axis.set_major_formatter(percent())


def percent(decimals: int | None = None) -> PercentFormatter:
    """Writes a share as `40 %`, with as many decimals as the axis needs."""
    return PercentFormatter(1, decimals, " %")


def short(name: str) -> str:
    """A name from the data that may be drawn: one line of bounded length."""
    shown = printable(name[: _LONGEST + 1])
    return shown if len(shown) <= _LONGEST else f"{shown[: _LONGEST - 1]}…"
