"""Experiment trackers: TensorBoard, MLflow and Weights & Biases are told the recipe, the curves and what came of it."""

from emolens.training.trackers.trackers import Trackers

__all__ = ["Trackers"]
