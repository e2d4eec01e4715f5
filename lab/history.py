"""Finished runs, through SQLAlchemy.

A SQLite file unless `DATABASE_URL` names another database. A row holds the recipe, its figures and what they
depend on; no picture, no file name, nothing about who asked. The disk of a Space is wiped at each restart: only a
database elsewhere outlives it.
"""

from __future__ import annotations

import functools
import logging
from datetime import UTC, datetime
from typing import Any

from sqlalchemy import JSON, Engine, String, create_engine, event, func, select
from sqlalchemy.exc import SQLAlchemyError
from sqlalchemy.orm import DeclarativeBase, Mapped, Session, mapped_column

from lab.results import Result
from lab.settings import settings

log = logging.getLogger(__name__)


class Base(DeclarativeBase):
    """The tables of the lab."""


class Finished(Base):
    """One finished run."""

    __tablename__ = "runs"

    id: Mapped[int] = mapped_column(primary_key=True)
    created: Mapped[str] = mapped_column(String(32))
    key: Mapped[str] = mapped_column(String(64), index=True)
    method: Mapped[str] = mapped_column(String(64), index=True)
    seconds: Mapped[float]
    device: Mapped[str] = mapped_column(String(128))
    recipe: Mapped[dict[str, Any]] = mapped_column(JSON)
    figures: Mapped[dict[str, Any]] = mapped_column(JSON)
    counts: Mapped[dict[str, Any]] = mapped_column(JSON)
    notes: Mapped[dict[str, Any]] = mapped_column(JSON)
    versions: Mapped[dict[str, Any]] = mapped_column(JSON)

    def row(self) -> dict[str, Any]:
        """The row as plain data."""
        return {column.name: getattr(self, column.name) for column in self.__table__.columns}


class History:
    """The finished runs of one database.

    A database that cannot be reached or written does not stop the lab: `problem` then says so in one sentence,
    `add` returns False, and `find` and `rows` find nothing.
    """

    def __init__(self, engine: Engine):
        self.engine = engine
        self.problem = ""
        if engine.dialect.name == "sqlite":
            event.listen(engine, "connect", _share)
        try:
            Base.metadata.create_all(engine)
        except SQLAlchemyError as error:
            self._trouble(error)

    def add(self, result: Result | dict[str, Any]) -> bool:
        """Write a finished run (a Result, or what its `row()` gave); False where that failed."""
        row = result if isinstance(result, dict) else result.row()
        names = ("key", "method", "seconds", "device", "recipe", "figures", "counts", "notes", "versions")
        now = datetime.now(UTC).isoformat(timespec="seconds")
        try:
            with Session(self.engine) as session:
                session.add(Finished(created=now, **{name: row[name] for name in names}))
                session.commit()
        except SQLAlchemyError as error:
            self._trouble(error)
            return False
        self.problem = ""
        return True

    def find(self, key: str) -> dict[str, Any] | None:
        """The latest run with this cache key, or None."""
        found = self._read(select(Finished).where(Finished.key == key).order_by(Finished.id.desc()).limit(1))
        return found[0] if found else None

    def latest(self) -> int:
        """The number of the last run that was written, 0 before the first: whether `rows` says anything new."""
        try:
            with Session(self.engine) as session:
                return session.scalar(select(func.max(Finished.id))) or 0
        except SQLAlchemyError as error:
            self._trouble(error)
            return 0

    def rows(self, limit: int = 100, method: str | None = None) -> list[dict[str, Any]]:
        """The latest runs, newest first, of one method where it is named."""
        query = select(Finished).order_by(Finished.id.desc()).limit(limit)
        return self._read(query if method is None else query.where(Finished.method == method))

    def _read(self, query: Any) -> list[dict[str, Any]]:
        try:
            with Session(self.engine) as session:
                return [found.row() for found in session.scalars(query)]
        except SQLAlchemyError as error:
            self._trouble(error)
            return []

    def _trouble(self, error: Exception) -> None:
        log.warning("history: %s", error)
        self.problem = "The history cannot be read or written, so this run is not kept; everything else works."


def _share(connection: Any, _: Any) -> None:
    """Let many threads write one SQLite file: a write-ahead log, and ten seconds of patience."""
    cursor = connection.cursor()
    cursor.execute("PRAGMA busy_timeout = 10000")
    try:
        cursor.execute("PRAGMA journal_mode = WAL")
    except Exception as error:  # a read-only file keeps its journal; reading still works
        log.info("history: no write-ahead log (%s)", error)
    cursor.close()


@functools.cache
def history() -> History:
    """The process's history, at `settings.history_url`."""
    try:
        return History(create_engine(settings.history_url))
    except (SQLAlchemyError, ImportError, OSError) as error:
        fallback = History(create_engine("sqlite://"))
        fallback.problem = "The history's database cannot be opened, so runs are kept only until the next restart."
        log.warning("history: %s", error)
        return fallback
