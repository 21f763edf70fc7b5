"""Answers for tests."""

import uuid
from typing import Any

from emolens.feedback.answer import Answer

FIRST = "0b2f8a52-5f1e-4a57-9d0c-0d6a5c1f3a01"


def make_answer(predicted: str = "happy", said: str = "happy", **given: Any) -> Answer:
    """An answer with an id of its own: `predicted` has a probability of 0.8, and two others have 0.1."""
    others = [label for label in ("happy", "sad", "neutral") if label != predicted]
    fields = {
        "client_id": str(uuid.uuid4()),
        "model": "face",
        "version": "1",
        "probabilities": {predicted: 0.8, **dict.fromkeys(others[:2], 0.1)},
        "said": tuple(said.split("+")),
    }
    return Answer.model_validate({**fields, **given})
