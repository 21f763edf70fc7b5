"""The command line as its user meets it."""

import sys
from collections.abc import Callable

import pytest

from emolens.cli import main


@pytest.fixture
def emolens(monkeypatch: pytest.MonkeyPatch) -> Callable[..., int]:
    """Runs a command, given by its words, and returns its exit code."""

    def run(*words: object) -> int:
        monkeypatch.setattr(sys, "argv", ["emolens", *map(str, words)])
        with pytest.raises(SystemExit) as left:
            main()
        return int(left.value.code or 0)

    return run
