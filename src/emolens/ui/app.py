"""The page: its parts, and where to find them. Run by `emolens ui`."""

from pathlib import Path

import streamlit as st

from emolens.errors import EmolensError
from emolens.ui.say import show_error
from emolens.ui.views import analyse


def main() -> None:
    """Draws the page that the visitor is on."""
    st.set_page_config(page_title="emolens", page_icon="🙂", layout="wide", menu_items={"About": _ABOUT})
    st.html(Path(__file__).with_name("style.css"))
    page = st.navigation(
        [
            st.Page(analyse.show, title="Analyse", icon="🔍", url_path="analyse", default=True),
        ]
    )
    try:
        page.run()
    except EmolensError as error:
        show_error(error)


_ABOUT = "emolens reads which emotion people would see in a photo, and which emoji reactions fit it."

main()
