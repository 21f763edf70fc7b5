"""Was this right? What visitors say of an answer, kept where `emolens feedback` finds it."""

from importlib.util import find_spec
from typing import TYPE_CHECKING
from uuid import uuid4

import streamlit as st

from emolens.card_page.markdown import text
from emolens.errors import MissingExtraError
from emolens.results import Face, Prediction
from emolens.text import percent
from emolens.ui import session
from emolens.ui.backend import About, Local, Remote
from emolens.ui.pictures import Picture
from emolens.ui.words import named

if TYPE_CHECKING:
    from emolens.feedback import Answer, Store

_WHOLE = 0
_YES, _NO = "👍 Yes", "👎 No"


def has_feedback() -> bool:
    """Whether answers can be kept; says how, if they cannot."""
    if all(map(find_spec, ("sqlalchemy", "alembic"))):
        return True
    st.info(text(str(MissingExtraError("feedback", "to keep what people say of the answers"))), icon="📦")
    return False


@st.cache_resource(show_spinner=False)
def store() -> "Store":
    """Where answers are kept, the same for all visitors.

    Raises:
        ConfigError: `EMOLENS_FEEDBACK_URL` is no address of a database.
    """
    from emolens.feedback import Store

    return Store.open()


def ask_whether_right(picture: Picture, prediction: Prediction, about: About) -> None:
    """Asks what the visitor sees in the photograph, or in one face of it, and keeps the answer."""
    if prediction.dominant is None:
        return
    st.subheader("Was this right?", anchor=False)
    if isinstance(session.backend(), Local) and not has_feedback():
        return
    target = _WHOLE
    if prediction.faces:
        target = st.selectbox(
            "About",
            range(len(prediction.faces) + 1),
            index=int(len(prediction.faces) == 1),
            format_func=lambda number: _target(prediction, number),
            key=f"about {picture.key}",
        )
    asked = prediction.faces[target - 1] if target else prediction
    place = f"{picture.key} {prediction.model} {target}"
    if f"sent {place}" in st.session_state:
        _thank(place)
        return
    verdict = st.segmented_control(
        f"Was “{named(asked.dominant or '')}” right?", (_YES, _NO), key=f"right {place}", label_visibility="collapsed"
    )
    said: list[str] = [asked.dominant or ""] if verdict == _YES else []
    if verdict == _NO:
        labels = list(asked.probabilities)
        said = st.pills("What would you say? One or more", labels, selection_mode="multi", format_func=named, key=place)
    if verdict is None:
        return
    consent = _ask_for_consent(picture, place)
    if st.button("Send", disabled=not said, key=f"send {place}"):
        _send(place, _answer(place, picture, asked, prediction.model, about, said, consent))


def _target(prediction: Prediction, number: int) -> str:
    if number == _WHOLE:
        return "The whole photo"
    face = prediction.faces[number - 1]
    return f"Face {number}: {named(face.dominant)} {percent(face.confidence)}"


def _ask_for_consent(picture: Picture, place: str) -> bool:
    from emolens.feedback.answer import MOST_BYTES

    if len(picture.data) > MOST_BYTES:
        st.caption(f"The photo itself is not kept; it is over {MOST_BYTES // 2**20} MB.")
        return False
    consent = st.checkbox("Also keep the photo, so that the model can learn from it", key=f"consent {place}")
    st.caption(
        "Everybody in it agrees to that, or it is yours to share. Of a face only the part around it is kept."
        if consent
        else "Only what you say is kept, and the percentages; the photo is not."
    )
    return consent


def _answer(
    place: str, picture: Picture, asked: Prediction | Face, model: str, about: About, said: list[str], consent: bool
) -> "Answer":
    from emolens.feedback import Answer

    # Made once, so that sending it twice keeps it once.
    client_id = st.session_state.setdefault(f"id {place}", str(uuid4()))
    return Answer(
        client_id=client_id,
        model=model,
        version=about.version,
        sha256=about.sha256,
        probabilities=dict(asked.probabilities),
        said=tuple(said),
        box=asked.box if isinstance(asked, Face) else None,
        consent=consent,
        image=picture.data if consent else None,
    )


def _send(place: str, answer: "Answer") -> None:
    """Keeps it with the server that answers, or here where there is none, or it keeps nothing."""
    who = session.backend()
    is_there = isinstance(who, Remote) and who.keep(answer)
    if not is_there:
        if not has_feedback():
            return
        store().add(answer)
    st.session_state[f"sent {place}"] = answer.client_id, is_there
    st.rerun()


def _thank(place: str) -> None:
    client_id, is_there = st.session_state[f"sent {place}"]
    where = "by the server" if is_there else "on the computer that shows this page"
    st.success(f"Thank you. It is kept {where}, under the number {client_id}.", icon="💚")
    if st.button("Take it back", key=f"back {place}"):
        who = session.backend()
        if is_there and isinstance(who, Remote):
            who.forget(client_id)
        else:
            store().delete(client_id)
        for key in (f"sent {place}", f"id {place}"):
            del st.session_state[key]
        st.rerun()
