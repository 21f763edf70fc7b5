"""Explain: which part of a face the answer rests on."""

import io

import numpy as np
import streamlit as st
from numpy.typing import NDArray

from emolens.evaluation.explain import occlusion
from emolens.evaluation.explain import picture as drawing
from emolens.evaluation.explain.crops import cut_crops
from emolens.runtime import OnnxModel
from emolens.ui import session
from emolens.ui.backend import DETECTOR, Local
from emolens.ui.choose import choose_picture


def show() -> None:
    """Draws the page."""
    st.title("What does the answer rest on?", anchor=False)
    st.markdown(
        "Part after part of the face is blurred, and the model is asked again. Where the answer gets weaker, "
        "it rests on what is there."
    )
    who = session.backend()
    if not isinstance(who, Local):
        st.info("A server does not explain its answers; open the page without --server for that.", icon="🧭")
        return
    picture = choose_picture()
    if picture is None:
        return
    name = st.selectbox("Model", who.models, key="explained model")
    predictor = who.predictor(name, DETECTOR)
    model = predictor.model
    assert isinstance(model, OnnxModel)  # one name stands for one model
    crops = session.last(
        "seen", (picture.key, name), lambda: cut_crops(picture.data, model.card, predictor.detector, who.limits)
    )
    if not crops:
        st.info("No face was found, so there is nothing to explain.", icon="🔍")
        return
    number = 1
    if len(crops) > 1:
        number = st.selectbox("Face", range(1, len(crops) + 1), format_func=lambda one: f"Face {one}, by size")
    with st.spinner("Asking the model 400 times"):
        drawn = session.last("explained", (picture.key, name, number), lambda: _drawn(model, crops[number - 1]))
    st.image(drawn, alt=_ALT)
    st.caption(
        "Orange: covering this makes the answer weaker. Blue: covering it makes it stronger. A map tells what "
        "the model looks at, not whether it is right."
    )
    st.download_button("The map as PNG", drawn, "explanation.png", "image/png", on_click="ignore")


_ALT = (
    "Two pictures of the face: as the model sees it, and in grey with orange over the parts that the answer rests on "
    "and blue over those that speak against it"
)


def _drawn(model: OnnxModel, crop: NDArray[np.uint8]) -> bytes:
    probabilities = model.probabilities(crop[None])[0]
    image = drawing.draw_occlusion(model.card, probabilities, crop, occlusion.explain(model, crop))
    file = io.BytesIO()
    image.save(file, "PNG")
    return file.getvalue()
