"""Answers of models beside targets, random and degenerate, for tests of figures."""

import numpy as np
from hypothesis import strategies as st


def names(count: int) -> tuple[str, ...]:
    return tuple(f"label{index}" for index in range(count))


def normalised(values: np.ndarray) -> np.ndarray:
    return values / values.sum(axis=1, keepdims=True)


@st.composite
def distributions(draw: st.DrawFn, rows: int, columns: int) -> np.ndarray:
    """Continuous, full of ties and zeros, one-hot, all alike, or with columns that are never used."""
    rng = np.random.default_rng(draw(st.integers(0, 2**32 - 1)))
    kind = draw(st.sampled_from(["continuous", "votes", "one_hot", "constant", "empty_class"]))
    if kind == "votes":
        return rng.multinomial(8, np.full(columns, 1 / columns), rows) / 8
    if kind == "one_hot":
        return np.eye(columns)[rng.integers(0, columns, rows)]
    values = rng.dirichlet(np.full(columns, 0.5), rows)
    if kind == "constant":
        values[:] = values[0]
    if kind == "empty_class" and columns > 1:
        values[:, 0] = 0
    return normalised(values + 1e-12)


@st.composite
def cases(draw: st.DrawFn, least_labels: int = 1) -> tuple[np.ndarray, np.ndarray]:
    """Probabilities and targets of single-label rows."""
    rows, columns = draw(st.integers(1, 40)), draw(st.integers(least_labels, 8))
    return draw(distributions(rows, columns)), draw(distributions(rows, columns))


@st.composite
def multilabel_cases(draw: st.DrawFn) -> tuple[np.ndarray, np.ndarray]:
    """Probabilities, some of them tied, certain or all alike, and labels that are present: any, none or all."""
    rng = np.random.default_rng(draw(st.integers(0, 2**32 - 1)))
    rows, columns = draw(st.integers(1, 40)), draw(st.integers(2, 6))
    scores = rng.random((rows, columns))
    kind = draw(st.sampled_from(["continuous", "tied", "constant"]))
    if kind == "tied":
        scores = np.round(scores * 4) / 4
    if kind == "constant":
        scores[:] = scores[0]
    present = rng.random((rows, columns)) < rng.choice([0, 0.2, 0.5, 1], columns)
    return scores, present.astype(np.float64)
