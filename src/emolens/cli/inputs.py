"""What the user named (files, folders, patterns, `-`) -> the images to read."""

import glob
import os
import sys
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

from emolens.image import IMAGE_SUFFIXES, Limits, looks_like_image
from emolens.results import Failure

STDIN = "-"

Item = str | bytes | Failure
"""A path, the bytes that came from stdin, or what was named and is not there."""


@dataclass(frozen=True)
class Inputs:
    """What there is to read.

    Attributes:
        items: in the order they were named; within folders sorted.
        skipped: how many files in folders are no images.
    """

    items: tuple[Item, ...]
    skipped: int


def gather(named: Sequence[str], recursive: bool, limits: Limits = Limits()) -> Inputs:
    """Looks up everything that was named; `recursive` also looks into the sub-folders of folders."""
    found: list[Item | _Skipped] = []
    for name in named:
        if name == STDIN:
            found.append(sys.stdin.buffer.read(limits.max_bytes + 1))
        elif any(sign in name for sign in "*?[") and not os.path.lexists(name):
            found += _matching(name, recursive)
        else:
            found += _named(name, recursive)
    items = tuple(item for item in found if not isinstance(item, _Skipped))
    return Inputs(items, skipped=len(found) - len(items))


class _Skipped:
    """Stands for a file in a folder that is no image."""


def _matching(pattern: str, recursive: bool) -> list[Item | _Skipped]:
    matches = sorted(glob.glob(pattern, recursive=True))  # noqa: PTH207 (Path.glob takes no absolute patterns)
    if not matches:
        return [Failure(pattern, "not_found", f"{pattern}: matches no file; check the pattern")]
    return [item for match in matches for item in _named(match, recursive)]


def _named(name: str, recursive: bool) -> list[Item | _Skipped]:
    if not name:  # to Path the current folder, which nobody meant who has misspelt a shell variable
        return [Failure(name, "not_found", "'': an empty name is no file; give a path")]
    if not Path(name).is_dir():
        return [name]
    found = list(_walk(Path(name), recursive))
    if all(isinstance(item, _Skipped) for item in found):
        hint = "" if recursive else "; --recursive looks into its sub-folders"
        found.append(Failure(name, "not_found", f"{name}: holds no image{hint}"))
    return found


def _walk(folder: Path, recursive: bool) -> Iterator[Item | _Skipped]:
    """The images of a folder, then those of its sub-folders; what is hidden is left alone, links are not followed."""
    waiting = [folder]
    while waiting:
        folder = waiting.pop()
        try:
            entries = sorted(entry for entry in folder.iterdir() if not entry.name.startswith("."))
        except OSError as error:
            reason = "no_permission" if isinstance(error, PermissionError) else "unreadable"
            yield Failure(str(folder), reason, f"{folder}: cannot be listed: {error.strerror}")
            continue
        folders = []
        for entry in entries:
            if recursive and entry.is_dir() and not entry.is_symlink():
                folders.append(entry)
            elif entry.suffix.lower() in IMAGE_SUFFIXES or looks_like_image(entry):
                yield str(entry)
            elif not entry.is_dir():
                yield _Skipped()
        waiting += reversed(folders)
