"""Reads a policy file: bounded YAML in, the fields of a `Policy` out, and every fault with its line."""

from collections.abc import Sequence
from contextlib import suppress
from operator import itemgetter
from typing import Any, TypedDict, TypeVar, get_args

import yaml
from yaml import MappingNode, Node, ScalarNode, SequenceNode
from yaml.reader import ReaderError

from emolens.emoji import bare, is_emoji
from emolens.errors import PolicyError
from emolens.labels import ALIASES, LABEL_SETS, canonical, did_you_mean
from emolens.policy import Conflict, ContextRule, Fallback, Rule

MAX_DEPTH = 8  # a policy needs five levels
MAX_FAULTS = 20  # beyond that the file is of another kind
_KEYS = ("name", "labels", "conflict", "fallback", "threshold", "thresholds", "rules", "context", "no_face")
_REQUIRED = ("name", "labels", "rules")
_TEXT = "tag:yaml.org,2002:str"

Choice = TypeVar("Choice", bound=str)


class Fields(TypedDict):
    """What a policy file says: the arguments of `Policy`."""

    name: str
    labels: tuple[str, ...]
    rules: dict[str, Rule]
    context: tuple[ContextRule, ...]
    no_face: Rule
    conflict: Conflict
    fallback: Fallback
    threshold: float | None
    thresholds: dict[str, float]


def parse(text: str, source: str) -> Fields:
    """Reads the text of a policy file.

    Args:
        text: YAML, of a size that the caller has bounded.
        source: the file's name in messages.

    Raises:
        PolicyError: one `FILE:LINE: what` per fault, in the order of the lines.
    """
    root = _compose(text, source)
    if root is None:
        raise PolicyError(f"{source}:1: is empty; begin with the output of `emolens policy show`")
    reader = _Reader()
    fields = reader.policy(root)
    if reader.faults:
        raise PolicyError(_report(source, sorted(reader.faults, key=itemgetter(0))))
    return fields


def _report(source: str, faults: Sequence[tuple[int, str]]) -> str:
    lines = [f"{source}:{line}: {what}" for line, what in faults[:MAX_FAULTS]]
    if len(faults) > MAX_FAULTS:
        lines.append(f"{source}:{faults[MAX_FAULTS][0]}: and {len(faults) - MAX_FAULTS} more faults from here on")
    return "\n".join(lines)


def _compose(text: str, source: str) -> Node | None:
    try:
        loader = _PlainLoader(text)
    except ReaderError as error:
        line = text.count("\n", 0, error.position) + 1
        raise PolicyError(
            f"{source}:{line}: holds a character that YAML does not allow: {error.character:#x}"
        ) from None
    try:
        return loader.get_single_node()
    except yaml.MarkedYAMLError as error:
        line = (error.problem_mark.line if error.problem_mark else loader.line) + 1
        raise PolicyError(f"{source}:{line}: is not YAML that can be read: {error.problem}") from None
    except (ValueError, OverflowError):  # PyYAML lets these through for escapes and versions that are out of range
        raise PolicyError(f"{source}:{loader.line + 1}: is not YAML that can be read: number out of range") from None


class _PlainLoader(yaml.SafeLoader):
    """YAML without what no policy needs and some attacks do: anchors and aliases, tags, deep nesting."""

    depth = 0

    def compose_node(self, parent: Node | None, index: Any) -> Node | None:
        event = self.peek_event()  # type: ignore[no-untyped-call]
        if getattr(event, "anchor", None) is not None:
            problem = "anchors and aliases (& and *) are not read; write the values out, and quote an emoji like '*️⃣'"
            raise yaml.MarkedYAMLError(problem=problem, problem_mark=event.start_mark)
        if getattr(event, "tag", None) is not None:
            raise yaml.MarkedYAMLError(problem="tags (!) are not read", problem_mark=event.start_mark)
        if self.depth == MAX_DEPTH:
            raise yaml.MarkedYAMLError(problem="it is nested too deeply", problem_mark=event.start_mark)
        self.depth += 1
        node = super().compose_node(parent, index)
        self.depth -= 1
        return node


