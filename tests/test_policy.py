"""Policies: what they allow and block, and what is refused of their files."""

import json
import re
from dataclasses import replace
from itertools import chain
from pathlib import Path
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from emolens.emoji import bare
from emolens.errors import PolicyError
from emolens.labels import LABEL_SETS
from emolens.policy import MAX_BYTES, ContextRule, Policy, Rule, embedded_names, embedded_text

SOCIAL = Policy.load("social")

TABLE = {
    "happy": ("😀 😄 😎 😍 😂 ❤️ 👍 🎉", "😢 😞 😭 😡 😤"),
    "sad": ("😢 😞 😭 💔 🤍 🙏", "😂 😆 😎 🎉"),
    "angry": ("😡 😤 💢 👎", "😂 😆 😍"),
    "fear": ("😨 😰 😱 🙏", "😆 😎 🎉"),
    "disgust": ("🤢 😒 🙄", "😍 😘 🥰"),
    "surprise": ("😮 🤯 😲 😳", ""),
    "neutral": ("👍 🙂 🤝 👌", "😍 🤯 😡"),
    "other": ("🤔 😕 😬 🤷", ""),
}


def policy(**changes: Any) -> Policy:
    rules = {"happy": Rule(allow=("🎉", "👍"), block=("😢",)), "sad": Rule(allow=("😢", "🙏"), block=("🎉",))}
    return replace(Policy("mine", LABEL_SETS["social8"], rules), **changes)


# What the embedded policy says


@pytest.mark.parametrize("label", TABLE)
def test_one_emotion_allows_and_blocks_its_row_of_the_table(label: str) -> None:
    allowed, blocked = TABLE[label]
    reactions = SOCIAL.decide([label], {label: 1.0})
    assert reactions.allowed == reactions.suggested == tuple(allowed.split())
    assert reactions.blocked == tuple(blocked.split())


@pytest.mark.parametrize("company", ["sad", "fear", "angry"])
def test_surprise_in_bad_company_also_blocks_celebration_and_laughter(company: str) -> None:
    reactions = SOCIAL.decide(["surprise", company], {"surprise": 0.5, company: 0.5})
    assert {"🎉", "😂"} <= set(reactions.blocked)
    assert set(reactions.reasons["🎉"]["blocked_by"]) >= {"surprise", company}


@pytest.mark.parametrize("company", ["happy", "neutral", "disgust", "other"])
def test_surprise_in_other_company_blocks_nothing(company: str) -> None:
    alone = SOCIAL.decide([company], {company: 1.0})
    reactions = SOCIAL.decide(["surprise", company], {"surprise": 0.5, company: 0.5})
    assert reactions.blocked == alone.blocked
    assert all("surprise" not in reason["blocked_by"] for reason in reactions.reasons.values())


def test_a_photograph_without_a_face_has_reactions_of_its_own() -> None:
    reactions = SOCIAL.decide_no_face()
    assert reactions.allowed == reactions.suggested == ("👍", "❤️")
    assert reactions.blocked == ()
    assert reactions.reasons["👍"] == {"allowed_by": ("no_face",), "blocked_by": ()}


def test_the_embedded_policy_blocks_on_conflict_falls_back_to_the_top_and_leaves_thresholds_to_the_model() -> None:
    assert (SOCIAL.conflict, SOCIAL.fallback, SOCIAL.threshold, SOCIAL.thresholds) == ("block_wins", "top", None, {})


# Deciding


def test_by_default_a_blocked_emoji_is_not_allowed_and_its_reason_names_both_sides() -> None:
    reactions = policy().decide(["happy", "sad"], {"happy": 0.6, "sad": 0.4})
    assert reactions.allowed == ("👍", "🙏")
    assert reactions.blocked == ("😢", "🎉")
    assert reactions.reasons["🎉"] == {"allowed_by": ("happy",), "blocked_by": ("sad",)}
    assert reactions.reasons["👍"] == {"allowed_by": ("happy",), "blocked_by": ()}


def test_allow_wins_keeps_it_allowed_and_its_reason_names_both_sides() -> None:
    reactions = policy(conflict="allow_wins").decide(["happy", "sad"], {"happy": 0.6, "sad": 0.4})
    assert reactions.allowed == ("🎉", "👍", "😢", "🙏")
    assert reactions.blocked == ()
    assert reactions.reasons["🎉"] == {"allowed_by": ("happy",), "blocked_by": ("sad",)}


