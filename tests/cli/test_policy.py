"""`emolens policy show` and `emolens policy check`."""

from pathlib import Path

import pytest
from typer.testing import CliRunner

from emolens.cli.policy import app
from emolens.errors import PolicyError
from emolens.policy import Policy, embedded_text

run = CliRunner().invoke


def test_show_prints_the_file_itself_so_that_it_can_be_changed_and_checked(tmp_path: Path) -> None:
    shown = run(app, ["show"])
    assert shown.exit_code == 0
    assert shown.stdout_bytes == embedded_text("social").encode()

    mine = tmp_path / "mine.yaml"
    mine.write_bytes(shown.stdout_bytes)
    assert Policy.load(mine) == Policy.load("social")
    checked = run(app, ["check", str(mine)])
    assert checked.exit_code == 0
    assert checked.stdout.splitlines() == [
        f"{mine}: policy 'social' is fine: 8 of 8 labels have rules, 3 context rules, block_wins, fallback top"
    ]


def test_show_of_an_unknown_name_says_the_nearest() -> None:
    refused = run(app, ["show", "socail"])
    assert isinstance(refused.exception, PolicyError)
    assert "did you mean 'social'?" in str(refused.exception)


def test_check_says_every_fault_with_its_line_on_stderr_and_exits_with_2(tmp_path: Path) -> None:
    mine = tmp_path / "mine.yaml"
    mine.write_text("name: mine\nlabels: social8\nrules:\n  hapy: {allow: [x]}\n", encoding="utf-8")
    checked = run(app, ["check", str(mine)])
    assert checked.exit_code == 2
    assert checked.stdout == ""
    assert checked.stderr.splitlines() == [
        f"{mine}:4: 'hapy' is no label of social8; did you mean 'happy'?",
        f"{mine}:4: 'x' is not one known emoji",
    ]


@pytest.mark.parametrize("name", ["social", "missing.yaml"])
def test_check_reads_files_only(name: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    checked = run(app, ["check", name])
    assert checked.exit_code == 2
    assert checked.stderr == f"{name}: there is no such file\n"