class _Reader:
    """Reads the parts of a policy; a part at fault is noted and read as empty, so that one look finds all faults."""

    def __init__(self) -> None:
        self.faults: list[tuple[int, str]] = []
        self.set_name = ""
        self.labels: tuple[str, ...] = ()

    def fault(self, node: Node, what: str) -> None:
        self.faults.append((node.start_mark.line + 1, what))

    def policy(self, root: Node) -> Fields:
        parts = self.parts(root, "a policy", _KEYS, _REQUIRED)
        self.set_name, self.labels = self.label_set(parts.get("labels"))
        return {
            "name": self.name(parts.get("name")),
            "labels": self.labels,
            "rules": {label: self.rule(node) for label, node in self.by_label(parts.get("rules"), "rules")},
            "context": tuple(self.context_rule(node) for node in self.items(parts.get("context"), "context")),
            "no_face": self.rule(parts["no_face"]) if "no_face" in parts else Rule(),
            "conflict": self.choice(parts.get("conflict"), "conflict", get_args(Conflict), "block_wins"),
            "fallback": self.choice(parts.get("fallback"), "fallback", get_args(Fallback), "top"),
            "threshold": self.probability(parts["threshold"]) if "threshold" in parts else None,
            "thresholds": {
                label: self.probability(node) for label, node in self.by_label(parts.get("thresholds"), "thresholds")
            },
        }

    def name(self, node: Node | None) -> str:
        name = self.text(node, "name")
        if node is not None and name is not None and not (name.strip() and name.isprintable()):
            self.fault(node, "name must be a few words on one line")
        return name or ""

    def label_set(self, node: Node | None) -> tuple[str, tuple[str, ...]]:
        name = self.text(node, "labels")
        if node is not None and name is not None and name not in LABEL_SETS:
            hint = did_you_mean(name, LABEL_SETS)
            self.fault(node, f"{_shown(name)} is no label set{hint}")
        return name or "", LABEL_SETS.get(name or "", ())

    def rule(self, node: Node) -> Rule:
        parts = self.parts(node, "a rule", ("allow", "block"))
        return Rule(*self.sides(parts))

    def context_rule(self, node: Node) -> ContextRule:
        parts = self.parts(node, "a context rule", ("when", "allow", "block"), ("when",))
        items = self.items(parts.get("when"), "when")
        if isinstance(parts.get("when"), SequenceNode) and len(items) < 2:
            self.fault(parts["when"], "when needs two labels or more; what one label says belongs under rules")
        return ContextRule(self.each_once(items, "when"), *self.sides(parts))

    def sides(self, parts: dict[str, Node]) -> tuple[tuple[str, ...], tuple[str, ...]]:
        allow, block = self.emoji(parts.get("allow"), "allow"), self.emoji(parts.get("block"), "block")
        for key, node in block.items():
            if key in allow:
                self.fault(node, f"{node.value} is both allowed and blocked here; take it out of one of the two lists")
        return tuple(node.value for node in allow.values()), tuple(node.value for node in block.values())

    def emoji(self, node: Node | None, what: str) -> dict[str, Node]:
        """The emoji of a list, by what they compare as."""
        found: dict[str, Node] = {}
        for item in self.items(node, what):
            text = self.text(item, "an emoji")
            if text is None:
                continue
            if not is_emoji(text):
                self.fault(item, f"{_shown(text)} is not one known emoji")
            elif bare(text) in found:
                self.fault(item, f"{text} stands twice in {what}")
            else:
                found[bare(text)] = item
        return found

    def by_label(self, node: Node | None, what: str) -> list[tuple[str, Node]]:
        pairs = self.pairs(node, what)
        labels = self.each_once([key for key, _ in pairs], what)
        return list(zip(labels, (value for _, value in pairs), strict=True))

    def each_once(self, nodes: Sequence[Node], what: str) -> tuple[str, ...]:
        """One label per node, by its canonical name."""
        labels: list[str] = []
        for node in nodes:
            label = self.label(node)
            if label and label in labels:
                self.fault(node, f"{_shown(label)} stands twice in {what}")
            labels.append(label)
        return tuple(labels)

    def label(self, node: Node) -> str:
        text = self.text(node, "a label")
        if text is None:
            return ""
        label = canonical(text)
        if self.labels and label not in self.labels:  # without labels the fault is the label set's
            aliases = [alias for alias, label in ALIASES.items() if label in self.labels]
            hint = did_you_mean(text, self.labels, aliases)
            self.fault(node, f"{_shown(text)} is no label of {self.set_name}{hint}")
        return label

    def parts(self, node: Node, what: str, known: Sequence[str], required: Sequence[str] = ()) -> dict[str, Node]:
        parts: dict[str, Node] = {}
        for key, value in self.pairs(node, what):
            name = self.text(key, "a key")
            if name is None:
                continue
            if name in parts:
                self.fault(key, f"'{name}' stands twice")
            elif name not in known:
                hint = did_you_mean(name, known)
                self.fault(key, f"{_shown(name)} is no key of {what}{hint}")
            else:
                parts[name] = value
        if isinstance(node, MappingNode):
            for name in required:
                if name not in parts:
                    self.fault(node, f"{what} needs the key '{name}'")
        return parts

    def choice(self, node: Node | None, what: str, choices: tuple[Choice, ...], default: Choice) -> Choice:
        text = self.text(node, what)
        for choice in choices:
            if text == choice:
                return choice
        if node is not None and text is not None:
            self.fault(node, f"{what} must be {' or '.join(choices)}, not {_shown(text)}")
        return default

    def probability(self, node: Node) -> float:
        value = -1.0
        # Python reads the number, since to YAML 1.1 a plain 1e-3 is text.
        if isinstance(node, ScalarNode) and node.style is None:
            with suppress(ValueError):
                value = float(node.value)
        if not 0 <= value <= 1:
            self.fault(node, f"a threshold is a number from 0 to 1, not {_what_stands(node)}")
        return value

    def pairs(self, node: Node | None, what: str) -> list[tuple[Node, Node]]:
        if isinstance(node, MappingNode):
            pairs: list[tuple[Node, Node]] = node.value
            return pairs
        if node is not None:
            self.fault(node, f"{what} must be a mapping (key: value), not {_what_stands(node)}")
        return []

    def items(self, node: Node | None, what: str) -> list[Node]:
        if isinstance(node, SequenceNode):
            items: list[Node] = node.value
            return items
        if node is not None:
            self.fault(node, f"{what} must be a list [..., ...], not {_what_stands(node)}")
        return []

    def text(self, node: Node | None, what: str) -> str | None:
        if isinstance(node, ScalarNode) and node.tag == _TEXT:
            text: str = node.value
            return text
        if node is not None:
            self.fault(node, f"{what} must be text, not {_what_stands(node)}")
        return None


def _what_stands(node: Node) -> str:
    if isinstance(node, ScalarNode):
        return _shown(node.value) if node.value else "nothing"
    return "a list" if isinstance(node, SequenceNode) else "a mapping"


def _shown(text: str) -> str:
    """The text in quotes, short, and with what no terminal should be sent written as escapes."""
    short = text if len(text) <= 40 else f"{text[:40]}..."
    return f"'{short}'" if short.isprintable() else ascii(short)
