"""The risk-coverage curve: how often the model is wrong where it answers, when it may be unsure."""

import numpy as np
from matplotlib.figure import Figure

from emolens.evaluation.abstention import RiskCoverage
from emolens.evaluation.plots.style import BLUE, GREY, new_figure, shares


def risk_coverage_figure(curve: RiskCoverage) -> Figure:
    """The curve between guessing whom to answer and knowing it."""
    overall = float(curve.risk[-1])
    coverage = np.linspace(0.001, 1, 1000)
    figure = new_figure(6.4, 4.2)
    axes = figure.add_subplot()
    axes.plot((0, 1), (overall, overall), color=GREY, linestyle="--", linewidth=1.2, label="if it could not tell")
    axes.plot(curve.coverage, curve.risk, color=BLUE, label="the model")
    perfect = np.maximum(0, 1 - (1 - overall) / coverage)
    axes.plot(coverage, perfect, color=GREY, linestyle=":", linewidth=1.2, label="if it knew when it is wrong")
    shares(axes, "coverage: share of samples that are answered", "risk: share of wrong ones among them")
    # The first few answers are noise: one that is wrong would be all of them.
    axes.set(ylim=(0, min(1, max(1.25 * overall, float(curve.risk[curve.coverage >= 0.02].max()), 0.01))))
    axes.legend(loc="upper left")
    return figure
