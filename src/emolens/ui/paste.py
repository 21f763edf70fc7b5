"""Photographs from the clipboard: Ctrl+V anywhere on the page puts them into its upload field."""

from collections.abc import Callable
from functools import cache
from typing import Any

import streamlit as st

# The field does the rest, so that what is pasted is held to the limits of what is dropped.
_SCRIPT = """
export default function () {
  const paste = (event) => {
    const images = [...(event.clipboardData?.files ?? [])].filter((file) => file.type.startsWith("image/"));
    const field = document.querySelector('[data-testid="stFileUploader"] input[type="file"]');
    if (!images.length || !field) return;
    event.preventDefault();
    const given = new DataTransfer();
    images.slice(0, field.multiple ? images.length : 1).forEach((image) => given.items.add(image));
    field.files = given.files;
    field.dispatchEvent(new Event("change", { bubbles: true }));
  };
  document.addEventListener("paste", paste);
  return () => document.removeEventListener("paste", paste);
}
"""


def accept_paste() -> None:
    """Lets the upload field of this page take what is pasted."""
    _component()(key="paste", height=0)


@cache
def _component() -> Callable[..., Any]:
    return st.components.v2.component("emolens_paste", js=_SCRIPT)
