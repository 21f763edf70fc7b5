"""Folders that are named after what the pictures in them show."""

from collections.abc import Iterator
from pathlib import Path

from emolens.data.readers.gathering import Gathering
from emolens.image import IMAGE_SUFFIXES


def subfolders(folder: Path) -> list[Path]:
    """Sorted; what is hidden is left alone."""
    return sorted(entry for entry in folder.iterdir() if entry.is_dir() and not entry.name.startswith("."))


def labelled_files(folder: Path, gathering: Gathering) -> Iterator[tuple[str, Path]]:
    """Every picture below the subfolders, with its subfolder's name.

    Files of other kinds are counted as left out; what is hidden is left alone.
    """
    for label in subfolders(folder):
        for file in sorted(label.rglob("[!.]*")):
            if file.suffix.lower() in IMAGE_SUFFIXES and file.is_file():
                yield label.name, file
            elif not file.is_dir():
                gathering.leave_out("not_an_image")
