"""The live policy, its versions, and the way back to one of them."""

import asyncio
import logging
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path

from emolens.errors import EmolensError
from emolens.policy import Policy, embedded_names, embedded_text
from emolens.serving.errors import RequestError
from emolens.serving.logs import LOGGER
from emolens.serving.versions import VersionFolder, number_of

LIVE = "live"

_KEPT = 20
_LOG = logging.getLogger(LOGGER)


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

    A request takes the live one once, and ends with it. The versions are in memory, or, where several processes share
    them, in a folder, which every request looks at before it takes one.

    Args:
        source: the policy at the start: a name or a YAML file; not used where the folder has versions already.
        folder: of the versions.

    Raises:
        ConfigError: the folder cannot be used.
        PolicyError: the policy is missing or breaks a rule.
    """

    def __init__(self, source: str, folder: Path | None = None) -> None:
        policy = Policy.load(source)
        text = embedded_text(source) if source in embedded_names() else Path(source).read_text(encoding="utf-8")
        self._embedded = {name: Policy.load(name) for name in embedded_names()}
        self._folder = None if folder is None else VersionFolder(folder)
        self._names: frozenset[str] = frozenset()
        self._turn = asyncio.Lock()
        self.versions: tuple[Version, ...] = ()
        if self._folder is not None:
            self._read(self._folder, self._folder.names())
            if not self.versions:
                self._folder.add(text)
                self._read(self._folder, self._folder.names())
        else:
            self.versions = (Version(1, policy, text, datetime.now(UTC)),)

    @property
    def live(self) -> Version:
        """As of the last look at the folder."""
        return self.versions[-1]

    @property
    def names(self) -> tuple[str, ...]:
        """What a request can ask for."""
        return (LIVE, *self._embedded)

    async def find(self, name: str) -> Policy:
        """The policy that a request asks for.

        Raises:
            RequestError: 422, there is none of that name.
        """
        if name == LIVE:
            return (await self.refreshed())[-1].policy
        if name not in self._embedded:
            raise RequestError(422, "unknown_policy", f"there is no such policy; there are {', '.join(self.names)}")
        return self._embedded[name]

    async def refreshed(self) -> tuple[Version, ...]:
        """The versions that are kept now, the live one last."""
        folder = self._folder
        if folder is not None:
            try:
                if folder.names() != self._names:
                    async with self._turn:
                        names = folder.names()
                        if names != self._names:
                            # A long text takes tenths of a second, in which other requests are to be answered.
                            await asyncio.to_thread(self._read, folder, names)
            except OSError as error:
                _LOG.warning("policies", extra={"fields": {"why": f"the folder cannot be read: {error.strerror}"}})
        return self.versions

    async def replace(self, text: str) -> Version:
        """Makes the policy of a YAML text the live one; whatever is wrong with it, the old one stays.

        Raises:
            PolicyError: it breaks a rule; one `policy:LINE: what` per fault.
        """
        return await self._put(await asyncio.to_thread(Policy.from_yaml, text, "policy"), text)

    async def roll_back(self, number: int) -> Version:
        """Makes an earlier version live again, as a new version.

        Raises:
            RequestError: 404, there is no such version any more.
        """
        versions = await self.refreshed()
        found = next((version for version in versions if version.number == number), None)
        if found is None:
            known = ", ".join(str(version.number) for version in versions)
            raise RequestError(404, "unknown_version", f"there is no version {number}; there are {known}")
        return await self._put(found.policy, found.text)

    async def _put(self, policy: Policy, text: str) -> Version:
        if self._folder is None:
            version = Version(self.live.number + 1, policy, text, datetime.now(UTC))
            self.versions = (*self.versions, version)[-_KEPT:]
        else:
            number, since = await asyncio.to_thread(self._folder.add, text)
            version = Version(number, policy, text, since)
            versions = await self.refreshed()
            if len(versions) == _KEPT:
                await asyncio.to_thread(self._folder.forget, versions[0].number)
        return version

    def _read(self, folder: VersionFolder, names: frozenset[str]) -> None:
        """Takes in what is new in the folder, and lets go of what has left it."""
        kept = {version.number: version for version in self.versions}
        found = {number: name for name in names if (number := number_of(name)) is not None}
        for name in sorted(names - self._names):
            number = number_of(name)
            if number is None:
                _ignored(name, "it is no version's; those are NUMBER.yaml, and belong to the server")
                continue
            try:
                text, since = folder.read(name)
                kept[number] = Version(number, Policy.from_yaml(text, name), text, since)
            except FileNotFoundError:
                pass  # another process has removed it meanwhile
            except OSError as error:  # such as too many open files, so that the next request looks again
                names -= {name}
                _ignored(name, str(error.strerror))
            except EmolensError as error:
                _ignored(name, str(error))
        versions = tuple(kept[number] for number in sorted(kept) if number in found)[-_KEPT:]
        self.versions, self._names = versions or self.versions, names


def _ignored(name: str, why: str) -> None:
    _LOG.warning("policy ignored", extra={"fields": {"file": name, "why": why}})
