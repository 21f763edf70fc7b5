"""How a visitor gives the page a photograph, and says how to read it."""

import streamlit as st

from emolens.image import IMAGE_SUFFIXES
from emolens.ui import session
from emolens.ui.backend import DETECTOR, WHOLE
from emolens.ui.paste import accept_paste
from emolens.ui.pictures import SAMPLES, Picture, sample
from emolens.ui.session import Choice
from emolens.ui.words import percent

_FILE, _CAMERA, _SAMPLE = "📁 A file", "📷 The camera", "🖼️ An example"
IMAGE_TYPES = sorted(suffix.removeprefix(".") for suffix in IMAGE_SUFFIXES)

_DETECTORS = {DETECTOR: "finds faces", WHOLE: "none: the whole picture is one face"}


def choose_picture() -> Picture | None:
    """Asks for a photograph; returns the one that is chosen, if there is one."""
    source = st.segmented_control(
        "Take the photo from", (_FILE, _CAMERA, _SAMPLE), default=_FILE, required=True, key="source"
    )
    if source == _FILE:
        st.file_uploader(
            "Drop a photo here, choose one, or paste one with Ctrl+V",
            IMAGE_TYPES,
            max_upload_size=max(1, session.limits().max_bytes // 2**20),
            key="upload",
            on_change=_take,
            args=("upload",),
        )
        accept_paste()
    elif source == _CAMERA:
        st.camera_input("Take a photo", key="camera", on_change=_take, args=("camera",))
    else:
        for name, (_, about) in SAMPLES.items():
            if st.button(f"{name}: {about}", key=f"sample {name}", width="stretch"):
                session.choose(sample(name))
    return session.picture()


def choose_reading() -> Choice:
    """Asks which model, which detector and which threshold; moving the threshold asks no model again."""
    who = session.backend()
    model, detector = who.models[0], DETECTOR
    with st.expander("How the photo is read"):
        left, right = st.columns(2)
        model = left.selectbox("Model", who.models, key="model", help="What names the emotions.")
        if who.detectors:
            detector = right.selectbox(
                "Faces",
                who.detectors,
                key="detector",
                format_func=lambda name: f"{name}: {_DETECTORS[name]}" if name in _DETECTORS else name,
                help="What looks for faces before the model reads them.",
            )
        st.caption(f"Photos are read {who.place}.")
    usual = round(100 * session.common_threshold(model))
    chosen = st.slider(
        "An emotion counts from",
        0,
        100,
        usual,
        format="%d%%",
        key=f"threshold {model} {usual}",
        help=f"Emotions that are at least this likely count as found, and decide which reactions fit. "
        f"{percent(usual / 100)} is what the model's makers recommend.",
    )
    return Choice(model, detector, None if chosen == usual else chosen / 100)


def _take(key: str) -> None:
    given = st.session_state[key]
    session.choose(Picture(given.name, given.getvalue()) if given is not None else None)