def test_a_context_rule_adds_and_blocks_only_when_all_its_emotions_are_found() -> None:
    bittersweet = policy(context=(ContextRule(("happy", "sad"), allow=("🥹",), block=("👍",)),))
    both = bittersweet.decide(["sad", "happy"], {"happy": 0.5, "sad": 0.5})
    assert "🥹" in both.allowed
    assert "👍" in both.blocked
    assert both.reasons["🥹"]["allowed_by"] == ("happy", "sad")
    one = bittersweet.decide(["happy"], {"happy": 1.0})
    assert "🥹" not in one.allowed
    assert "👍" in one.allowed


def test_emoji_are_the_same_with_and_without_the_selector_and_come_out_as_first_written() -> None:
    hearts = policy(rules={"happy": Rule(allow=("❤",)), "sad": Rule(block=("❤️",)), "neutral": Rule(allow=("❤️",))})
    assert hearts.decide(["happy", "sad"], {}).allowed == ()
    assert hearts.decide(["sad"], {}).blocked == ("❤",)
    assert hearts.decide(["happy", "neutral"], {}).allowed == ("❤",)
    assert hearts.decide(["happy", "neutral"], {}).reasons["❤"]["allowed_by"] == ("happy", "neutral")


def test_the_likeliest_emotions_emoji_are_suggested_first_and_ties_keep_the_order_of_the_rules() -> None:
    reactions = policy(conflict="allow_wins").decide(["sad", "happy"], {"happy": 0.4, "sad": 0.6})
    assert reactions.allowed == ("🎉", "👍", "😢", "🙏")
    assert reactions.suggested == ("😢", "🙏", "🎉", "👍")


def test_an_emoji_of_two_emotions_ranks_by_the_likelier_one() -> None:
    rules = {"happy": Rule(allow=("🎉",)), "sad": Rule(allow=("🙏",)), "fear": Rule(allow=("🙏",))}
    reactions = policy(rules=rules).decide(["happy", "sad", "fear"], {"happy": 0.4, "sad": 0.35, "fear": 0.25})
    assert reactions.suggested == ("🎉", "🙏")


def test_contempt_counts_as_other_and_a_label_without_a_place_says_nothing() -> None:
    probabilities = {"contempt": 0.6, "awe": 0.3, "happiness": 0.1}
    reactions = SOCIAL.decide(["contempt", "awe", "happiness"], probabilities)
    assert reactions.suggested[:4] == ("🤔", "😕", "😬", "🤷")
    assert reactions.reasons["🤔"]["allowed_by"] == ("other",)
    assert "😀" in reactions.allowed
    assert SOCIAL.decide(["awe"], {"awe": 1.0}).allowed == ()


def test_an_emotion_without_a_rule_says_nothing() -> None:
    assert policy().decide(["fear"], {"fear": 1.0}).to_dict()["reasons"] == {}


# Which emotions are present


def test_emotions_at_or_over_their_threshold_are_present_likeliest_first() -> None:
    probabilities = {"happy": 0.35, "sad": 0.4, "fear": 0.25}
    assert policy().present(probabilities, lambda _: 0.35) == ("sad", "happy")


def test_without_any_the_top_one_is_present_only_if_the_policy_falls_back_to_it() -> None:
    probabilities = {"happy": 0.3, "sad": 0.2}
    assert policy(fallback="top").present(probabilities, lambda _: 0.35) == ("happy",)
    assert policy(fallback="none").present(probabilities, lambda _: 0.35) == ()


def test_nothing_is_present_where_nothing_was_measured() -> None:
    assert policy().present({"happy": 0.0, "sad": 0.0}, lambda _: 0.35) == ()
    assert policy().present({}, lambda _: 0.35) == ()


def test_the_policys_thresholds_win_over_the_models_and_single_ones_over_the_common_one() -> None:
    probabilities = {"happiness": 0.5, "sadness": 0.3, "contempt": 0.2}
    assert policy(threshold=0.25).present(probabilities, lambda _: 0.9) == ("happiness", "sadness")
    strict = policy(threshold=0.25, thresholds={"happy": 0.6, "other": 0.1})
    assert strict.present(probabilities, lambda _: 0.9) == ("sadness", "contempt")
    card = {"happiness": 0.6, "sadness": 0.3, "contempt": 0.3}
    assert policy().present(probabilities, card.__getitem__) == ("sadness",)


# Reading


def test_the_embedded_text_is_what_the_embedded_name_loads() -> None:
    assert embedded_names() == ("social",)
    assert Policy.from_yaml(embedded_text("social"), "mine.yaml") == SOCIAL


