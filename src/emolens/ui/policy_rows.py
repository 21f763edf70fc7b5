"""A policy as rows that people edit, and the rows as YAML again."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace

import yaml

from emolens.labels import LABEL_SETS
from emolens.policy import ContextRule, Policy, Rule
from emolens.ui.words import named

NO_FACE = ("no_face",)


@dataclass(frozen=True)
class Row:
    """What one emotion, several found together, or no face at all, makes of the reactions.

    Attributes:
        when: the emotions; `NO_FACE` for a photograph without one.
        allow: the emoji that fit.
        block: those that do not.
    """

    when: tuple[str, ...]
    allow: tuple[str, ...] = ()
    block: tuple[str, ...] = ()

    @property
    def title(self) -> str:
        """What the row is for, in words."""
        return "🖼️ no face in the photo" if self.when == NO_FACE else " and ".join(map(named, self.when))


def rows(policy: Policy) -> list[Row]:
    """A row for every emotion of the policy, with a rule or without, then the combinations, then no face."""
    rules = ((label, policy.rules.get(label, Rule())) for label in policy.labels)
    return [
        *(Row((label,), rule.allow, rule.block) for label, rule in rules),
        *(Row(rule.when, rule.allow, rule.block) for rule in policy.context),
        Row(NO_FACE, policy.no_face.allow, policy.no_face.block),
    ]


def with_rows(policy: Policy, rows: Sequence[Row]) -> Policy:
    """The policy with other rules; it may break rules of its own, which reading its YAML tells."""
    lone = {row.when[0]: Rule(row.allow, row.block) for row in rows if len(row.when) == 1 and row.when != NO_FACE}
    together = tuple(ContextRule(row.when, row.allow, row.block) for row in rows if len(row.when) > 1)
    no_face = next((Rule(row.allow, row.block) for row in rows if row.when == NO_FACE), policy.no_face)
    rules = {label: rule for label, rule in lone.items() if rule != Rule()}
    return replace(policy, rules=rules, context=together, no_face=no_face)


def known_emoji(policy: Policy) -> list[str]:
    """Every emoji that the policy speaks of, each once."""
    return list(dict.fromkeys(emoji for row in rows(policy) for emoji in (*row.allow, *row.block)))


def to_yaml(policy: Policy) -> str:
    """The policy as the text of a file that `Policy.load` reads; comments are not kept."""
    label_set = next(name for name, labels in LABEL_SETS.items() if labels == policy.labels)
    fields: dict[str, object] = {
        "name": policy.name,
        "labels": label_set,
        "conflict": policy.conflict,
        "fallback": policy.fallback,
    }
    if policy.threshold is not None:
        fields["threshold"] = policy.threshold
    if policy.thresholds:
        fields["thresholds"] = dict(policy.thresholds)
    fields["rules"] = {label: _sides(rule) for label, rule in policy.rules.items()}
    if policy.context:
        fields["context"] = [{"when": list(rule.when), **_sides(rule)} for rule in policy.context]
    if policy.no_face != Rule():
        fields["no_face"] = _sides(policy.no_face)
    return yaml.dump(fields, Dumper=_Writer, allow_unicode=True, sort_keys=False, width=4096)


class _Writer(yaml.SafeDumper):
    """Writes lists in one line, as people write them, and never with references."""

    def ignore_aliases(self, data: object) -> bool:  # noqa: ARG002
        return True


def _in_one_line(writer: _Writer, items: "list[object]") -> yaml.SequenceNode:
    return writer.represent_sequence("tag:yaml.org,2002:seq", items, flow_style=all(isinstance(i, str) for i in items))


_Writer.add_representer(list, _in_one_line)


def _sides(rule: Rule | ContextRule) -> dict[str, list[str]]:
    return dict(_listed(rule))


def _listed(rule: Rule | ContextRule) -> Iterator[tuple[str, list[str]]]:
    for name, emoji in (("allow", rule.allow), ("block", rule.block)):
        if emoji:
            yield name, list(emoji)
