"""Analyse: one photograph, and everything that the answer says."""

import json
from collections.abc import Callable
from functools import cache
from pathlib import Path

import streamlit as st

from emolens.annotate import SIDE
from emolens.image import Photo
from emolens.results import Prediction
from emolens.ui import markup, session
from emolens.ui.asking import ask_whether_right
from emolens.ui.choose import choose_picture, choose_reading
from emolens.ui.pictures import SAMPLES, Picture, annotated, described, face_crops, opened, sample
from emolens.ui.session import Choice
from emolens.ui.words import emotions_found, faces_found, timing

_FIRST_FACES = 12
_EXAMPLE = 360


def show() -> None:
    """Draws the page."""
    st.title("Which emotion would people see?", anchor=False)
    picture = choose_picture()
    headline = st.container()
    picture_side, answer_side = st.columns([3, 2], gap="large")
    with answer_side:
        chart = st.container()
        choice = choose_reading()
    if picture is None:
        with picture_side:
            _show_example(choice)
        return
    prediction = session.answer(picture, choice)
    # What is quick to show comes first: the answer in words, then what is drawn.
    with headline:
        _show_headline(prediction, choice)
    with chart:
        _show_chart(prediction, choice)
    _show_reactions(prediction)
    key = picture.key, choice.model, choice.detector
    photo = cache(lambda: opened(picture, session.limits()))  # at most once, and not where all is drawn already
    with picture_side:
        _show_picture(session.last("drawn", key, lambda: annotated(photo(), prediction)), prediction)
    _show_faces(photo, key, prediction)
    ask_whether_right(picture, prediction, session.about(choice.model))
    _offer_files(picture, prediction)


def _show_example(choice: Choice) -> None:
    """How an answer looks; with it, models and page have done once what is slow the first time."""
    st.info("Drop a photo above, and see what it says and which reactions fit.", icon="👆")
    name = next(iter(SAMPLES))
    picture = sample(name)
    prediction = session.answer(picture, choice)
    key = picture.key, choice.model, choice.detector
    drawn = session.last("example", key, lambda: annotated(opened(picture, session.limits()), prediction))
    st.image(drawn, width=_EXAMPLE, alt=described(prediction))
    st.caption(f"An example: {SAMPLES[name][1]}")


def _show_headline(prediction: Prediction, choice: Choice) -> None:
    looks_at_faces = session.about(choice.model).kind == "face"
    st.html(markup.answer(prediction, faces_found(prediction, looks_at_faces)))


def _show_chart(prediction: Prediction, choice: Choice) -> None:
    if prediction.dominant is None:
        return
    st.html(markup.bars(prediction.probabilities, "How likely each emotion is"))
    st.markdown(f"**Found:** {emotions_found(prediction)}")
    card = session.about(choice.model).card
    if card is not None and card.calibration is not None:
        st.caption("The percentages are calibrated: of answers at 70%, about 7 in 10 are what people would say.")


def _show_reactions(prediction: Prediction) -> None:
    st.subheader("Reactions", anchor=False)
    if session.has_own_policy():
        st.caption("By your own rules, from the page Policy.")
    st.html(markup.reactions_list(prediction.reactions))


def _show_picture(drawn: bytes, prediction: Prediction) -> None:
    st.image(drawn, width="stretch", alt=described(prediction))
    st.caption(
        f"{prediction.width} × {prediction.height} pixels, read in {timing(prediction.milliseconds)} "
        f"by the model {prediction.model}."
    )


def _show_faces(photo: Callable[[], Photo], key: tuple[str, ...], prediction: Prediction) -> None:
    if not prediction.faces:
        return
    st.subheader("Face by face", anchor=False)
    count = len(prediction.faces)
    everyone = count > _FIRST_FACES and st.toggle(f"Show all {count} faces")
    faces = prediction.faces[: None if everyone else _FIRST_FACES]
    boxes = [face.box for face in faces]
    crops = session.last("crops", (*key, len(faces)), lambda: face_crops(photo(), boxes))
    st.html(markup.face_cards(faces, crops))


def _offer_files(picture: Picture, prediction: Prediction) -> None:
    st.subheader("Take it with you", anchor=False)
    stem = Path(picture.name).stem
    left, right = st.columns(2)
    left.download_button(
        "Answer as JSON",
        json.dumps(prediction.to_dict(), ensure_ascii=False, indent=2),
        f"{stem}.json",
        "application/json",
        on_click="ignore",
        width="stretch",
    )
    limits = session.limits()
    right.download_button(
        "Picture with frames",
        lambda: annotated(opened(picture, limits, SIDE), prediction, SIDE),
        f"{stem}-emotions.jpg",
        "image/jpeg",
        on_click="ignore",
        width="stretch",
    )