def test_a_file_is_loaded_by_its_path(tmp_path: Path) -> None:
    file = tmp_path / "mine.yaml"
    file.write_text(embedded_text("social").replace("name: social", "name: mine"), encoding="utf-8")
    assert Policy.load(file) == Policy.load(str(file)) == replace(SOCIAL, name="mine")


def test_a_byte_order_mark_and_windows_line_ends_are_read(tmp_path: Path) -> None:
    file = tmp_path / "mine.yaml"
    file.write_bytes(b"\xef\xbb\xbf" + embedded_text("social").replace("\n", "\r\n").encode())
    assert Policy.load(file) == SOCIAL


def test_an_alias_of_a_label_counts_as_the_label() -> None:
    read = Policy.from_yaml("name: mine\nlabels: social8\nrules:\n  Joy: {allow: [😀]}\nthresholds: {anger: 1}\n", "m")
    assert read.rules == {"happy": Rule(allow=("😀",))}
    assert read.thresholds == {"angry": 1.0}


def test_only_name_labels_and_rules_are_needed() -> None:
    assert Policy.from_yaml("{name: mine, labels: fer7, rules: {}}", "m") == Policy("mine", LABEL_SETS["fer7"], {})


@pytest.mark.parametrize(
    ("line", "message"),
    [
        ("rulez: {}", "mine.yaml:4: 'rulez' is no key of a policy; did you mean 'rules'?"),
        ("xyz: 1", "mine.yaml:4: 'xyz' is no key of a policy; there are name, labels, conflict,"),
        ("name: again", "mine.yaml:4: 'name' stands twice"),
        ("<<: {name: again}", "mine.yaml:4: a key must be text, not '<<'"),
        ("[1]: 2", "mine.yaml:4: a key must be text, not a list"),
        ("conflict: block-wins", "mine.yaml:4: conflict must be block_wins or allow_wins, not 'block-wins'"),
        ("fallback: [top]", "mine.yaml:4: fallback must be text, not a list"),
        ("fallback:", "mine.yaml:4: fallback must be text, not nothing"),
        ("threshold: 1.5", "mine.yaml:4: a threshold is a number from 0 to 1, not '1.5'"),
        ("threshold: .nan", "mine.yaml:4: a threshold is a number from 0 to 1, not '.nan'"),
        ("threshold: '0.5'", "mine.yaml:4: a threshold is a number from 0 to 1, not '0.5'"),
        ("threshold: yes", "mine.yaml:4: a threshold is a number from 0 to 1, not 'yes'"),
        ("thresholds: {happy: -0.1}", "mine.yaml:4: a threshold is a number from 0 to 1, not '-0.1'"),
        ("thresholds: 0.5", "mine.yaml:4: thresholds must be a mapping (key: value), not '0.5'"),
        ("thresholds: {hapiness: 1}", "mine.yaml:4: 'hapiness' is no label of social8; did you mean 'happiness'?"),
        ("context: {when: [happy, sad]}", "mine.yaml:4: context must be a list [..., ...], not a mapping"),
        ("context: [when]", "mine.yaml:4: a context rule must be a mapping (key: value), not 'when'"),
        ("context: [{block: [😀]}]", "mine.yaml:4: a context rule needs the key 'when'"),
        ("context: [{when: [happy]}]", "mine.yaml:4: when needs two labels or more;"),
        ("context: [{when: []}]", "mine.yaml:4: when needs two labels or more;"),
        ("context: [{when: [happy, joy]}]", "mine.yaml:4: 'happy' stands twice in when"),
        ("context: [{when: [happy, sod]}]", "mine.yaml:4: 'sod' is no label of social8; did you mean 'sad'?"),
        ("context: [{when: [happy, sad], allow: [❤], block: [❤️]}]", "mine.yaml:4: ❤️ is both allowed and blocked here;"),
        ("no_face: [👍]", "mine.yaml:4: a rule must be a mapping (key: value), not a list"),
        ("no_face: {allow: 👍}", "mine.yaml:4: allow must be a list [..., ...], not '👍'"),
        ("no_face: {allow: [1]}", "mine.yaml:4: an emoji must be text, not '1'"),
        ("no_face: {allow: [smile]}", "mine.yaml:4: 'smile' is not one known emoji"),
        ("no_face: {allow: [❤️❤️]}", "mine.yaml:4: '❤️❤️' is not one known emoji"),
        ("no_face: {allow: [❤️, ❤]}", "mine.yaml:4: ❤ stands twice in allow"),
        ("no_face: {alow: [👍]}", "mine.yaml:4: 'alow' is no key of a rule; did you mean 'allow'?"),
        ("no_face: !!python/object:os.system {}", "mine.yaml:4: is not YAML that can be read: tags (!) are not read"),
        ("fallback: !!str top", "mine.yaml:4: is not YAML that can be read: tags (!) are not read"),
        ("no_face: &face {allow: [👍]}", "mine.yaml:4: is not YAML that can be read: anchors and aliases"),
        ("no_face: *face", "mine.yaml:4: is not YAML that can be read: anchors and aliases"),
        ("no_face: " + "[" * 50, "mine.yaml:4: is not YAML that can be read: it is nested too deeply"),
        ("no_face: [", "is not YAML that can be read"),
        ("\tno_face: x", "mine.yaml:4: is not YAML that can be read"),
        ('fallback: "\\UFFFFFFFF"', "mine.yaml:4: is not YAML that can be read"),
        ("fallback: \0", "mine.yaml:4: holds a character that YAML does not allow: 0x0"),
        ("---\nname: second", "mine.yaml:4: is not YAML that can be read"),
        ("fallback: " + "x" * 1000, "mine.yaml:4: fallback must be top or none, not 'xxxxxxxx"),
        ('fallback: "\\e[2J\\uD800"', "mine.yaml:4: fallback must be top or none, not '\\x1b[2J\\ud800'"),
    ],
)
def test_a_fault_is_refused_with_its_line(line: str, message: str) -> None:
    text = f"name: mine\nlabels: social8\nrules: {{happy: {{allow: [😀]}}}}\n{line}\n"
    with pytest.raises(PolicyError, match=re.escape(message)) as refused:
        Policy.from_yaml(text, "mine.yaml")
    assert len(str(refused.value)) < 250


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("", "m:1: is empty"),
        ("# nothing\n", "m:1: is empty"),
        ("social", "m:1: a policy must be a mapping (key: value), not 'social'"),
        ("\n\nname: mine\nrules: {}\n", "m:3: a policy needs the key 'labels'"),
        ("name: mine\nlabels: soci8\nrules: {}", "m:2: 'soci8' is no label set; did you mean 'social8'?"),
        ("name: 7\nlabels: fer7\nrules: {}", "m:1: name must be text, not '7'"),
        ("name: ' '\nlabels: fer7\nrules: {}", "m:1: name must be a few words on one line"),
        ("name: m\nlabels: fer7\nrules:\n  happy: {}\n  joy: {}", "m:5: 'happy' stands twice in rules"),
        ("name: m\nlabels: fer7\nrules:\n  contempt: {}", "m:4: 'contempt' is no label of fer7"),
        ("name: m\nlabels: fer7\nrules:\n  happy:\n    allow: [❤]\n    block:\n    - ❤️", "m:7: ❤️ is both allowed and"),
    ],
)
def test_what_cannot_be_a_policy_is_refused_with_its_line(text: str, message: str) -> None:
    with pytest.raises(PolicyError, match=re.escape(message)):
        Policy.from_yaml(text, "m")


