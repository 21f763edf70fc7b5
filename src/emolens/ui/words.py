"""What the page says in plain words: emoji beside names, how sure an answer is, and why a reaction fits or does not."""

from collections.abc import Mapping, Sequence

from emolens.labels import canonical
from emolens.results import Face, Prediction, Reactions
from emolens.text import percent

_EMOJI = {
    "happy": "😀",
    "sad": "😢",
    "angry": "😠",
    "fear": "😨",
    "surprise": "😮",
    "disgust": "🤢",
    "neutral": "😐",
    "contempt": "😒",
    "other": "🤔",
    "amusement": "😄",
    "awe": "🤩",
    "contentment": "😌",
    "excitement": "🥳",
    "no_face": "🖼️",
}
_UNKNOWN = "▫️"

_STEPS = {
    "upload": "sending it",
    "wait": "waiting for a turn",
    "decode": "opening the photo",
    "detect": "finding faces",
    "classify": "reading them",
}


def emoji_of(label: str) -> str:
    """The emoji that stands beside an emotion's name; a plain mark where there is none."""
    return _EMOJI.get(canonical(label), _UNKNOWN)


def named(label: str) -> str:
    """An emotion with its emoji: `😀 happy`."""
    return f"{emoji_of(label)} {label.replace('_', ' ')}"


def headline(prediction: Prediction) -> str:
    """The answer for the whole photograph, in one line."""
    if prediction.dominant is None:
        return "🔍 No face was found"
    if prediction.unsure:
        return f"🤷 Not sure, perhaps {prediction.dominant}"
    return f"{named(prediction.dominant)} {percent(prediction.confidence or 0)}"


def faces_found(prediction: Prediction, looks_at_faces: bool) -> str:
    """What was looked at."""
    if not prediction.faces:
        return "The photo shows no face that could be read." if looks_at_faces else "The whole picture was read."
    if len(prediction.faces) == 1:
        return "One face was found."
    return f"{len(prediction.faces)} faces were found; larger ones count for more."


def emotions_found(prediction: Prediction | Face) -> str:
    """The emotions that reached the threshold."""
    if prediction.dominant is None:
        return ""
    return ", ".join(map(named, prediction.emotions)) or "none reaches the threshold"


def why(reactions: Reactions) -> list[tuple[Sequence[str], str, bool]]:
    """Emoji with the same reason, that reason, and whether they fit; in the order of the reactions."""
    grouped: dict[tuple[str, bool], list[str]] = {}
    for listed, fits in ((reactions.suggested, True), (reactions.blocked, False)):
        for emoji in listed:
            grouped.setdefault((_reason(reactions.reasons.get(emoji, {}), fits), fits), []).append(emoji)
    return [(emoji, reason, fits) for (reason, fits), emoji in grouped.items()]


def timing(milliseconds: Mapping[str, float]) -> str:
    """How long it took, and where the time went."""
    steps = [f"{name} {milliseconds[step]:.0f}" for step, name in _STEPS.items() if milliseconds.get(step, 0) >= 0.5]
    total = f"{milliseconds.get('total', 0):.0f} milliseconds"
    return f"{total} ({', '.join(steps)})" if steps else total


def _reason(reason: Mapping[str, tuple[str, ...]], fits: bool) -> str:
    fitting, unfitting = (_joined(reason.get(side, ())) for side in ("allowed_by", "blocked_by"))
    if fits:
        return f"goes with {fitting}" + (f", though not with {unfitting}" if unfitting else "")
    return f"does not go with {unfitting}" + (f", though it does with {fitting}" if fitting else "")


def _joined(labels: Sequence[str]) -> str:
    words = ["a photo without a face" if label == "no_face" else label for label in labels]
    return " and ".join(filter(None, [", ".join(words[:-1]), *words[-1:]]))
