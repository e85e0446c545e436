"""DuckDB files as a test reads and writes them, beside the product."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import closing, contextmanager, suppress
from functools import cache
from pathlib import Path
from threading import Lock
from typing import Any

import duckdb
import pytest

_ONE_AT_A_TIME = Lock()
_KEPT: dict[str, duckdb.DuckDBPyConnection] = {}  # by the file


@contextmanager
def kept_open() -> Iterator[None]:
    """Let whatever opens a DuckDB file in this process share one that stays open for the block: to
    open and write it out takes a third of a verb, and ten times as long as a small question."""
    connect = duckdb.connect

    def shared(database: str | Path = ":memory:", *words: Any, **more: Any) -> Any:
        file = str(Path(database).absolute())
        if str(database) == ":memory:" and "config" in more:  # of evidence, which attaches nothing
            return _in_memory(connect, **more["config"]).cursor()
        if str(database) == ":memory:" or more.get("read_only"):
            let_go()  # it is attached there, or opened in another way than it is kept
        elif file not in _KEPT:
            _KEPT[file] = connect(database, *words, **more)
        return connect(database, *words, **more)

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(duckdb, "connect", shared)
        try:
            yield
        finally:
            for connection in _KEPT.values():  # nobody wants the file any more
                with suppress(duckdb.Error):
                    connection.execute("PRAGMA disable_checkpoint_on_shutdown")
            let_go()


def let_go() -> None:
    """Close what is kept open: somebody else wants the file."""
    while _KEPT:
        _KEPT.popitem()[1].close()


@contextmanager
def attached(file: Path, *, read_only: bool = True) -> Iterator[duckdb.DuckDBPyConnection]:
    """Give a connection to a file, under the name that it has for whoever opens it; times come in
    UTC. To open a DuckDB of its own for each question takes five times as long."""
    if kept := _KEPT.get(str(file.absolute())):
        with closing(kept.cursor()) as db:
            db.execute("SET TimeZone = 'UTC'")
            yield db
        return
    with _ONE_AT_A_TIME, closing(_database().cursor()) as db:
        mode = "READ_ONLY" if read_only else "READ_WRITE"
        db.execute(f"""ATTACH '{file}' AS "{file.stem}" ({mode})""")
        try:
            db.execute(f'USE "{file.stem}"')
            yield db
        finally:
            db.execute("USE memory")
            db.execute(f'DETACH "{file.stem}"')


@cache
def _in_memory(connect: Callable[..., Any], **settings: Any) -> Any:
    return connect(config=settings)


@cache
def _database() -> duckdb.DuckDBPyConnection:
    database = duckdb.connect()
    database.execute("SET GLOBAL TimeZone = 'UTC'")
    return database