def test_all_faults_are_told_at_once_one_per_line_in_order() -> None:
    text = "name: m\nlabels: social8\nthreshold: 2\nrules:\n  hapy: {allow: [x]}\n  sad: {alow: []}\n"
    with pytest.raises(PolicyError) as refused:
        Policy.from_yaml(text, "m")
    assert str(refused.value).splitlines() == [
        "m:3: a threshold is a number from 0 to 1, not '2'",
        "m:5: 'hapy' is no label of social8; did you mean 'happy'?",
        "m:5: 'x' is not one known emoji",
        "m:6: 'alow' is no key of a rule; did you mean 'allow'?",
    ]


def test_a_file_of_another_kind_is_no_flood_of_faults() -> None:
    with pytest.raises(PolicyError) as refused:
        Policy.from_yaml("\n".join(f"key{number}: 1" for number in range(1, 101)), "m")
    lines = str(refused.value).splitlines()
    assert len(lines) == 21
    assert lines[-1] == "m:18: and 83 more faults from here on"


def test_an_unknown_name_is_refused_with_the_nearest() -> None:
    with pytest.raises(PolicyError, match=r"no embedded policy; did you mean 'social'\?"):
        Policy.load("socail")
    with pytest.raises(PolicyError, match=r"'socail' is no embedded policy; did you mean 'social'\?"):
        embedded_text("socail")


