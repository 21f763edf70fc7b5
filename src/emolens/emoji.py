"""Which strings are one emoji, and when two of them are the same.

The list is Unicode's emoji recommended for general interchange (UTS #51, RGI) without their variation selectors: every
sequence that a keyboard offers, with its skin tones. A list and not a grammar, because a grammar would also accept
joined sequences that no font draws. It stands in `emoji.txt`, whose head says where it comes from.
"""

from functools import cache
from pathlib import Path

VARIATION_SELECTOR = "\ufe0f"


def bare(emoji: str) -> str:
    """The emoji without variation selectors: what to compare, since keyboards and editors disagree on them."""
    return emoji.replace(VARIATION_SELECTOR, "")


def is_emoji(text: str) -> bool:
    """Whether the text is exactly one emoji, with or without variation selectors."""
    stray_selector = text.startswith(VARIATION_SELECTOR) or VARIATION_SELECTOR * 2 in text
    return bare(text) in _known() and not stray_selector


@cache
def _known() -> frozenset[str]:
    _, _, table = Path(__file__).with_name("emoji.txt").read_text(encoding="utf-8").partition("\n\n")
    return frozenset(table.split())
