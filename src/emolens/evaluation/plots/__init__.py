"""Pictures of what was measured."""

from emolens.evaluation.plots.confusion import Counts, draw_confusion

__all__ = ["Counts", "draw_confusion"]
