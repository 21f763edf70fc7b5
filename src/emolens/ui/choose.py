"""How a visitor gives the page a photograph, and says how to read it."""

import streamlit as st

from emolens.card_page.markdown import text
from emolens.image import IMAGE_SUFFIXES
from emolens.ui import session
from emolens.ui.backend import DETECTOR, WHOLE
from emolens.ui.paste import accept_paste
from emolens.ui.pictures import SAMPLES, Picture, sample
from emolens.ui.session import Choice

_FILE, _CAMERA, _SAMPLE = "📁 A file", "📷 The camera", "🖼️ An example"
_FIELDS = {_FILE: "upload", _CAMERA: "camera"}
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
            key=_FIELDS[_FILE],
            on_change=_take,
            args=(_FIELDS[_FILE],),
        )
        accept_paste()
    elif source == _CAMERA:
        st.camera_input("Take a photo", key=_FIELDS[_CAMERA], on_change=_take, args=(_FIELDS[_CAMERA],))
    else:
        for name, (_, about) in SAMPLES.items():
            if st.button(f"{name}: {about}", key=f"sample {name}", width="stretch"):
                session.choose(sample(name))
    picture = session.picture()
    # Streamlit empties its fields when the visitor goes from part to part; the photo stays.
    if picture is not None and st.session_state.get(_FIELDS.get(source, "")) is None:
        st.caption(f"The photo now: {text(picture.name)}")
    return picture


def choose_reading() -> Choice:
    """Asks which model, which detector and which threshold; moving the threshold asks no model again."""
    who = session.backend()
    model, detector = who.models[0], DETECTOR
    with st.expander("How the photo is read"):
        model = st.selectbox("Model", who.models, key="model", help="What names the emotions.")
        if who.detectors:
            detector = st.selectbox(
                "Faces",
                who.detectors,
                key="detector",
                format_func=lambda name: f"{name}: {_DETECTORS[name]}" if name in _DETECTORS else name,
                help="What looks for faces before the model reads them.",
            )
        st.caption(f"Photos are read {who.place}.")
    threshold, who_says = session.common_threshold(model)
    usual = round(100 * threshold)
    chosen = st.slider(
        "An emotion counts from",
        0,
        100,
        usual,
        format="%d%%",
        key=f"threshold {model} {usual}",
        help=f"Emotions that are at least this likely count as found, and decide which reactions fit. {who_says}",
    )
    return Choice(model, detector, None if chosen == usual else chosen / 100)


def _take(key: str) -> None:
    given = st.session_state[key]
    session.choose(Picture(given.name, given.getvalue()) if given is not None else None)
