"""What an emoji stands for: happy or sad by its code point, or one of seven emotions by its subcategory."""

from collections.abc import Callable

from emolens.data.emoji.packages import Emoji

CATEGORY = "Smileys & Emotion"

HAPPY = "1F600-1F607 1F609-1F60F 1F617-1F61D 1F638-1F63D 1F642-1F643 1F917 1F920-1F921 1F924 1F929-1F92A 1F973"
SAD = (
    "1F613-1F615 1F617-1F619 1F622-1F625 1F629 1F62B 1F62D 1F630 1F63F 1F910 1F922 1F927-1F928 1F92E-1F92F 1F974-1F976"
)
"""What is in both counts as happy."""

SUBCATEGORIES = {
    "face-smiling": "happy",
    "face-affection": "happy",
    "face-tongue": "happy",
    "face-hat": "happy",
    "face-neutral-skeptical": "neutral",
    "face-unwell": "disgust",
    "face-concerned": "sad",
    "face-negative": "angry",
}
"""The emotion of a whole subcategory; the emoji of the others have none, but for `EXCEPTIONS`."""

EXCEPTIONS = {
    "happy": "🤗😎😌😺😸😹😻😽",
    "sad": "😔🥲😿",
    "surprise": "😮😯😲😳🤯🫢",
    "fear": "😦😧😨😰😱🙀",
    "angry": "😒😾",
    None: "🫠🥸😏🥱😈💀☠",
}
"""Emoji that show another emotion than their subcategory; those under None show none of the seven."""


def happy_or_sad(emoji: Emoji) -> str | None:
    """`happy` or `sad` of a single code point in `HAPPY` or `SAD`, else None."""
    if emoji.category != CATEGORY or "-" in emoji.unified:
        return None
    code = int(emoji.unified, 16)
    return "happy" if code in _HAPPY else "sad" if code in _SAD else None


def emotion(emoji: Emoji) -> str | None:
    """The label of `fer7` that the emoji shows, or None."""
    if emoji.category != CATEGORY:
        return None
    code, *others = (part for part in emoji.unified.split("-") if part != "FE0F")
    # Sequences, such as a face in clouds, show something that their first code point does not.
    return None if others else _EXCEPTIONS.get(int(code, 16), SUBCATEGORIES.get(emoji.subcategory))


LABELLINGS: dict[str, Callable[[Emoji], str | None]] = {"happy-sad": happy_or_sad, "emotions": emotion}
"""The tables of the dataset, by name."""


def _points(ranges: str) -> frozenset[int]:
    ends = [[int(end, 16) for end in one.split("-")] for one in ranges.split()]
    return frozenset(code for pair in ends for code in range(pair[0], pair[-1] + 1))


_HAPPY, _SAD = _points(HAPPY), _points(SAD)
_EXCEPTIONS = {ord(sign): label for label, signs in EXCEPTIONS.items() for sign in signs}
