"""Tells what comes in pieces from what comes in crumbs, each of which costs the event loop as much as a good piece."""

_MOST = 1024
_LEAST_BYTES = 64


class Crumbs:
    """An account of one client's pieces: bytes fill it, up to a point, and each piece takes from it."""

    def __init__(self) -> None:
        self._left = float(_MOST)

    def too_many(self, pieces: int, size: int) -> bool:
        """Whether these pieces, with so many bytes in all of them, are more than their bytes are worth."""
        self._left = min(_MOST, self._left + size / _LEAST_BYTES) - pieces
        return self._left < 0
