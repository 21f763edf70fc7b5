"""What a card has measured, as bars that people read."""

from collections.abc import Mapping
from typing import Any

from emolens.ui.markup import bars


def per_emotion(metrics: Mapping[str, Any]) -> dict[str, str]:
    """Per measurement that tells it, the share of each emotion's faces that was recognised, as HTML.

    Args:
        metrics: a card's; anything may stand in it, and what is no share is left out.
    """
    charts = {}
    for source, measured in metrics.items():
        per_class = measured.get("per_class") if isinstance(measured, Mapping) else None
        shares = _recalls(per_class) if isinstance(per_class, Mapping) else {}
        if shares:
            charts[source] = bars(shares, f"Share of the faces of each emotion that was recognised, {source}")
    return charts


def _recalls(per_class: Mapping[str, Any]) -> dict[str, float]:
    recalls = {label: one.get("recall") for label, one in per_class.items() if isinstance(one, Mapping)}
    return {label: value for label, value in recalls.items() if isinstance(value, int | float) and 0 <= value <= 1}
