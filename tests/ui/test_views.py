"""Every part of the page, run as Streamlit runs it, without a browser."""

from collections.abc import Iterator
from pathlib import Path

import pytest
import streamlit
from streamlit.testing.v1 import AppTest

from emolens import zoo
from emolens.feedback import Store
from emolens.results import Prediction, Reactions
from emolens.ui.backend import DETECTOR, WHOLE
from emolens.ui.views.compare import compared
from models import make_model_file

pytestmark = pytest.mark.slow

PAGE = """
import streamlit as st
from emolens.ui.pictures import sample
from emolens.ui.views import {view}
if {photo!r}:
    st.session_state.setdefault("picture", sample({photo!r}))
{view}.show()
"""


@pytest.fixture(autouse=True)
def apart(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Path]:
    """Feedback and models of this test alone."""
    monkeypatch.setattr("sys.argv", ["app.py"])
    monkeypatch.setenv("EMOLENS_FEEDBACK_URL", f"sqlite:///{tmp_path}/feedback.db")
    monkeypatch.setenv("EMOLENS_MODELS", str(tmp_path))
    streamlit.cache_resource.clear()
    streamlit.cache_data.clear()
    yield tmp_path
    streamlit.cache_resource.clear()


def opened(view: str, photo: str = "") -> AppTest:
    page = AppTest.from_string(PAGE.format(view=view, photo=photo), default_timeout=60).run()
    assert not page.exception
    return page


def said(page: AppTest) -> str:
    return " ".join(str(one.value) for kind in ("markdown", "caption", "info", "error") for one in page.get(kind))


def drawn(page: AppTest) -> str:
    return " ".join(one.proto.body for one in page.get("html"))


def test_every_part_can_be_opened_without_a_photo() -> None:
    for view in ("analyse", "batch", "compare", "explain", "policy", "models", "insights"):
        assert len(opened(view).title) == 1


def test_before_there_is_a_photo_an_example_shows_how_an_answer_looks() -> None:
    page = opened("analyse")
    assert "An example: Eileen Collins" in said(page)
    assert drawn(page) == ""


def test_the_photo_of_another_part_is_named() -> None:
    assert "The photo now: astronaut.jpg" in said(opened("explain", "An astronaut"))
    assert "The photo now" not in said(opened("explain"))


def test_moving_the_threshold_changes_what_is_found_and_what_fits() -> None:
    page = opened("analyse", "An astronaut")
    assert "happy 99%" in drawn(page)
    assert "**Found:** 😀 happy" in said(page)
    page.slider[0].set_value(0).run()
    assert "😢 sad" in said(page)
    assert "though it does with" in drawn(page)


def test_another_detector_or_model_reads_the_photo_anew(apart: Path) -> None:
    make_model_file(apart / "tiny.onnx", bias={"sad": 100})
    streamlit.cache_resource.clear()
    page = opened("analyse", "A cat")
    page.selectbox(key="detector").set_value(WHOLE).run()
    assert "No face was found" not in drawn(page)
    page.selectbox(key="model").set_value("tiny").run()
    assert "sad 100%" in drawn(page)


def test_a_photo_without_a_face_says_so() -> None:
    page = opened("analyse", "A cat")
    assert "No face was found" in drawn(page)
    assert "a photo without a face" in drawn(page)


def test_one_model_alone_cannot_be_compared_and_two_can(apart: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    only = {name: path for name, path in zoo.embedded().items() if name in ("face", DETECTOR)}
    monkeypatch.setattr(zoo, "embedded", lambda: only)
    assert "only one model" in said(opened("compare", "An astronaut"))
    make_model_file(apart / "tiny.onnx")
    streamlit.cache_resource.clear()
    page = opened("compare", "An astronaut")
    assert [one.value for one in page.selectbox] == ["face", "tiny"]
    assert "They " in said(page)


def test_answers_are_compared_in_a_sentence() -> None:
    def answer(happy: float) -> Prediction:
        return Prediction("a", "m", 1, 1, {"happy": happy, "sad": 1 - happy if happy else 0.0}, (), (), Reactions())

    assert compared(answer(0.9), answer(0.7)) == "They agree on 😀 happy, and are 20% apart in how sure they are."
    assert compared(answer(0.9), answer(0.2)) == "They differ: 😀 happy against 😢 sad."
    assert "nothing to compare" in compared(answer(0.9), answer(0.0))


def test_an_explanation_is_drawn() -> None:
    assert "Orange" in said(opened("explain", "An astronaut"))
    assert "nothing to explain" in said(opened("explain", "A cat"))


def test_changed_rules_change_the_reactions_of_the_current_photo() -> None:
    page = opened("policy", "An astronaut")
    assert "🎉" in drawn(page)
    happy = next(one for one in page.multiselect if one.label == "Fits 😀 happy")
    happy.set_value(["😀"]).run()
    assert not page.exception
    assert "🎉" not in drawn(page)
    assert "😀" in drawn(page)


def test_a_rule_that_contradicts_itself_is_told_and_the_old_ones_stay() -> None:
    page = opened("policy", "An astronaut")
    blocked = next(one for one in page.multiselect if one.label == "Does not fit 😀 happy")
    blocked.set_value(["😀"]).run()
    assert "both allowed and blocked" in said(page)
    assert "goes with happy" in drawn(page)


def test_what_is_said_of_an_answer_is_seen_in_the_insights_and_can_be_taken_back() -> None:
    page = opened("analyse", "An astronaut")
    next(one for one in page.button_group if (one.key or "").startswith("right")).set_value("👍 Yes").run()
    next(one for one in page.button if one.label == "Send").click().run()
    assert "Thank you" in " ".join(one.value for one in page.success)
    with Store.open() as store:
        (answer,) = store.answers()
    assert (answer.said, answer.box is None, answer.image) == (("happy",), False, None)
    assert "**100%** of 1 answers agree" in said(opened("insights"))
    next(one for one in page.button if one.label == "Take it back").click().run()
    with Store.open() as store:
        assert list(store.answers()) == []
