"""A folder with a file per version of the policy: what one worker puts in, every other finds."""

import os
from datetime import UTC, datetime
from pathlib import Path

from filelock import FileLock, Timeout

from emolens.errors import ConfigError
from emolens.files import written_whole
from emolens.policy import MAX_BYTES
from emolens.serving.errors import RequestError, overloaded

_SUFFIX = ".yaml"
_PATIENCE = 10.0


class VersionFolder:
    """Files named `NUMBER.yaml`, numbered upwards; the greatest number is live. Hidden files are the folder's own.

    Args:
        path: of the folder; it is made if it is not there.

    Raises:
        ConfigError: it cannot be made or read.
    """

    def __init__(self, path: Path) -> None:
        self.path = path
        try:
            path.mkdir(parents=True, exist_ok=True)
            self.names()
        except OSError as error:
            raise ConfigError(
                f"EMOLENS_SERVE_POLICIES: {path} is no folder that can be used: {error.strerror}"
            ) from None

    def names(self) -> frozenset[str]:
        """Of all files that are not hidden; raises OSError."""
        # Listed and not just asked for its time: two versions may come within one tick of the file system's clock.
        return frozenset(name for name in os.listdir(self.path) if not name.startswith("."))  # noqa: PTH208 (quicker)

    def read(self, name: str) -> tuple[str, datetime]:
        """The text of a version, and since when it is there.

        Raises:
            OSError: it cannot be read.
            RequestError: it is no file, too long, or no text.
        """
        path = self.path / name
        if os.path.lexists(path) and not path.is_file():
            raise RequestError(422, "invalid_policy", "it is no file")
        with path.open("rb") as file:
            return yaml_text(file.read(MAX_BYTES + 1)), _time(path)

    def add(self, text: str) -> tuple[int, datetime]:
        """Puts in a new version, with a number that no other has or had; takes turns with other processes.

        Raises:
            OSError: it cannot be written.
            RequestError: 503, another process keeps the folder.
        """
        try:
            with FileLock(self.path / ".lock", timeout=_PATIENCE):
                number = 1 + max(filter(None, map(number_of, self.names())), default=0)
                path = self.path / f"{number}{_SUFFIX}"
                with written_whole(path) as unfinished:
                    unfinished.write_bytes(text.encode())
                return number, _time(path)
        except Timeout:
            raise overloaded("policy_busy", "the policy is being replaced") from None

    def forget(self, before: int) -> None:
        """Removes the versions with a smaller number; what another process has removed already is no fault."""
        for name in self.names():
            number = number_of(name)
            if number is not None and number < before:
                (self.path / name).unlink(missing_ok=True)


def number_of(name: str) -> int | None:
    """Of the version whose file has this name; None if it is no version's."""
    digits = name.removesuffix(_SUFFIX)
    # As we write it: no zero in front, by which two files would have one number, and no more digits than are ever used.
    is_ours = digits != name and len(digits) < 10 and digits.isascii() and digits.isdigit() and digits[0] != "0"
    return int(digits) if is_ours else None


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


def _time(path: Path) -> datetime:
    return datetime.fromtimestamp(path.stat().st_mtime, UTC)
