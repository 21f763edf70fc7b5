"""`emolens feedback`, as it is typed."""

from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

pytest.importorskip("sqlalchemy")

from emolens.errors import ConfigError, DataError
from emolens.feedback import Store
from feedback_answers import FIRST, make_answer
from pictures import picture


@pytest.fixture
def store(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Store]:
    url = f"sqlite:///{tmp_path}/feedback.db"
    monkeypatch.setenv("EMOLENS_FEEDBACK_URL", url)
    with Store.open(url) as store:
        yield store


def run(*arguments: str) -> None:
    from typer.main import get_command

    from emolens.cli import app

    get_command(app)(["feedback", *arguments], standalone_mode=False)


def test_migrate_goes_up_and_back(store: Store, capsys: pytest.CaptureFixture[str]) -> None:
    run("migrate")
    run("migrate", "--to", "0001")
    told = capsys.readouterr().err.splitlines()
    assert [line.split(": ", 1)[1] for line in told] == ["nothing -> 0002", "0002 -> 0001"]
    store.add(make_answer())
    with pytest.raises(ConfigError, match="0001"):
        run("migrate", "--to", "0009")


def test_export_says_what_comes_next(store: Store, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    face = (10, 20, 40, 50)
    store.add(make_answer(consent=True, image=picture(face), box=face))
    store.add(make_answer(consent=True, image=picture(face)))
    run("export", "--out", str(tmp_path / "out"))
    told = capsys.readouterr()
    assert (tmp_path / "out" / "labels.csv").is_file()
    assert "left out, about a whole image: 1" in told.err
    assert f"emolens train own-faces --set data.dataset=csv --data {tmp_path / 'out'}" in told.err
    assert told.out == ""


def test_export_of_nothing_is_an_error(store: Store, tmp_path: Path) -> None:
    store.add(make_answer())
    with pytest.raises(DataError, match="consent"):
        run("export", "--out", str(tmp_path / "out"))


def test_purge_and_delete_remove_what_they_say(store: Store, capsys: pytest.CaptureFixture[str]) -> None:
    now = datetime.now(UTC)
    store.add(make_answer(created=now - timedelta(days=91)))
    store.add(make_answer(created=now - timedelta(days=80)))
    store.add(make_answer(client_id=FIRST))
    run("purge")
    run("purge", "--older-than", "10w")
    run("delete", FIRST)
    assert capsys.readouterr().err.splitlines() == ["removed: 1", "removed: 1", "removed: 1"]
    assert list(store.answers()) == []
    with pytest.raises(ConfigError, match="no answer with this id"):
        run("delete", FIRST)
    with pytest.raises(ConfigError, match="such as 90d"):
        run("purge", "--older-than", "soon")


def test_the_address_is_shown_without_its_password(monkeypatch: pytest.MonkeyPatch) -> None:
    from emolens.errors import FeedbackError

    monkeypatch.setenv("EMOLENS_FEEDBACK_URL", "postgresql://ada:secret@127.0.0.1:1/feedback")
    with pytest.raises(FeedbackError, match=r"127\.0\.0\.1:1/feedback") as told:
        run("migrate")
    assert "secret" not in str(told.value)
