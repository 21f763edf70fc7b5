"""What Streamlit has no widget for, as HTML: bars, faces, reactions; every text in it is escaped."""

import base64
from collections.abc import Mapping, Sequence
from html import escape

from emolens.results import Face, Prediction, Reactions
from emolens.text import percent
from emolens.ui.words import emotions_found, headline, named, why


def bars(probabilities: Mapping[str, float], caption: str) -> str:
    """All probabilities as a table with a bar in each row, the likeliest first.

    Args:
        probabilities: per label, 0 to 1.
        caption: says to screen readers what the table holds.
    """
    ordered = sorted(probabilities.items(), key=lambda item: -item[1])
    rows = "".join(
        f'<tr><th scope="row">{escape(named(label))}</th>'
        f'<td class="emo-bar"><span style="width:{100 * min(max(value, 0), 1):.1f}%"></span></td>'
        f"<td>{percent(value)}</td></tr>"
        for label, value in ordered
    )
    return f'<table class="emo-bars"><caption>{escape(caption)}</caption><tbody>{rows}</tbody></table>'


def answer(prediction: Prediction, seen: str) -> str:
    """The answer for the whole photograph, with the reactions that fit."""
    fitting = " ".join(map(escape, prediction.reactions.suggested)) or "none"
    badge = '<span class="emo-badge">not sure</span>' if prediction.unsure else ""
    return (
        f'<div class="emo-answer" role="status"><p class="emo-headline">{escape(headline(prediction))}{badge}</p>'
        f'<p>{escape(seen)}</p><p>Reactions that fit: <span class="emo-signs">{fitting}</span></p></div>'
    )


def face_cards(faces: Sequence[Face], crops: Sequence[bytes]) -> str:
    """A card per face: its picture, its answer, and all its probabilities.

    Args:
        faces: in the order of their numbers, from 1.
        crops: their pictures, JPEG.
    """
    cards = zip(range(1, len(faces) + 1), faces, crops, strict=True)
    return f'<ul class="emo-faces">{"".join(_card(*card) for card in cards)}</ul>'


def reactions_list(reactions: Reactions) -> str:
    """Which reactions fit and which do not, with the reason."""
    lines = why(reactions)
    parts = []
    for fits, title in ((True, "These reactions fit"), (False, "These do not")):
        rows = "".join(_reason(emoji, reason) for emoji, reason, right in lines if right == fits)
        parts.append(f"<h3>{title}</h3>" + (f'<ul class="emo-reactions">{rows}</ul>' if rows else "<p>none</p>"))
    return f'<div class="emo-fits">{"".join(f"<div>{part}</div>" for part in parts)}</div>'


def _card(number: int, face: Face, crop: bytes) -> str:
    source = f"data:image/jpeg;base64,{base64.b64encode(crop).decode()}"
    title = f"Face {number}: {named(face.dominant)} {percent(face.confidence)}"
    found = "" if face.emotions == (face.dominant,) else f"<br>{escape(emotions_found(face))}"
    return (
        f'<li><div class="emo-face"><img src="{source}" alt="Face {number}" width="72" height="72">'
        f"<div><strong>{escape(title)}</strong>{found}</div></div>"
        f"{bars(face.probabilities, f'How likely each emotion of face {number} is')}</li>"
    )


def _reason(emoji: Sequence[str], reason: str) -> str:
    signs = " ".join(map(escape, emoji))
    return f'<li><span class="emo-signs">{signs}</span> <span>{escape(reason)}</span></li>'
