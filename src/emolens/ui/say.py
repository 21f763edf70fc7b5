"""Messages to whoever looks at the page."""

import streamlit as st

from emolens.card_page.markdown import text
from emolens.errors import EmolensError


def show_error(error: EmolensError) -> None:
    """What went wrong and what to do, as text, whatever signs are in it."""
    st.error("\n\n".join(text(line) for line in str(error).splitlines()), icon="⚠️")
