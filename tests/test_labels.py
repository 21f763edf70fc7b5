"""Emotions have one name, and distributions keep their meaning from one label set to another."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra.numpy import arrays

from emolens.errors import ConfigError
from emolens.labels import (
    ALIASES,
    LABEL_SETS,
    canonical,
    describe_projection,
    did_you_mean,
    label_set,
    project,
    project_label,
)

FERPLUS = (*LABEL_SETS["ferplus8"], "unknown")

sets = st.sampled_from([*LABEL_SETS.values(), FERPLUS])


@pytest.mark.parametrize(
    ("name", "meant"),
    [
        ("Happiness", "happy"),
        (" joy ", "happy"),
        ("ANGER", "angry"),
        ("Sadness", "sad"),
        ("happy", "happy"),
        ("Pride", "pride"),
    ],
)
def test_an_emotion_has_one_name(name, meant):
    assert canonical(name) == meant


@given(st.text())
def test_the_one_name_of_a_name_is_its_own(name):
    assert canonical(canonical(name)) == canonical(name)


def test_aliases_lead_to_labels_that_some_set_has_and_hide_none():
    labels = {label for labels in LABEL_SETS.values() for label in labels}
    assert set(ALIASES.values()) <= labels
    assert not set(ALIASES) & labels


@pytest.mark.parametrize("labels", LABEL_SETS.values(), ids=LABEL_SETS)
def test_every_set_names_each_emotion_once_and_canonically(labels):
    assert len(set(labels)) == len(labels)
    assert [canonical(label) for label in labels] == list(labels)


def test_a_misspelt_set_gets_the_nearest_name():
    assert label_set("fer7") == LABEL_SETS["fer7"]
    with pytest.raises(ConfigError, match="'social9' is no label set; did you mean 'social8'"):
        label_set("social9")


def test_the_nearest_name_is_suggested_or_all_are_listed():
    assert did_you_mean("hapy", LABEL_SETS["fer7"]) == "; did you mean 'happy'?"
    assert did_you_mean("hapiness", ("happy",), ("happiness",)) == "; did you mean 'happiness'?"
    assert did_you_mean("xyzzy", ("happy", "sad"), ("joy",)) == "; there are happy, sad"


def test_what_a_set_has_no_room_for_goes_to_other_or_nowhere():
    social8, fer7 = LABEL_SETS["social8"], LABEL_SETS["fer7"]
    assert [project_label(name, social8) for name in ("contempt", "unknown", "Happiness")] == [
        "other",
        "other",
        "happy",
    ]
    assert [project_label(name, fer7) for name in ("contempt", "other", "awe")] == [None, None, None]


def test_votes_become_the_distribution_of_the_wanted_set():
    votes = np.array([[0, 3, 0, 0, 0, 0, 0, 1, 1]])
    projected = project(votes, FERPLUS, LABEL_SETS["social8"])
    assert dict(zip(LABEL_SETS["social8"], projected[0].tolist(), strict=True)) == pytest.approx(
        {**dict.fromkeys(LABEL_SETS["social8"], 0), "happy": 0.6, "other": 0.4}
    )


@st.composite
def votes_over(draw: st.DrawFn) -> tuple[np.ndarray, tuple[str, ...], tuple[str, ...]]:
    source, target = draw(sets), draw(sets)
    shape = (draw(st.integers(0, 5)), len(source))
    return draw(arrays(np.float32, shape, elements=st.floats(0, 16, width=16))), source, target


@given(votes_over())
def test_projected_rows_sum_to_one_or_have_no_place_at_all(case):
    values, source, target = case
    projected = project(values, source, target)
    places = [column for column, name in enumerate(source) if project_label(name, target)]
    assert projected.shape == (len(values), len(target))
    np.testing.assert_allclose(projected.sum(axis=1), values[:, places].any(axis=1).astype(float), atol=1e-5)
    assert (projected >= 0).all()


@given(votes_over())
def test_labels_that_both_sets_have_keep_their_proportions(case):
    values, source, target = case
    shared = [name for name in source if name in target and name != "other"]
    before = values[:, [source.index(name) for name in shared]]
    after = project(values, source, target)[:, [target.index(name) for name in shared]]
    np.testing.assert_allclose(
        before * after.sum(axis=1, keepdims=True), after * before.sum(axis=1, keepdims=True), atol=1e-4
    )


@given(votes_over())
def test_projecting_to_the_same_set_only_normalises(case):
    values, source, _ = case
    total = values.sum(axis=1, keepdims=True)
    wanted = np.divide(values, total, out=np.zeros_like(values), where=total > 0)
    np.testing.assert_allclose(project(values, source, source), wanted, atol=1e-6)


def test_a_projection_says_where_every_label_goes():
    told = describe_projection(("contempt", "happy", "unknown", "joyless"), label_set("social8"))
    assert told == "contempt, unknown -> other; happy -> happy; joyless -> nowhere"
