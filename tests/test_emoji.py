"""Which strings are one emoji, and when two of them are the same."""

import csv
from pathlib import Path

import pytest

from emolens.emoji import bare, is_emoji


@pytest.mark.parametrize(
    "emoji", ["😀", "❤️", "❤", "👍🏽", "🤷‍♀️", "🤷‍♀", "👨‍👩‍👧‍👦", "🏳️‍🌈", "🇩🇪", "1️⃣", "#️⃣", "🏴󠁧󠁢󠁳󠁣󠁴󠁿", "🫨", "🩷"]
)
def test_what_a_keyboard_offers_is_an_emoji(emoji: str) -> None:
    assert is_emoji(emoji)


@pytest.mark.parametrize(
    "text",
    [
        *("", " ", "a", "happy", "7", "#", "é", "漢", "→", ":-)", ":heart:", "❤️❤️", "😀😄", "😀 ", "😀a", "🏽", "🎉🏽"),
        *("\u200d", "\ufe0f", "\u20e3", "❤️\ufe0f", "\ufe0f😀", "❤\ufe0e", "🇩", "🇽🇽", "😀\u200d😀", "\ud83d"),
    ],
)
def test_everything_else_is_none(text: str) -> None:
    assert not is_emoji(text)


def test_emoji_compare_equal_without_their_variation_selectors() -> None:
    assert bare("❤️") == bare("❤") == "❤"
    assert bare("🏳️‍🌈") == bare("🏳‍🌈")
    assert bare("👍🏽") != bare("👍")


def test_every_emoji_that_rich_can_print_is_known_except_parts_of_emoji() -> None:
    rich_emoji = set(pytest.importorskip("rich._emoji_codes").EMOJI.values())
    flag_letters = {chr(code) for code in range(0x1F1E6, 0x1F200)}
    tones_and_hair = {chr(code) for code in (*range(0x1F3FB, 0x1F400), *range(0x1F9B0, 0x1F9B4))}
    no_emoji_in_unicode = {"⎈"}
    unknown = {emoji for emoji in rich_emoji if not is_emoji(emoji)}
    assert unknown == flag_letters | tones_and_hair | no_emoji_in_unicode


def test_every_emoji_of_emotag_is_known(shared_data: Path) -> None:
    with (shared_data / "emotag1200.csv").open(encoding="utf-8", newline="") as file:
        emoji = [row["emoji"] for row in csv.DictReader(file)]
    assert len(emoji) == 150
    assert [one for one in emoji if not is_emoji(one)] == []