def test_files_that_are_no_text_of_a_bearable_size_are_refused(tmp_path: Path) -> None:
    latin, big = tmp_path / "latin.yaml", tmp_path / "big.yaml"
    latin.write_bytes(b"name: mine\nlabels: caf\xe9\n")
    big.write_bytes(b"# " + b"x" * MAX_BYTES)
    for path, message in [
        (latin, "latin.yaml:2: is not UTF-8"),
        (big, "big.yaml: is over 64 KB"),
        (tmp_path, "cannot be read: Is a directory"),
        (tmp_path / "a\0b", "cannot be read"),
    ]:
        with pytest.raises(PolicyError, match=message):
            Policy.load(path)


# Policies by the thousand

EMOJI = [*sorted({*" ".join(chain.from_iterable(TABLE.values())).split()}), "❤", "🤷‍♀️", "🤷‍♀", "👍🏽"]
probability = st.floats(0, 1)


def split(emoji: list[str], at: int) -> dict[str, list[str]]:
    return {"allow": emoji[:at], "block": emoji[at:]}


sides = st.builds(split, st.lists(st.sampled_from(EMOJI), unique_by=bare, max_size=8), st.integers(0, 8))


def files_over(name: str) -> st.SearchStrategy[dict[str, Any]]:
    label = st.sampled_from(LABEL_SETS[name])
    when = st.lists(label, min_size=2, max_size=3, unique=True)
    return st.fixed_dictionaries(
        {
            "name": st.just("made"),
            "labels": st.just(name),
            "conflict": st.sampled_from(["block_wins", "allow_wins"]),
            "fallback": st.sampled_from(["top", "none"]),
            "thresholds": st.dictionaries(label, probability, max_size=2),
            "rules": st.dictionaries(label, sides, max_size=4),
            "context": st.lists(st.builds(lambda when, sides: {"when": when, **sides}, when, sides), max_size=2),
            "no_face": sides,
        }
    )


policy_files = st.one_of([files_over(name) for name in LABEL_SETS])


@settings(max_examples=1000, deadline=None, suppress_health_check=[HealthCheck.too_slow])
@given(policy_files, st.dictionaries(st.sampled_from(LABEL_SETS["ferplus8"]), probability, min_size=1), probability)
def test_whatever_a_policy_says_each_emoji_is_in_one_list_and_for_a_reason(
    file: dict[str, Any], probabilities: dict[str, float], threshold: float
) -> None:
    made = Policy.from_yaml(json.dumps(file, ensure_ascii=False), "made.yaml")  # JSON is YAML, and quicker to write
    emotions = made.present(probabilities, lambda _: threshold)
    for reactions, rules in [
        (made.decide(emotions, probabilities), [*made.rules.values(), *made.context]),
        (made.decide_no_face(), [made.no_face]),
    ]:
        allowed, blocked = [[bare(emoji) for emoji in side] for side in (reactions.allowed, reactions.blocked)]
        assert len({*allowed, *blocked}) == len(allowed) + len(blocked)
        assert set(allowed) <= {bare(emoji) for rule in rules for emoji in rule.allow}
        assert set(blocked) <= {bare(emoji) for rule in rules for emoji in rule.block}
        assert sorted(reactions.suggested) == sorted(reactions.allowed)
        assert set(reactions.reasons) == {*reactions.allowed, *reactions.blocked}
        assert all(reactions.reasons[emoji]["allowed_by"] for emoji in reactions.allowed)
        assert all(reactions.reasons[emoji]["blocked_by"] for emoji in reactions.blocked)


words = st.sampled_from(["happy", "joy", "sad", "allow", "block", "when", "rules", "labels", "social8", "context", "❤️"])
junk_values = st.recursive(
    st.none() | st.booleans() | st.floats() | words | st.text(max_size=5),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(words, inner, max_size=3),
    max_leaves=8,
)
junk_policies = st.builds(
    lambda file, changes: json.dumps(file | changes, ensure_ascii=False),
    policy_files,
    st.dictionaries(
        st.sampled_from(["name", "labels", "rules", "context", "no_face", "threshold"]) | words, junk_values
    ),
)
yaml_scraps = st.lists(st.sampled_from([*"-:?[]{},&*!|>%@#'\"\\ \n\t\0", "--- ", "\\U", "F", "1", "happy", "❤️"])).map(
    "".join
)


@settings(max_examples=1000, deadline=None, suppress_health_check=[HealthCheck.too_slow])
@given(st.text() | yaml_scraps | junk_values.map(json.dumps) | junk_policies)
def test_whatever_a_file_holds_it_is_a_policy_or_refused_with_a_line(text: str) -> None:
    try:
        Policy.from_yaml(text, "junk.yaml")
    except PolicyError as error:
        lines = str(error).split("\n")
        assert all(re.match(r"junk\.yaml:[1-9]\d*: .", line) for line in lines)
