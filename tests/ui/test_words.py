"""What the page says in words."""

from dataclasses import replace

from emolens.labels import LABEL_SETS
from emolens.policy import Policy
from emolens.results import Face, Prediction, Reactions
from emolens.ui.words import emoji_of, faces_found, headline, named, timing, why

PREDICTION = Prediction("a.jpg", "tiny", 9, 9, {"happy": 0.8, "sad": 0.2}, ("happy",), (), Reactions())


def test_every_emotion_of_our_label_sets_has_an_emoji_of_its_own() -> None:
    for labels in LABEL_SETS.values():
        assert len({emoji_of(label) for label in labels}) == len(labels)
        assert "▫️" not in map(emoji_of, labels)


def test_other_names_of_an_emotion_have_its_emoji_and_unknown_ones_a_mark() -> None:
    assert emoji_of("Happiness") == emoji_of("happy")
    assert named("bored") == "▫️ bored"


def test_the_headline_says_the_answer_or_that_there_is_none() -> None:
    assert headline(PREDICTION) == "😀 happy 80%"
    assert headline(replace(PREDICTION, unsure=True)) == "🤷 Not sure, perhaps happy"
    assert headline(replace(PREDICTION, probabilities={"happy": 0.0})) == "🔍 No face was found"


def test_it_is_said_what_was_looked_at() -> None:
    face = Face((0, 0, 1, 1), 0.9, {"happy": 1.0}, ("happy",))
    assert "no face" in faces_found(PREDICTION, looks_at_faces=True)
    assert "whole picture" in faces_found(PREDICTION, looks_at_faces=False)
    assert faces_found(replace(PREDICTION, faces=(face,)), looks_at_faces=True) == "One face was found."
    assert faces_found(replace(PREDICTION, faces=(face, face)), looks_at_faces=True).startswith("2 faces")


def test_every_reaction_has_its_reason_and_a_conflict_says_both_sides() -> None:
    reactions = Policy.load("social").decide(["happy", "sad"], {"happy": 0.5, "sad": 0.5})
    lines = why(reactions)
    assert [emoji for emoji, _, fits in lines if fits for emoji in emoji]
    said = {emoji: (reason, fits) for listed, reason, fits in lines for emoji in listed}
    assert set(said) == {*reactions.allowed, *reactions.blocked}
    assert said["😀"] == ("goes with happy", True)
    assert said["😢"] == ("does not go with happy, though it does with sad", False)


def test_a_photo_without_a_face_is_a_reason_in_words() -> None:
    ((_, reason, fits),) = why(Policy.load("social").decide_no_face())
    assert (reason, fits) == ("goes with a photo without a face", True)


def test_timing_names_only_the_steps_that_took_time() -> None:
    assert timing({"decode": 20.0, "detect": 0.0, "classify": 5.4, "total": 25.4}) == (
        "25 milliseconds (opening the photo 20, reading them 5)"
    )
