"""The address of a database -> an engine that both SQLite and PostgreSQL fare well with."""

import os
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import platformdirs
import sqlalchemy as sa
from sqlalchemy import event, exc

from emolens import settings
from emolens.errors import ConfigError, FeedbackError

_PATIENCE_S = 30
_CONNECT_S = 5
_POSTGRESQL = "postgresql+psycopg"


def default_url() -> str:
    """What `EMOLENS_FEEDBACK_URL` says, or else a file in the user's data folder."""
    file = platformdirs.user_data_path("emolens", appauthor=False) / "feedback.db"
    return os.environ.get(settings.FEEDBACK_URL) or f"sqlite:///{file}"


def open_engine(url: str) -> sa.Engine:
    """Makes an engine; nothing is connected yet.

    Raises:
        ConfigError: it is no address of a file of SQLite or of a PostgreSQL database.
    """
    address = _address(url)
    # Parameters are what people have said; no message and no log may hold them.
    options: dict[str, Any] = {"hide_parameters": True}
    if address.drivername == _POSTGRESQL:
        connect = {"connect_timeout": _CONNECT_S}
        return sa.create_engine(address, connect_args=connect, pool_pre_ping=True, pool_timeout=_CONNECT_S, **options)
    engine = sa.create_engine(address, connect_args={"timeout": _PATIENCE_S}, **options)
    event.listen(engine, "do_connect", lambda *_: _keep_private(Path(address.database or "")))
    event.listen(engine, "connect", _set_up)
    event.listen(engine, "begin", _begin)
    return engine


@contextmanager
def reaching(engine: sa.Engine) -> Iterator[None]:
    """Turns what the database's drivers raise into errors of ours, which hold no content.

    Raises:
        FeedbackError: `away`.
    """
    try:
        yield
    except (exc.DBAPIError, exc.TimeoutError) as error:
        raise FeedbackError(
            "away",
            f"the feedback database {shown(engine.url)} cannot be used now: {_reason(error)}; check that it runs, "
            f"may be written to, and is what {settings.FEEDBACK_URL} should name",
        ) from None
    except OSError as error:
        raise FeedbackError(
            "away", f"the feedback database {shown(engine.url)} cannot be made: {error.strerror}; choose another place"
        ) from None


def shown(url: sa.URL) -> str:
    """The address without its password."""
    return url.set(query={}).render_as_string(hide_password=True)


def _address(url: str) -> sa.URL:
    try:
        address = sa.make_url(url)
    except (exc.ArgumentError, ValueError):
        raise ConfigError(_wanted("is no address of a database")) from None
    if address.drivername in ("postgresql", "postgres", _POSTGRESQL):
        return address.set(drivername=_POSTGRESQL)
    if address.drivername != "sqlite":
        raise ConfigError(_wanted("names a database of another kind"))
    if not address.database or address.database == ":memory:" or address.query:
        raise ConfigError(_wanted("names no file"))
    return address.set(database=str(Path(address.database).expanduser()))


def _wanted(fault: str) -> str:
    return (
        f"the feedback database ({settings.FEEDBACK_URL}) {fault}; write sqlite:////path/to/feedback.db, or "
        "postgresql://user:password@host/database"
    )


def _keep_private(file: Path) -> None:
    """The file is its owner's alone, and so are those that SQLite makes beside it."""
    file.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
    file.touch(mode=0o600)


def _set_up(connection: Any, _: Any) -> None:
    connection.isolation_level = None  # transactions begin where `_begin` says, and not where the driver guesses
    cursor = connection.cursor()
    for pragma in ("journal_mode=WAL", "synchronous=FULL", "secure_delete=ON"):
        cursor.execute(f"PRAGMA {pragma}")
    cursor.close()


def _begin(connection: sa.Connection) -> None:
    # Who writes says BEGIN IMMEDIATE and waits for its turn: one that reads first could find that another has written.
    statement = connection.get_execution_options().get("begin", "BEGIN")
    if statement:
        connection.exec_driver_sql(statement)


def _reason(error: exc.SQLAlchemyError) -> str:
    """The first line of what connecting and locking say; others may quote a row."""
    original = getattr(error, "orig", None)
    if isinstance(error, exc.OperationalError):
        return (str(original).strip().splitlines() or ["no reason is given"])[0].rstrip(".;")
    return type(original or error).__name__
