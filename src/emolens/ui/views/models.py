"""Models: which there are, what each says of itself, and what was measured of it."""

from pathlib import Path

import streamlit as st

from emolens import zoo
from emolens.card import ModelCard
from emolens.card_page.page import card_page, entry_page
from emolens.errors import ModelError
from emolens.session import file_hash
from emolens.ui import session
from emolens.ui.backend import Local
from emolens.ui.measured import per_emotion

_MOST_REPORT_BYTES = 50 * 2**20


def show() -> None:
    """Draws the page."""
    st.title("The models", anchor=False)
    who = session.backend()
    if not isinstance(who, Local):
        st.markdown(f"Photos are read {who.place}, which has these models:")
        st.table(
            [{"name": name, "version": who.about(name).version, "kind": who.about(name).kind} for name in who.models]
        )
        return
    here = {**zoo.embedded(), **zoo.own()}
    names = [*who.models, *(name for name in here if name not in who.models)]
    more = {name: entry for name, entry in zoo.entries().items() if name not in here}
    name = st.selectbox(
        "Model",
        [*names, *more],
        format_func=lambda one: one if one in here or more[one].path.is_file() else f"{one} (can be fetched)",
        key="shown model",
    )
    st.caption(f"Model files in {zoo.cache_folder()} are found by their name.")
    if name in more:
        st.markdown(entry_page(more[name]))
        return
    try:
        card = zoo.card_of(here[name])
    except ModelError as error:
        st.warning(str(error), icon="⚠️")
        return
    _show_figures(card)
    _offer_report(name, here[name])
    st.markdown(_page(name))


def _show_figures(card: ModelCard) -> None:
    for source, chart in per_emotion(card.metrics).items():
        st.subheader(f"How often it is right: {source}", anchor=False)
        st.html(chart)


def _offer_report(name: str, path: Path) -> None:
    """The page that `emolens evaluate` or a training has left beside the model file."""
    report = path.with_name("report.html")
    if report.is_file() and report.stat().st_size <= _MOST_REPORT_BYTES:
        st.download_button("The whole report", report.read_bytes, f"{name}-report.html", "text/html", on_click="ignore")


@st.cache_data(max_entries=50, show_spinner=False)
def _page(name: str) -> str:
    path = zoo.find(name)
    return card_page(zoo.card_of(path), file_hash(path), path.stat().st_size)
