"""One call from its first attempt to its result: what is tried again, when, and how often."""

import random
import re
import uuid
from dataclasses import dataclass
from threading import TIMEOUT_MAX
from time import monotonic
from typing import Any, Generic

import httpx

from emolens import __version__
from emolens.client import answers
from emolens.client.answers import UNREADABLE, RefusedImageError
from emolens.client.calls import Call, T
from emolens.errors import ConfigError, ServerError

_KEY = re.compile(r"[\x21-\x7e]+")
_BUSY = (429, 503)

# Seconds before the second attempt, twice as much before each further one, up to so many.
_FIRST, _LONGEST = 0.25, 8.0


@dataclass(frozen=True)
class Retries:
    """How long a client keeps trying.

    Attributes:
        attempts: the most of one call.
        patience: seconds from the first attempt on, after which no other one begins.
    """

    attempts: int
    patience: float

    def __post_init__(self) -> None:
        if self.attempts < 1 or not self.patience >= 0:
            raise ConfigError("a call has at least one attempt, and its patience is in seconds, 0 or more")


class Asking(Generic[T]):
    """The attempts of one call, all under the same request id."""

    def __init__(self, call: Call[T], url: httpx.URL, retries: Retries) -> None:
        self._call, self._url, self._retries = call, f"{str(url).rstrip('/')}{call.path}", retries
        self._made = 0
        self._end = monotonic() + retries.patience
        self._id = uuid.uuid4().hex

    @property
    def request(self) -> dict[str, Any]:
        """The arguments of httpx' `request`."""
        call = self._call
        headers = {**call.sent.get("headers", {}), "X-Request-ID": self._id}
        return {"method": call.method, "url": call.path, **call.sent, "headers": headers}

    def read(self, response: httpx.Response) -> T:
        """What the answer says.

        Raises:
            ServerError: as of `answers.read`.
        """
        return answers.read(response, self._call.read, self._id)

    def pause(self, error: httpx.HTTPError | ServerError) -> float:
        """The seconds to wait before the next attempt.

        Raises:
            ServerError: there is none.
            RefusedImageError: nor would there be a point in it, since the fault is the image's.
        """
        fault = error if isinstance(error, ServerError) else answers.from_transport(error, self._url, self._id)
        self._made += 1
        if self._call.image is not None and fault.code in UNREADABLE:
            message = f"{self._call.image}: {fault.message}"
            raise RefusedImageError(fault.code, message, self._id, fault.status) from None
        # By chance, so that those who were refused together do not come back together.
        longest = min(_LONGEST, _FIRST * 2 ** (self._made - 1))
        pause = (fault.retry_after or 0.0) + random.uniform(longest / 2, longest)
        if not self._may_repeat(fault) or self._made >= self._retries.attempts or monotonic() + pause > self._end:
            raise fault from None
        return pause

    def _may_repeat(self, fault: ServerError) -> bool:
        not_done = fault.status in _BUSY or fault.code == "unreachable"
        match self._call.repeat:
            case "always":
                return not_done or fault.code == "broken_off"
            case "if_not_done":
                return not_done
        return False


def http_options(url: str, key: str | None, timeout: float) -> dict[str, Any]:
    """The arguments of httpx' clients.

    Raises:
        ConfigError: one of these cannot be used; the key is not said.
    """
    try:
        address = httpx.URL(url)
    except httpx.InvalidURL:
        raise ConfigError("the server's address cannot be read; write http://host:port") from None
    if address.userinfo:
        raise ConfigError("the server's address holds a user or a password; give the key as `key`")
    if address.scheme not in ("http", "https") or not address.host or address.query or address.fragment:
        raise ConfigError(f"'{url}' is no address of a server; write http://host:port")
    if key is not None and not _KEY.fullmatch(key):
        raise ConfigError("the key has a space, a line's end or a letter that no key has; give the key alone")
    if not 0 < timeout <= TIMEOUT_MAX:  # what no clock of the system counts to would be a fault in the middle of a call
        raise ConfigError(f"a timeout is a number of seconds over 0, not {timeout}")
    headers = {"User-Agent": f"emolens/{__version__}"}
    return {
        "base_url": address,
        "headers": headers if key is None else {**headers, "Authorization": f"Bearer {key}"},
        "timeout": timeout,
    }
