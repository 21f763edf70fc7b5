"""Who holds a key, and how much of the server each of them may take; beyond it the answer is 429."""

import math
import time
from collections import Counter
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass

from emolens.serving.errors import RequestError
from emolens.serving.security import Keys


class Quotas:
    """How often and how many at once; per key, in this process, from its event loop alone.

    Args:
        rate: requests per second; a key that has been idle has a second's worth in hand. 0: any number.
        concurrency: requests at once; 0: any number.
        clock: tells the seconds.
    """

    def __init__(self, rate: float, concurrency: int, clock: Callable[[], float] = time.monotonic) -> None:
        self._rate, self._concurrency, self._clock = rate, concurrency, clock
        self._running: Counter[str] = Counter()
        self._due: dict[str, float] = {}

    @contextmanager
    def admitted(self, name: str) -> Iterator[None]:
        """While a request of this key runs.

        Raises:
            RequestError: 429, it has too many, or too many in this second.
        """
        if self._concurrency and self._running[name] >= self._concurrency:
            raise _too_much("too_many_at_once", f"this key may have {self._concurrency} requests at once", 1)
        if seconds := self.take(name):
            raise _too_much("too_many_requests", f"this key may make {self._rate:g} requests per second", seconds)
        self._running[name] += 1
        try:
            yield
        finally:
            self._running[name] -= 1

    def take(self, name: str) -> float:
        """Counts a request, and returns 0; or the seconds after which to ask again, and counts nothing."""
        if not self._rate:
            return 0.0
        now = self._clock()
        # When all that the key has made would be through, one after the other (the generic cell rate algorithm).
        due = max(now, self._due.get(name, now))
        in_hand = max(1.0, self._rate) - 1
        wait = due - now - in_hand / self._rate
        if wait > 0:
            return wait
        self._due[name] = due + 1 / self._rate
        return 0.0


@dataclass(frozen=True)
class Guard:
    """The keys that open something, and what each of them may take.

    Attributes:
        keys: none of them stands for: everybody may.
        quotas: shared by all guards of a server.
    """

    keys: Keys
    quotas: Quotas


def _too_much(code: str, message: str, seconds: float) -> RequestError:
    wait = max(1, math.ceil(seconds))
    return RequestError(429, code, f"{message}; try again in {wait} s", {"Retry-After": str(wait)})
