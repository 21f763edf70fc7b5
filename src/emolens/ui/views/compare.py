"""Compare: two models on the same photograph."""

import streamlit as st

from emolens.results import Prediction
from emolens.text import percent
from emolens.ui import markup, session
from emolens.ui.choose import choose_picture
from emolens.ui.pictures import Picture, annotated, described, opened
from emolens.ui.session import Choice
from emolens.ui.words import faces_found, named, timing


def show() -> None:
    """Draws the page."""
    st.title("Two models, one photo", anchor=False)
    who = session.backend()
    if len(who.models) < 2:
        st.info(
            "There is only one model here. Train one, or fetch one, and put its file into the folder of models; "
            "`emolens models list` shows which there are, and the page Models says where that folder is.",
            icon="🧩",
        )
        return
    picture = choose_picture()
    left, right = st.columns(2, gap="large")
    first = left.selectbox("First model", who.models, key="first model")
    second = right.selectbox("Second model", who.models, index=1, key="second model")
    if picture is None:
        return
    detector = next(iter(who.detectors), "")
    answers = [session.answer(picture, Choice(model, detector)) for model in (first, second)]
    st.markdown(f"**{compared(*answers)}**")
    for place, model, prediction in zip(st.columns(2, gap="large"), (first, second), answers, strict=True):
        with place:
            _show(picture, model, prediction)


def compared(first: Prediction, second: Prediction) -> str:
    """How two answers to one photograph stand to each other, in a sentence."""
    if first.dominant is None or second.dominant is None:
        return "At least one of them finds no face, so there is nothing to compare."
    if first.dominant != second.dominant:
        return f"They differ: {named(first.dominant)} against {named(second.dominant)}."
    apart = abs((first.confidence or 0) - (second.confidence or 0))
    return f"They agree on {named(first.dominant)}, and are {percent(apart)} apart in how sure they are."


def _show(picture: Picture, model: str, prediction: Prediction) -> None:
    st.subheader(model, anchor=False)
    looks_at_faces = session.about(model).kind == "face"
    st.html(markup.answer(prediction, faces_found(prediction, looks_at_faces)))
    if prediction.dominant is not None:
        st.html(markup.bars(prediction.probabilities, f"How likely each emotion is to {model}"))
    drawn = session.last(
        f"compared {model}", (picture.key, model), lambda: annotated(opened(picture, session.limits()), prediction)
    )
    st.image(drawn, width="stretch", alt=f"{model}: {described(prediction)}")
    st.caption(f"Read in {timing(prediction.milliseconds)}.")
    st.html(markup.reactions_list(prediction.reactions))
