"""What an emoji stands for follows from its code point or its subcategory."""

import pytest

from emolens.data.emoji.meanings import EXCEPTIONS, HAPPY, SAD, SUBCATEGORIES, emotion, happy_or_sad
from emolens.data.emoji.packages import Emoji
from emolens.labels import LABEL_SETS


def emoji(unified: str, subcategory: str = "face-smiling", category: str = "Smileys & Emotion") -> Emoji:
    return Emoji(unified=unified, image=f"{unified.lower()}.png", category=category, subcategory=subcategory)


@pytest.mark.parametrize(
    ("unified", "label"),
    [
        ("1F600", "happy"),
        ("1F607", "happy"),
        ("1F608", None),
        ("1F917", "happy"),
        ("1F62D", "sad"),
        ("1F976", "sad"),
        ("1F977", None),
        ("1F917-FE0F", None),
    ],
)
def test_ranges_of_code_points_are_happy_or_sad(unified: str, label: str | None) -> None:
    assert happy_or_sad(emoji(unified)) == label


def test_what_both_ranges_name_counts_as_happy() -> None:
    assert "1F617-1F61D" in HAPPY
    assert "1F617-1F619" in SAD
    assert [happy_or_sad(emoji(code)) for code in ("1F617", "1F618", "1F619")] == ["happy"] * 3


@pytest.mark.parametrize("meaning", [happy_or_sad, emotion])
def test_other_categories_stand_for_nothing(meaning: object) -> None:
    assert callable(meaning)
    assert meaning(emoji("1F600", category="People & Body")) is None


@pytest.mark.parametrize(
    ("unified", "subcategory", "label"),
    [
        ("1F600", "face-smiling", "happy"),
        ("2639-FE0F", "face-concerned", "sad"),
        ("1F631", "face-concerned", "fear"),
        ("1F62E", "face-concerned", "surprise"),
        ("1F62E-200D-1F4A8", "face-neutral-skeptical", None),
        ("1F621", "face-negative", "angry"),
        ("2620-FE0F", "face-negative", None),
        ("1F436", "heart", None),
    ],
)
def test_a_subcategory_has_an_emotion_and_some_emoji_another(unified: str, subcategory: str, label: str | None) -> None:
    assert emotion(emoji(unified, subcategory)) == label


def test_the_seven_emotions_are_those_of_the_label_set_and_no_emoji_has_two() -> None:
    assert {*SUBCATEGORIES.values(), *EXCEPTIONS} - {None} == set(LABEL_SETS["fer7"])
    signs = "".join(EXCEPTIONS.values())
    assert len(set(signs)) == len(signs)
