"""Label sets, the aliases of their names, and the projections between them."""

from collections.abc import Iterable, Sequence
from difflib import get_close_matches
from typing import Any

import numpy as np
from numpy.typing import NDArray

from emolens.errors import ConfigError

LABEL_SETS: dict[str, tuple[str, ...]] = {
    "fer7": ("angry", "disgust", "fear", "happy", "sad", "surprise", "neutral"),
    "ferplus8": ("neutral", "happy", "surprise", "sad", "angry", "disgust", "fear", "contempt"),
    "social8": ("happy", "sad", "angry", "fear", "surprise", "disgust", "neutral", "other"),
    "mikels8": ("amusement", "awe", "contentment", "excitement", "angry", "disgust", "fear", "sad"),
    "emotion6": ("angry", "disgust", "fear", "happy", "sad", "surprise"),
}

ALIASES: dict[str, str] = {
    "anger": "angry",
    "disgusted": "disgust",
    "fearful": "fear",
    "afraid": "fear",
    "scared": "fear",
    "happiness": "happy",
    "joy": "happy",
    "sadness": "sad",
    "surprised": "surprise",
    "surprisingly": "surprise",
    "neutrality": "neutral",
    "contemptuous": "contempt",
    "amused": "amusement",
    "content": "contentment",
    "excited": "excitement",
}

# Where a label goes when a label set lacks it: the nearest set of ours has room for it only under "other".
_COARSER: dict[str, str] = {"contempt": "other", "unknown": "other"}


def canonical(name: str) -> str:
    """The one name of an emotion: `"Happiness"` and `"joy"` are both `"happy"`; unknown names only lose case."""
    name = name.strip().lower()
    return ALIASES.get(name, name)


def label_set(name: str) -> tuple[str, ...]:
    """The labels of a named set.

    Raises:
        ConfigError: there is no such set; the nearest name is given.
    """
    if name not in LABEL_SETS:
        raise ConfigError(f"'{name}' is no label set{did_you_mean(name, LABEL_SETS)}")
    return LABEL_SETS[name]


def project_label(name: str, target: Sequence[str]) -> str | None:
    """The label of `target` that stands for `name`, or None where `target` has no room for it."""
    name = canonical(name)
    if name in target:
        return name
    coarser = _COARSER.get(name)
    return coarser if coarser in target else None


def project(values: NDArray[Any], source: Sequence[str], target: Sequence[str]) -> NDArray[np.float32]:
    """Carries distributions from one label set to another and renormalises them.

    Args:
        values: `(N, len(source))`, non-negative: probabilities or votes.
        source: the labels of the columns.
        target: the labels wanted; one that `source` lacks gets zero.

    Returns:
        `(N, len(target))` float32; rows sum to one, or to zero where nothing of the row has a place in `target`.
    """
    projected = regroup(values, source, target)
    total = projected.sum(axis=1, keepdims=True)
    normalised: NDArray[np.float32] = np.divide(projected, total, out=np.zeros_like(projected), where=total > 0)
    return normalised


def regroup(values: NDArray[Any], source: Sequence[str], target: Sequence[str]) -> NDArray[np.float32]:
    """As `project`, without renormalising: what goes to the same label is added up."""
    regrouped = np.zeros((len(values), len(target)), dtype=np.float32)
    for column, name in enumerate(source):
        place = project_label(name, target)
        if place is not None:
            regrouped[:, target.index(place)] += values[:, column]
    return regrouped


def describe_projection(source: Sequence[str], target: Sequence[str]) -> str:
    """Where each label goes, in words: "amusement, joy -> happy; awe -> nowhere"."""
    by_place: dict[str, list[str]] = {}
    for name in source:
        by_place.setdefault(project_label(name, target) or "nowhere", []).append(name)
    return "; ".join(f"{', '.join(names)} -> {place}" for place, names in by_place.items())


def did_you_mean(name: str, known: Iterable[str], aliases: Iterable[str] = ()) -> str:
    """What to add to "is no ...": the nearest of `known` and `aliases`, or else all of `known`."""
    known = list(known)
    nearest = get_close_matches(canonical(name), [*known, *aliases], n=1)
    return f"; did you mean '{nearest[0]}'?" if nearest else f"; there are {', '.join(known)}"
