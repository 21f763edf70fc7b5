"""The live policy, its versions, and the way back to one of them."""

import asyncio
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path

from emolens.policy import MAX_BYTES, Policy, embedded_names, embedded_text
from emolens.serving.errors import RequestError

LIVE = "live"

_KEPT = 20


@dataclass(frozen=True)
class Version:
    """One policy that was or is live.

    Attributes:
        number: counts from 1.
        policy: what it does.
        text: its YAML.
        since: when it was put in.
    """

    number: int
    policy: Policy
    text: str
    since: datetime


class Policies:
    """The policies of one server.

    A request takes the live one once, at its start, and ends with it; replacing it is one assignment.

    Args:
        source: the policy at the start: a name or a YAML file.

    Raises:
        PolicyError: it is missing or breaks a rule.
    """

    def __init__(self, source: str) -> None:
        policy = Policy.load(source)
        text = embedded_text(source) if source in embedded_names() else Path(source).read_text(encoding="utf-8")
        self._embedded = {name: Policy.load(name) for name in embedded_names()}
        self.live = Version(1, policy, text, datetime.now(UTC))
        self.versions: tuple[Version, ...] = (self.live,)
        self._last = 1

    @property
    def names(self) -> tuple[str, ...]:
        """What a request can ask for."""
        return (LIVE, *self._embedded)

    def find(self, name: str) -> Policy:
        """The policy that a request asks for.

        Raises:
            RequestError: 422, there is none of that name.
        """
        if name == LIVE:
            return self.live.policy
        if name not in self._embedded:
            raise RequestError(422, "unknown_policy", f"there is no such policy; there are {', '.join(self.names)}")
        return self._embedded[name]

    async def replace(self, text: str) -> Version:
        """Makes the policy of a YAML text the live one; whatever is wrong with it, the old one stays.

        Raises:
            PolicyError: it breaks a rule; one `policy:LINE: what` per fault.
        """
        # A long text takes tenths of a second, in which requests are to be answered.
        return self._put(await asyncio.to_thread(Policy.from_yaml, text, "policy"), text)

    def roll_back(self, number: int) -> Version:
        """Makes an earlier version live again, as a new version.

        Raises:
            RequestError: 422, there is no such version any more.
        """
        found = next((version for version in self.versions if version.number == number), None)
        if found is None:
            known = ", ".join(str(version.number) for version in self.versions)
            raise RequestError(422, "unknown_version", f"there is no version {number}; there are {known}")
        return self._put(found.policy, found.text)

    def _put(self, policy: Policy, text: str) -> Version:
        self._last += 1
        version = Version(self._last, policy, text, datetime.now(UTC))
        self.versions = (*self.versions, version)[-_KEPT:]
        self.live = version
        return version


def yaml_text(data: bytes) -> str:
    """The text of a policy that was sent.

    Raises:
        RequestError: 413 it is too long, 422 it is no UTF-8.
    """
    if len(data) > MAX_BYTES:
        raise RequestError(413, "too_many_bytes", f"a policy has {MAX_BYTES // 1024} KiB at most")
    try:
        return data.decode("utf-8")
    except UnicodeDecodeError:
        raise RequestError(422, "invalid_policy", "the policy is no UTF-8 text; save it with that encoding") from None
