"""Policies as rows, and back."""

from dataclasses import replace

import pytest

from emolens.errors import PolicyError
from emolens.policy import Policy, Rule, embedded_names
from emolens.ui.policy_rows import NO_FACE, Row, known_emoji, rows, to_yaml, with_rows


@pytest.mark.parametrize("name", embedded_names())
def test_a_policy_comes_back_as_it_was(name: str) -> None:
    policy = Policy.load(name)
    assert with_rows(policy, rows(policy)) == policy
    assert Policy.from_yaml(to_yaml(policy), "policy") == policy


def test_all_that_a_policy_can_say_is_written() -> None:
    policy = replace(
        Policy.load("social"),
        conflict="allow_wins",
        fallback="none",
        threshold=0.25,
        thresholds={"fear": 0.5},
        no_face=Rule(),
        context=(),
    )
    assert Policy.from_yaml(to_yaml(policy), "policy") == policy


def test_there_is_a_row_for_every_emotion_even_without_a_rule() -> None:
    found = rows(Policy("mine", ("happy", "sad"), {}))
    assert [row.when for row in found] == [("happy",), ("sad",), NO_FACE]
    assert [row.title for row in found] == ["😀 happy", "😢 sad", "🖼️ no face in the photo"]


def test_a_changed_row_changes_what_fits() -> None:
    policy = Policy.load("social")
    changed = [replace(row, allow=("🍰",)) if row.when == ("happy",) else row for row in rows(policy)]
    assert with_rows(policy, changed).decide(["happy"], {"happy": 1.0}).allowed == ("🍰",)


def test_a_row_of_several_emotions_holds_when_they_are_found_together() -> None:
    policy = Policy.load("social")
    both = with_rows(policy, [*rows(policy), Row(("happy", "sad"), (), ("🎉",))])
    assert "🎉" in both.decide(["happy", "sad"], {"happy": 0.5, "sad": 0.5}).blocked


def test_what_breaks_a_rule_is_told_when_the_text_is_read() -> None:
    policy = Policy.load("social")
    wrong = with_rows(policy, [Row(("happy",), ("hello",), ())])
    with pytest.raises(PolicyError, match="'hello' is not one known emoji"):
        Policy.from_yaml(to_yaml(wrong), "policy")


def test_every_emoji_is_offered_once() -> None:
    offered = known_emoji(Policy.load("social"))
    assert len(offered) == len(set(offered)) > 20
