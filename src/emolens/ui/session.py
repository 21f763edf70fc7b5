"""What one visitor of the page has before them: the photograph, the model, the rules; and who answers."""

from argparse import ArgumentParser, Namespace
from collections.abc import Callable
from dataclasses import dataclass
from typing import TypeVar

import streamlit as st

from emolens.card import ModelCard
from emolens.image import Limits
from emolens.policy import Policy
from emolens.results import Prediction
from emolens.text import percent
from emolens.ui.backend import About, Backend, Local, Remote
from emolens.ui.pictures import Picture
from emolens.ui.redecide import redecide, with_threshold

_T = TypeVar("_T")

_UNKNOWN_THRESHOLD: float = ModelCard.model_fields["threshold"].default


@dataclass(frozen=True)
class Choice:
    """How photographs are to be read.

    Attributes:
        model: its name.
        detector: likewise.
        threshold: of every emotion, 0 to 1; None leaves it to policy and model.
    """

    model: str
    detector: str
    threshold: float | None = None


@st.cache_resource(show_spinner="Opening the models")
def backend() -> Backend:
    """Who answers, the same for all visitors.

    Raises:
        EmolensError: nobody does.
    """
    server = _arguments().server
    if server is not None:
        return Remote(server, limits())
    return Local(limits())


@st.cache_resource
def limits() -> Limits:
    """What is refused."""
    return Limits.from_environment()


def picture() -> Picture | None:
    """The photograph that the visitor has chosen."""
    chosen: Picture | None = st.session_state.get("picture")
    return chosen


def choose(picture: Picture | None) -> None:
    """Makes it the photograph of every page."""
    st.session_state.picture = picture


def policy_text() -> str:
    """The YAML of the rules in force: the visitor's own, or those that come with the models."""
    own: str | None = st.session_state.get("policy_text")
    return _common_policy() if own is None else own


def keep_policy(text: str | None) -> None:
    """Makes the YAML the rules of every page, for this visitor alone; None goes back to the common ones."""
    st.session_state.policy_text = text


def has_own_policy() -> bool:
    """Whether the visitor has rules of their own."""
    return st.session_state.get("policy_text") is not None


def answer(picture: Picture, choice: Choice) -> Prediction:
    """The answer for a photograph; asked once, however often the rules change.

    Raises:
        ImageError: it cannot be read.
        EmolensError: nobody answers.
    """
    return under_rules(_predicted(picture, choice.model, choice.detector), choice)


def under_rules(prediction: Prediction, choice: Choice) -> Prediction:
    """The prediction under the visitor's rules and threshold."""
    if choice.threshold is None and not has_own_policy():
        return prediction
    policy = with_threshold(_policy(policy_text()), choice.threshold)
    return redecide(prediction, policy, threshold_of(choice.model))


def threshold_of(model: str) -> Callable[[str], float]:
    """From which probability on the model's emotions count as found."""
    card = about(model).card
    return (lambda _: _UNKNOWN_THRESHOLD) if card is None else card.threshold_of


def common_threshold(model: str) -> tuple[float, str]:
    """Where the threshold stands until it is moved, and who says so, in a sentence."""
    own = _policy(policy_text()).threshold
    if own is not None:
        return own, f"{percent(own)} is what the rules say."
    card = about(model).card
    if card is None:
        return _UNKNOWN_THRESHOLD, "Until this is moved, the server's own threshold counts."
    return card.threshold, f"{percent(card.threshold)} is what the model's makers recommend."


@st.cache_resource(show_spinner=False)
def about(model: str) -> About:
    """What is known of a model.

    Raises:
        EmolensError: it cannot be opened.
    """
    return backend().about(model)


def last(name: str, key: object, make: Callable[[], _T]) -> _T:
    """What `make` gives, made anew only when the key is another than the last time."""
    kept = st.session_state.get(f"last {name}")
    if kept is None or kept[0] != key:
        kept = st.session_state[f"last {name}"] = (key, make())
    value: _T = kept[1]
    return value


@st.cache_data(max_entries=500, show_spinner="Reading the photo", hash_funcs={Picture: lambda picture: picture.key})
def _predicted(picture: Picture, model: str, detector: str) -> Prediction:
    return backend().predict(picture, model, detector)


@st.cache_data(max_entries=100, show_spinner=False)
def _policy(text: str) -> Policy:
    return Policy.from_yaml(text, "policy")


@st.cache_data(ttl=60, show_spinner=False)
def _common_policy() -> str:
    return backend().policy_text()


def _arguments() -> Namespace:
    """What `emolens ui` was told of the page."""
    parser = ArgumentParser()
    parser.add_argument("--server")
    return parser.parse_known_args()[0]
