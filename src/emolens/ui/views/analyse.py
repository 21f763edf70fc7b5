"""Analyse: one photograph, and everything that the answer says."""

import json
from pathlib import Path

import streamlit as st

from emolens.annotate import SIDE
from emolens.results import Prediction
from emolens.ui import markup, session
from emolens.ui.asking import ask_whether_right
from emolens.ui.choose import choose_picture, choose_reading
from emolens.ui.pictures import Picture, annotated, described, face_crops
from emolens.ui.session import Choice
from emolens.ui.words import emotions_found, faces_found, timing

_FIRST_FACES = 12


def show() -> None:
    """Draws the page."""
    st.title("Which emotion would people see?", anchor=False)
    picture = choose_picture()
    if picture is None:
        st.info("Drop a photo above, and see what it says and which reactions fit.", icon="👆")
        session.backend()
        return
    picture_side, answer_side = st.columns([3, 2], gap="large")
    with answer_side:
        place = st.container()
        choice = choose_reading()
    prediction = session.answer(picture, choice)
    with place:
        _show_answer(prediction, choice)
    with picture_side:
        _show_picture(picture, prediction, choice)
    st.subheader("Reactions", anchor=False)
    if session.has_own_policy():
        st.caption("By your own rules, from the page Policy.")
    st.html(markup.reactions_list(prediction.reactions))
    _show_faces(picture, prediction, choice)
    ask_whether_right(picture, prediction, session.about(choice.model))
    _offer_files(picture, prediction)


def _show_answer(prediction: Prediction, choice: Choice) -> None:
    about = session.about(choice.model)
    st.html(markup.answer(prediction, faces_found(prediction, about.kind == "face")))
    if prediction.dominant is None:
        return
    st.html(markup.bars(prediction.probabilities, "How likely each emotion is"))
    st.markdown(f"**Found:** {emotions_found(prediction)}")
    if about.card is not None and about.card.calibration is not None:
        st.caption("The percentages are calibrated: of answers at 70%, about 7 in 10 are what people would say.")


def _show_picture(picture: Picture, prediction: Prediction, choice: Choice) -> None:
    key = picture.key, choice.model, choice.detector
    drawn = session.last("drawn", key, lambda: annotated(picture, prediction, session.limits()))
    st.image(drawn, width="stretch", alt=described(prediction))
    st.caption(
        f"{prediction.width} × {prediction.height} pixels, read in {timing(prediction.milliseconds)} "
        f"by the model {prediction.model}."
    )


def _show_faces(picture: Picture, prediction: Prediction, choice: Choice) -> None:
    if not prediction.faces:
        return
    st.subheader("Face by face", anchor=False)
    count = len(prediction.faces)
    everyone = count > _FIRST_FACES and st.toggle(f"Show all {count} faces")
    faces = prediction.faces[: None if everyone else _FIRST_FACES]
    key = picture.key, choice.model, choice.detector, len(faces)
    boxes = [face.box for face in faces]
    st.html(markup.face_cards(faces, session.last("crops", key, lambda: face_crops(picture, boxes, session.limits()))))


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
        lambda: annotated(picture, prediction, limits, SIDE),
        f"{stem}-emotions.jpg",
        "image/jpeg",
        on_click="ignore",
        width="stretch",
    )
