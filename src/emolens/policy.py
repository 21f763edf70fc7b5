"""Policy: which emoji reactions fit the emotions of an image, and which do not."""

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from functools import cached_property, lru_cache
from os import PathLike
from pathlib import Path
from typing import Literal, Self

from emolens.emoji import bare
from emolens.errors import PolicyError
from emolens.labels import did_you_mean, project_label
from emolens.results import Reactions

Conflict = Literal["block_wins", "allow_wins"]
Fallback = Literal["top", "none"]

MAX_BYTES = 64 * 1024
_EMBEDDED = Path(__file__).with_name("policies")


@dataclass(frozen=True)
class Rule:
    """The emoji that one emotion allows and blocks."""

    allow: tuple[str, ...] = ()
    block: tuple[str, ...] = ()


@dataclass(frozen=True)
class ContextRule:
    """The emoji that a combination of emotions allows and blocks; it applies when all of `when` are found together."""

    when: tuple[str, ...]
    allow: tuple[str, ...] = ()
    block: tuple[str, ...] = ()


@dataclass(frozen=True)
class Policy:
    """Rules that turn emotions into reactions.

    Attributes:
        name: what the policy calls itself.
        labels: the label set that the rules speak of; a model's other labels are projected onto it.
        rules: per label; a label without a rule says nothing.
        context: what combinations of labels add.
        no_face: the reactions to an image without a face.
        conflict: the list that keeps an emoji which one emotion allows and another blocks.
        fallback: when no label reaches its threshold, take the likeliest (`top`) or no label at all (`none`).
        threshold: from which probability on a label is found; None leaves it to the model card.
        thresholds: the same for single labels; they win over `threshold`.
    """

    name: str
    labels: tuple[str, ...]
    rules: Mapping[str, Rule]
    context: tuple[ContextRule, ...] = ()
    no_face: Rule = Rule()
    conflict: Conflict = "block_wins"
    fallback: Fallback = "top"
    threshold: float | None = None
    thresholds: Mapping[str, float] = field(default_factory=dict)

    @classmethod
    def load(cls, source: str | PathLike[str]) -> Self:
        """Reads an embedded policy by name (a string such as `"social"`) or a YAML file by its path.

        Raises:
            PolicyError: there is no such policy or file, or it breaks a rule; one `FILE:LINE: what` per fault.
        """
        if isinstance(source, str) and source in embedded_names():
            return cls.from_yaml(embedded_text(source), f"{source}.yaml")
        return cls.from_yaml(_read(source), str(source))

    @classmethod
    def from_yaml(cls, text: str, source: str) -> Self:
        """Reads a policy from the text of a YAML file; `source` is the file's name in messages.

        Raises:
            PolicyError: the text breaks a rule; one `FILE:LINE: what` per fault, in the order of the lines.
        """
        from emolens.policy_file import parse  # it builds the rules above, so it can only come after them

        return cls(**parse(text, source))

    def present(self, probabilities: Mapping[str, float], threshold_of: Callable[[str], float]) -> tuple[str, ...]:
        """The labels at or over their thresholds, likeliest first; if there is none, what `fallback` says.

        Args:
            probabilities: per label of the model.
            threshold_of: the model card's threshold of a label; the policy's own, where it has one, wins.
        """
        likeliest_first = sorted(probabilities, key=probabilities.__getitem__, reverse=True)
        found = tuple(
            label for label in likeliest_first if probabilities[label] >= self._threshold_of(label, threshold_of)
        )
        if found or self.fallback == "none":
            return found
        return tuple(label for label in likeliest_first[:1] if probabilities[label] > 0)

    def decide(self, emotions: Sequence[str], probabilities: Mapping[str, float]) -> Reactions:
        """The reactions to these emotions.

        Allowed and blocked are the unions over the emotions and the context rules that apply, in the order of the
        rules; an emoji in both stays where `conflict` says. `suggested` puts first the emoji whose likeliest allowing
        emotion is the likeliest; ties keep the order of the rules. `reasons` keeps both sides of a conflict.

        Args:
            emotions: labels of the model; one without a place in the policy's label set says nothing.
            probabilities: per label of the model.
        """
        found = set(self._projected(emotions))
        weights = dict.fromkeys(self.labels, 0.0)
        for label, probability in probabilities.items():
            for place in self._projected([label]):
                weights[place] += probability
        applying = [ContextRule((label,), rule.allow, rule.block) for label, rule in self.rules.items()]
        applying += self.context
        return self._reactions([rule for rule in applying if found.issuperset(rule.when)], weights)

    def decide_no_face(self) -> Reactions:
        """The reactions to an image without a face; their reason is `no_face`."""
        rule = ContextRule(("no_face",), self.no_face.allow, self.no_face.block)
        return self._reactions([rule], {"no_face": 1.0})

    def _reactions(self, applying: Sequence[ContextRule], weights: Mapping[str, float]) -> Reactions:
        allowed_by = self._labels_of((rule.when, rule.allow) for rule in applying)
        blocked_by = self._labels_of((rule.when, rule.block) for rule in applying)
        allow_wins = self.conflict == "allow_wins"
        allowed = tuple(emoji for emoji in allowed_by if allow_wins or emoji not in blocked_by)
        blocked = tuple(emoji for emoji in blocked_by if not allow_wins or emoji not in allowed_by)
        likelihood = {emoji: max(weights[label] for label in allowed_by[emoji]) for emoji in allowed}
        return Reactions(
            allowed=allowed,
            blocked=blocked,
            suggested=tuple(sorted(allowed, key=likelihood.__getitem__, reverse=True)),
            reasons={
                emoji: {"allowed_by": allowed_by.get(emoji, ()), "blocked_by": blocked_by.get(emoji, ())}
                for emoji in (*allowed, *blocked)
            },
        )

    def _labels_of(self, sides: Iterable[tuple[tuple[str, ...], tuple[str, ...]]]) -> dict[str, tuple[str, ...]]:
        """Per emoji, the labels that list it, in the order of the rules and each once."""
        labels_of: dict[str, tuple[str, ...]] = {}
        for labels, listed in sides:
            for emoji in map(self._spelled, listed):
                labels_of[emoji] = tuple(dict.fromkeys((*labels_of.get(emoji, ()), *labels)))
        return labels_of

    def _spelled(self, emoji: str) -> str:
        return self._spellings[bare(emoji)]

    @cached_property
    def _spellings(self) -> dict[str, str]:
        """The first spelling of every emoji, so that ❤ and ❤️ come out as one."""
        spellings: dict[str, str] = {}
        rules: list[Rule | ContextRule] = [*self.rules.values(), *self.context, self.no_face]
        for emoji in (emoji for rule in rules for emoji in (*rule.allow, *rule.block)):
            spellings.setdefault(bare(emoji), emoji)
        return spellings

    def _projected(self, labels: Iterable[str]) -> list[str]:
        places = (_place(label, tuple(self.labels)) for label in labels)
        return [place for place in places if place is not None]

    def _threshold_of(self, label: str, threshold_of: Callable[[str], float]) -> float:
        for place in self._projected([label]):
            if place in self.thresholds:
                return self.thresholds[place]
        return threshold_of(label) if self.threshold is None else self.threshold


