"""`emolens train` before any training: its lists, recipes of the user's own, and what is refused."""

import logging
import re
from pathlib import Path

import pytest
import yaml

from emolens.cli.train import train
from emolens.errors import ConfigError
from emolens.labels import LABEL_SETS
from emolens.recipes import recipe_names, recipe_text
from emolens.training.recipe import load_recipe
from emolens.training.run import Run
from fer_tables import fer_row, write_fer_table


def test_the_list_is_one_name_per_line(capsys: pytest.CaptureFixture[str]) -> None:
    train(list_recipes=True)
    assert capsys.readouterr().out.splitlines() == recipe_names()


@pytest.mark.parametrize("name", recipe_names())
def test_every_recipe_can_be_shown_and_says_first_what_it_is(name: str, capsys: pytest.CaptureFixture[str]) -> None:
    train(name, show=True)
    shown = capsys.readouterr().out
    assert shown.startswith("# ")
    assert yaml.safe_load(shown)["name"] == name


def test_a_recipe_of_ones_own_is_a_file(tmp_path: Path) -> None:
    mine = tmp_path / "mine.yaml"
    mine.write_text(re.sub(r"epochs: \d+", "epochs: 3", recipe_text("face")))
    recipe = load_recipe(str(mine), ["seed=7"])
    assert (recipe.optimisation.epochs, recipe.seed) == (3, 7)


@pytest.mark.parametrize(
    ("content", "message"),
    [
        (b"- a list", "task is None"),
        (b"task: [", "is no YAML"),
        (b"\xff\xfe", "cannot be read as a recipe"),
        (b"#" * 70_000, "a recipe is a page of YAML"),
    ],
)
def test_a_file_that_is_no_recipe_is_refused_in_words(tmp_path: Path, content: bytes, message: str) -> None:
    path = tmp_path / "mine.yaml"
    path.write_bytes(content)
    with pytest.raises(ConfigError, match=message):
        load_recipe(str(path), ["seed=7"])


def test_a_file_that_is_not_there_is_told(tmp_path: Path) -> None:
    with pytest.raises(ConfigError, match="cannot be read as a recipe: No such file"):
        load_recipe(str(tmp_path / "absent.yaml"))


def test_what_is_missing_is_told_with_the_whole_command() -> None:
    with pytest.raises(ConfigError, match="emolens train RECIPE --data PATH --out RUN"):
        train("face")


def test_the_log_is_as_it_was_after_a_training(tmp_path: Path) -> None:
    logger = logging.getLogger("emolens")
    before = logger.level, list(logger.handlers)
    with pytest.raises(ConfigError):
        train("face", tmp_path, tmp_path / "run", settings=["optimisation.epochs=none"])
    assert (logger.level, logger.handlers) == before


@pytest.mark.slow
@pytest.mark.parametrize(("labels", "expected"), [("fer7", LABEL_SETS["fer7"]), ("happy,sad", ("happy", "sad"))])
def test_labels_are_projected_to_a_set_or_a_list(labels: str, expected: tuple[str, ...], tmp_path: Path) -> None:
    rows = [fer_row(row, usage="Training", sadness=row % 4, happiness=6) for row in range(30)]
    table = write_fer_table(tmp_path / "fer.parquet", rows)
    small = ["network={name: face_resnet, widths: [4], blocks: [1]}", "optimisation.epochs=1"]
    train("face", table, tmp_path / "run", settings=small, labels=labels)
    assert Run(tmp_path / "run").card().labels == expected
