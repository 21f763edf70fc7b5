"""API keys: kept as hashes, compared in constant time."""

import hashlib
import hmac
import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Self

_ENTRY = re.compile(r"([\w.-]{1,64}):([0-9a-f]{64})", re.ASCII)


@dataclass(frozen=True)
class Keys:
    """The keys that open something.

    Attributes:
        hashes: per name the sha256, in hexadecimal, of a key. Keys are long and random, so that a plain hash keeps
            them.
    """

    hashes: Mapping[str, str] = field(default_factory=dict)

    @classmethod
    def parse(cls, text: str) -> Self:
        """Reads `NAME:SHA256,NAME:SHA256`.

        Raises:
            ValueError: it is something else; what it is is not said.
        """
        hashes: dict[str, str] = {}
        for count, entry in enumerate(filter(None, (part.strip() for part in text.split(","))), 1):
            read = _ENTRY.fullmatch(entry)
            if not read:
                raise ValueError(f"entry {count} is not NAME:SHA256, the key's sha256 in 64 small hexadecimal digits")
            if read[1] in hashes:
                raise ValueError(f"entry {count} has the name of another")
            hashes[read[1]] = read[2]
        return cls(hashes)

    def __bool__(self) -> bool:
        return bool(self.hashes)

    def __or__(self, other: "Keys") -> "Keys":
        return Keys({**self.hashes, **{f"admin:{name}": digest for name, digest in other.hashes.items()}})

    def holder(self, key: str) -> str | None:
        """The name of a key, or None; takes as long for a wrong key as for a right one."""
        digest = hashlib.sha256(key.encode()).hexdigest()
        found = None
        for name, known in self.hashes.items():
            if hmac.compare_digest(digest, known):
                found = name
        return found