# Asked for each label of each face.
@lru_cache(maxsize=1024)
def _place(label: str, labels: tuple[str, ...]) -> str | None:
    return project_label(label, labels)


def embedded_names() -> tuple[str, ...]:
    """The names of the policies that come with emolens."""
    return tuple(sorted(path.stem for path in _EMBEDDED.glob("*.yaml")))


def embedded_text(name: str) -> str:
    """The YAML text of an embedded policy, comments and all.

    Raises:
        PolicyError: there is no such policy; the nearest name is given.
    """
    if name not in embedded_names():
        raise PolicyError(f"'{name}' is no embedded policy{did_you_mean(name, embedded_names())}")
    return (_EMBEDDED / f"{name}.yaml").read_text(encoding="utf-8")


def _read(path: str | PathLike[str]) -> str:
    try:
        with Path(path).open("rb") as file:
            data = file.read(MAX_BYTES + 1)
    except FileNotFoundError:
        if not isinstance(path, str):
            raise PolicyError(f"{path}: there is no such file") from None
        raise PolicyError(f"'{path}' is no file and no embedded policy{did_you_mean(path, embedded_names())}") from None
    except (OSError, ValueError) as error:
        raise PolicyError(f"{path}: cannot be read: {getattr(error, 'strerror', None) or error}") from None
    if len(data) > MAX_BYTES:
        raise PolicyError(f"{path}: is over {MAX_BYTES // 1024} KB, which no policy needs")
    try:
        return data.decode("utf-8")
    except UnicodeDecodeError as error:
        line = data.count(b"\n", 0, error.start) + 1
        raise PolicyError(f"{path}:{line}: is not UTF-8; save the file with that encoding") from None
