"""The database's tables -> those of a revision; several processes may ask for it at once, and one does it."""

from pathlib import Path

import sqlalchemy as sa
from alembic import command
from alembic.config import Config
from alembic.runtime.migration import MigrationContext
from alembic.script import ScriptDirectory
from alembic.util import CommandError

from emolens.errors import FeedbackError
from emolens.feedback.database import reaching, shown

_SCRIPTS = Path(__file__).with_name("migrations")
_LOCK = 0x656D6F6C656E73  # "emolens"


def migrate(engine: sa.Engine, revision: str = "head") -> tuple[str | None, str | None]:
    """Brings the tables up, or down, to a revision; all of it is done or nothing.

    Args:
        engine: of the database.
        revision: `head` is the newest, `base` leaves no tables.

    Returns:
        The revisions before and after; None where there are no tables.

    Raises:
        FeedbackError: `away`; `unusable` where a newer emolens has made the tables.
    """
    config = _config()
    with reaching(engine), engine.execution_options(begin="BEGIN IMMEDIATE").begin() as connection:
        if connection.dialect.name == "postgresql":  # SQLite has locked its file with the beginning
            connection.execute(sa.text("SELECT pg_advisory_xact_lock(:key)"), {"key": _LOCK})
        before = _revision(connection)
        config.attributes["connection"] = connection
        goes_down = before is not None and revision != "head" and _is_below(revision, before)
        try:
            (command.downgrade if goes_down else command.upgrade)(config, revision)
        except CommandError as error:
            raise FeedbackError(
                "unusable",
                f"the feedback database {shown(engine.url)} is at revision {before}, from which this emolens does not "
                f"know the way to {revision}: {error}; install a newer emolens",
            ) from None
        return before, _revision(connection)


def revisions() -> list[str]:
    """All revisions, the oldest first."""
    scripts = ScriptDirectory.from_config(_config())
    return [script.revision for script in scripts.walk_revisions()][::-1]


def _config() -> Config:
    config = Config()
    config.set_main_option("script_location", str(_SCRIPTS).replace("%", "%%"))
    return config


def _revision(connection: sa.Connection) -> str | None:
    return MigrationContext.configure(connection).get_current_revision()


def _is_below(revision: str, current: str) -> bool:
    known = ["base", *revisions()]
    return current not in known or (revision in known and known.index(revision) < known.index(current))
