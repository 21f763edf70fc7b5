"""Reads emotion from images and tells an application which emoji reactions fit."""

import os
from typing import TYPE_CHECKING, Any

# ONNX Runtime reports its use to its maker, and keeps an id of the machine for it, unless told before it is imported
# that it must not; what the user has set stands.
os.environ.setdefault("ORT_DISABLE_TELEMETRY", "1")

if TYPE_CHECKING:
    from emolens.policy import Policy
    from emolens.predictor import Predictor, load
    from emolens.results import Failure, Prediction

__version__ = "0.1.0"
__all__ = ["Failure", "Policy", "Prediction", "Predictor", "__version__", "load"]

_HOME = {
    "Failure": "emolens.results",
    "Policy": "emolens.policy",
    "Prediction": "emolens.results",
    "Predictor": "emolens.predictor",
    "load": "emolens.predictor",
}


def __getattr__(name: str) -> Any:
    # Lazy, so that `import emolens` costs an application nothing until it predicts.
    if name not in _HOME:
        raise AttributeError(f"module 'emolens' has no attribute {name!r}")
    from importlib import import_module

    return getattr(import_module(_HOME[name]), name)


def __dir__() -> list[str]:
    return __all__
