"""Whatever others wrote stays text in our Markdown."""

from hypothesis import example, given
from hypothesis import strategies as st
from markdown_it import MarkdownIt
from markdown_it.token import Token

from emolens.card_page.markdown import bullets, table, text

READER = MarkdownIt("commonmark").enable(["table", "strikethrough"])

SIGNS = st.text(st.sampled_from("ab1 .)#*_`~|<>[](){}!&;\\-+=:/$\n\t\r\x1b\x9b\u2028\u202e") | st.characters())


def shown(value: str) -> str:
    line = " ".join(value.split())
    return "".join(sign if sign.isprintable() else sign.encode("unicode_escape").decode() for sign in line)


def said(tokens: list[Token]) -> str:
    """The text of inline tokens; anything but text fails."""
    parts = [child for token in tokens if token.type == "inline" for child in token.children or []]
    assert {part.type for part in parts} <= {"text", "text_special"}
    return "".join(part.content for part in parts)


@given(SIGNS)
@example("# a")
@example("1. a")
@example("- a")
@example("---")
@example("```\na")
@example("</td><script>")
@example("[a](javascript:b)")
@example("&lt;")
@example("\x1b]0;a\x07")
def test_a_text_is_one_line_that_shows_what_it_says(value: str) -> None:
    tokens = READER.parse(text(value))
    assert [token.type for token in tokens] in ([], ["paragraph_open", "inline", "paragraph_close"])
    assert said(tokens) == shown(value)
    assert all(sign.isprintable() for sign in text(value))


@given(SIGNS, SIGNS)
def test_a_list_has_an_item_for_each_text(first: str, second: str) -> None:
    tokens = READER.parse(bullets(map(text, (first, "a", second))))
    kinds = [token.type for token in tokens if token.type not in ("inline", "paragraph_open", "paragraph_close")]
    assert kinds == ["bullet_list_open", *["list_item_open", "list_item_close"] * 3, "bullet_list_close"]
    assert said(tokens) == f"{shown(first)}a{shown(second)}"


@given(SIGNS, SIGNS)
def test_a_table_has_a_cell_for_each_text(first: str, second: str) -> None:
    tokens = READER.parse(table(("one", "two"), [(text(first), text(second)), ("a", "b")]))
    assert sum(token.type == "td_open" for token in tokens) == 4
    assert sum(token.type == "tr_open" for token in tokens) == 3
    assert tokens[-1].type == "table_close"
    assert said(tokens) == f"onetwo{shown(first)}{shown(second)}ab"


def test_what_needs_no_escape_has_none() -> None:
    plain = "MIT (the weights), version 0.2.0, 2026-11-21: 10 % of 5 faces; see e.g. this."
    assert text(plain) == plain
