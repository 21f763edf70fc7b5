"""Store: the answers in their database."""

import threading
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from types import TracebackType
from typing import Any, Self

import sqlalchemy as sa
from sqlalchemy.dialects import postgresql, sqlite

from emolens.errors import FeedbackError
from emolens.feedback.answer import Answer, check_id
from emolens.feedback.database import default_url, open_engine, reaching
from emolens.feedback.migrate import migrate
from emolens.feedback.tables import ANSWERS, CONTENT, to_answer, to_row, to_stored
from emolens.results import Box

# So many rows are read in one go, so that no transaction stays open while somebody looks at them.
_PAGE = 500
_PAGE_OF_PICTURES = 16


@dataclass(frozen=True)
class Kept:
    """An answer with the picture that was kept of its image.

    Attributes:
        answer: without its image.
        image_sha256: of the file that was sent, in hexadecimal: answers for the same photograph have the same.
        picture: the bytes of a JPEG file: the face and what is around it, or the whole image, without EXIF.
        box: the face in the picture, `(x, y, w, h)` in its pixels; None where the answer is about the whole image.
    """

    answer: Answer
    image_sha256: str
    picture: bytes
    box: Box | None


class Store:
    """The answers in their database; may be used by several threads, and by several processes that open it themselves.

    The tables are made, or brought up to date, before they are used first.

    Args:
        engine: of `open_engine`.
    """

    def __init__(self, engine: sa.Engine) -> None:
        self._reader = engine
        self._writer = engine.execution_options(begin="BEGIN IMMEDIATE")
        self._is_ready = False
        self._preparing = threading.Lock()

    @classmethod
    def open(cls, url: str | None = None) -> Self:
        """Opens a store; the database is not asked for before it is needed.

        Args:
            url: `sqlite:////path/to/feedback.db` or `postgresql://user:password@host/database`; that of
                `EMOLENS_FEEDBACK_URL` without it, or a file in the user's data folder.

        Raises:
            ConfigError: it is no such address.
        """
        return cls(open_engine(url or default_url()))

    def close(self) -> None:
        """Ends the connections."""
        self._reader.dispose()

    def __enter__(self) -> Self:
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, at: TracebackType | None) -> None:
        self.close()

    def prepare(self) -> None:
        """Makes the tables, or brings them up to date.

        Raises:
            FeedbackError: `away`; `unusable` where a newer emolens has made them.
        """
        with self._preparing:
            if not self._is_ready:
                migrate(self._reader)
                self._is_ready = True

    def add(self, answer: Answer) -> bool:
        """Keeps an answer; when this returns, it stays.

        Returns:
            False where it was there already.

        Raises:
            FeedbackError: `conflict` where another answer has the id; `away`, `unusable`.
            ImageError: its image cannot be read.
        """
        row = to_row(answer)
        insert: Any = {"postgresql": postgresql.insert, "sqlite": sqlite.insert}[self._reader.dialect.name]
        with self._writing() as connection:
            added = insert(ANSWERS).values(row).on_conflict_do_nothing().returning(ANSWERS.c.client_id)
            if connection.execute(added).one_or_none() is not None:
                return True
            columns = sa.select(*(ANSWERS.c[name] for name in CONTENT))
            there = connection.execute(columns.where(ANSWERS.c.client_id == answer.client_id)).mappings().one_or_none()
        if there is not None and dict(there) != {name: row[name] for name in CONTENT}:
            message = f"another answer has the id {answer.client_id}; make a new id for each answer"
            raise FeedbackError("conflict", message)
        return False

    def answers(
        self,
        *,
        model: str | None = None,
        version: str | None = None,
        since: datetime | None = None,
        until: datetime | None = None,
    ) -> Iterator[Answer]:
        """The answers, oldest first, without their images.

        Args:
            model: only those about this model.
            version: only those about this version.
            since: only those from then on.
            until: only those before then.

        Raises:
            FeedbackError: `away`, `unusable`.
        """
        columns = [column for column in ANSWERS.c if not column.name.startswith(("image", "picture"))]
        chosen = sa.select(*columns).where(*_filters(model, version, since, until))
        return (to_answer(row) for row in self._rows(chosen, _PAGE))

    def kept(self, *, since: datetime | None = None, until: datetime | None = None) -> Iterator[Kept]:
        """The answers whose image was kept, oldest first, with what was kept of it; arguments as of `answers`."""
        has_picture = ANSWERS.c.picture.is_not(None)
        chosen = sa.select(ANSWERS).where(has_picture, *_filters(since=since, until=until))
        for row in self._rows(chosen, _PAGE_OF_PICTURES):
            box = None if row.picture_box is None else tuple(row.picture_box)
            yield Kept(to_answer(row), row.image_sha256, row.picture, box)

    def counts(self) -> Mapping[tuple[str, str], int]:
        """How many answers there are, by name and version of the model."""
        keys = (ANSWERS.c.model, ANSWERS.c.version)
        with self._reading() as connection:
            rows = connection.execute(sa.select(*keys, sa.func.count()).group_by(*keys).order_by(*keys)).all()
        return {(model, version): count for model, version, count in rows}

    def delete(self, client_id: str) -> bool:
        """Removes an answer and its picture; False where there is none with this id."""
        try:
            client_id = check_id(client_id)
        except ValueError:
            return False
        return self._remove(ANSWERS.c.client_id == client_id) == 1

    def purge(self, older_than: timedelta) -> int:
        """Removes the answers, with their pictures, that are older; returns how many there were."""
        return self._remove(ANSWERS.c.created < to_stored(datetime.now(UTC) - older_than))

    def _remove(self, which: sa.ColumnElement[bool]) -> int:
        with self._writing() as connection:
            removed = connection.execute(sa.delete(ANSWERS).where(which)).rowcount
        if removed and self._reader.dialect.name == "sqlite":
            # What was removed is overwritten in the file, and must not stay in its log either.
            with reaching(self._reader), self._reader.connect() as connection:
                connection.execution_options(begin="").exec_driver_sql("PRAGMA wal_checkpoint(TRUNCATE)")
        return removed

    def _rows(self, chosen: "sa.Select[Any]", page: int) -> Iterator["sa.Row[Any]"]:
        place = sa.tuple_(ANSWERS.c.created, ANSWERS.c.client_id)
        chosen = chosen.order_by(ANSWERS.c.created, ANSWERS.c.client_id).limit(page)
        rest = chosen
        while True:
            with self._reading() as connection:
                rows = connection.execute(rest).all()
            yield from rows
            if len(rows) < page:
                return
            rest = chosen.where(place > sa.tuple_(sa.literal(rows[-1].created), sa.literal(rows[-1].client_id)))

    @contextmanager
    def _reading(self) -> Iterator[sa.Connection]:
        self.prepare()
        with reaching(self._reader), self._reader.begin() as connection:
            yield connection

    @contextmanager
    def _writing(self) -> Iterator[sa.Connection]:
        self.prepare()
        with reaching(self._writer), self._writer.begin() as connection:
            yield connection


def _filters(
    model: str | None = None,
    version: str | None = None,
    since: datetime | None = None,
    until: datetime | None = None,
) -> list[sa.ColumnElement[bool]]:
    wanted = {ANSWERS.c.model: model, ANSWERS.c.version: version}
    equal = [column == value for column, value in wanted.items() if value is not None]
    from_then = [] if since is None else [ANSWERS.c.created >= to_stored(since)]
    before = [] if until is None else [ANSWERS.c.created < to_stored(until)]
    return [*equal, *from_then, *before]
