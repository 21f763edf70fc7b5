"""Migrations, on SQLite and on PostgreSQL: up and down with data in place, whole or not at all, and by one of many."""

from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor

import pytest

pytest.importorskip("sqlalchemy")

import sqlalchemy as sa
from alembic import command
from alembic.autogenerate import compare_metadata
from alembic.runtime.migration import MigrationContext

from conftest import ROOT
from emolens.errors import FeedbackError
from emolens.feedback import Store
from emolens.feedback.database import open_engine
from emolens.feedback.migrate import migrate, revisions
from emolens.feedback.tables import METADATA
from feedback_answers import make_answer
from pictures import picture


@pytest.fixture
def engine(feedback_url: str) -> Iterator[sa.Engine]:
    engine = open_engine(feedback_url)
    yield engine
    engine.dispose()


def tables(engine: sa.Engine) -> dict[str, set[str]]:
    """The tables that are there, each with its indexes."""
    seen = sa.inspect(engine)
    return {name: {index["name"] for index in seen.get_indexes(name)} for name in seen.get_table_names()}


def test_the_newest_tables_are_those_of_the_code(engine: sa.Engine) -> None:
    assert migrate(engine) == (None, revisions()[-1])
    with engine.connect() as connection:
        assert compare_metadata(MigrationContext.configure(connection), METADATA) == []


def test_down_and_up_again_keeps_the_answers(engine: sa.Engine, feedback_url: str) -> None:
    answers = [make_answer(box=(1, 2, 3, 4)), make_answer(consent=True, image=picture())]
    with Store.open(feedback_url) as store:
        for answer in answers:
            store.add(answer)
        before, pictures = list(store.answers()), list(store.kept())
        assert migrate(engine, "0001") == ("0002", "0001")
        assert tables(engine)["answers"] == set()
        assert migrate(engine) == ("0001", "0002")
        assert tables(engine)["answers"] == {"answers_in_order"}
        assert (list(store.answers()), list(store.kept())) == (before, pictures)


def test_base_leaves_no_answers_and_the_way_up_begins_anew(engine: sa.Engine) -> None:
    migrate(engine)
    assert migrate(engine, "base") == ("0002", None)
    assert "answers" not in tables(engine)
    assert migrate(engine, "0001") == (None, "0001")


def test_many_that_begin_at_once_migrate_once(feedback_url: str) -> None:
    def begin(_: int) -> tuple[str | None, str | None]:
        engine = open_engine(feedback_url)
        try:
            return migrate(engine)
        finally:
            engine.dispose()

    with ThreadPoolExecutor(8) as pool:
        done = list(pool.map(begin, range(8)))
    assert sorted(done, key=str) == [("0002", "0002")] * 7 + [(None, "0002")]


def test_a_migration_that_fails_leaves_everything_as_it_was(engine: sa.Engine, monkeypatch: pytest.MonkeyPatch) -> None:
    def half(config: object, revision: str) -> None:
        upgrade(config, revision)
        raise RuntimeError("the power is gone")

    upgrade = command.upgrade
    monkeypatch.setattr(command, "upgrade", half)
    with pytest.raises(RuntimeError, match="power"):
        migrate(engine)
    assert tables(engine) == {}


def test_a_database_of_a_newer_emolens_is_left_alone_and_told(engine: sa.Engine, feedback_url: str) -> None:
    migrate(engine)
    with engine.begin() as connection:
        connection.execute(sa.text("UPDATE alembic_version SET version_num = '9999'"))
    with Store.open(feedback_url) as store, pytest.raises(FeedbackError, match=r"9999.*newer emolens") as told:
        store.add(make_answer())
    assert told.value.code == "unusable"


def test_the_scripts_use_nothing_of_the_code_that_may_change() -> None:
    scripts = list((ROOT / "src" / "emolens" / "feedback" / "migrations" / "versions").glob("*.py"))
    assert len(scripts) == len(revisions())
    assert not any("emolens" in script.read_text(encoding="utf-8") for script in scripts)
