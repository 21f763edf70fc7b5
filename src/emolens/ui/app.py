"""The page: its parts, and where to find them. Run by `emolens ui`."""

from pathlib import Path

import streamlit as st

from emolens.errors import EmolensError
from emolens.ui.say import show_error
from emolens.ui.views import analyse, batch, compare, explain, insights, models, policy


def main() -> None:
    """Draws the page that the visitor is on."""
    st.set_page_config(page_title="emolens", page_icon="🙂", layout="wide", menu_items={"About": _ABOUT})
    st.html(Path(__file__).with_name("style.css"))
    page = st.navigation(
        [
            st.Page(analyse.show, title="Analyse", icon="🔍", url_path="analyse", default=True),
            st.Page(batch.show, title="Batch", icon="🗂️", url_path="batch"),
            st.Page(compare.show, title="Compare", icon="⚖️", url_path="compare"),
            st.Page(explain.show, title="Explain", icon="💡", url_path="explain"),
            st.Page(policy.show, title="Policy", icon="📜", url_path="policy"),
            st.Page(models.show, title="Models", icon="🧩", url_path="models"),
            st.Page(insights.show, title="Insights", icon="📈", url_path="insights"),
        ]
    )
    try:
        page.run()
    except EmolensError as error:
        show_error(error)


_ABOUT = "emolens reads which emotion people would see in a photo, and which emoji reactions fit it."

main()
