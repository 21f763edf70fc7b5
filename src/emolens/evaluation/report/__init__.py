"""An evaluation as one page that people can read, and its plots."""

from emolens.evaluation.report.page import write_report

__all__ = ["write_report"]
