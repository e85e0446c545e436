"""The load packages that wait in a working folder: loaded oldest first, and one that never can be
is set aside.

dlt keeps a package that the destination refuses before all others, so that nothing behind it would
be loaded ever again. Whether the package is at fault or the destination shows when a later one has
loaded rows of the same table: only then is the earlier one set aside, with all that is in it.
"""

from __future__ import annotations

import json
import os
import shutil
from collections.abc import Callable, Iterable, Mapping
from pathlib import Path
from typing import Any, NamedTuple, TypeVar

import dlt
from dlt.common.pipeline import LoadInfo
from dlt.common.schema import Schema
from dlt.common.storages.load_package import PackageStorage, ParsedLoadJobFileName
from dlt.destinations.sql_client import SqlClientBase
from dlt.pipeline.exceptions import PipelineStepFailed

from wolkvox_billing.files import THERE
from wolkvox_billing.marts import REFRESHED
from wolkvox_billing.marts.sql import literal
from wolkvox_billing.sessions import only_load
from wolkvox_billing.warehouse import (
    causes,
    engine_of,
    held_open,
    in_little_memory,
    is_complaint,
    is_full,
    is_out_of_memory,
    plain,
    rows_of,
    tables_in,
)

T = TypeVar("T")
NOT_NEWEST = "loaded, and the reports' tables may show older readings until the next load: {}"
LONG = 900.0  # seconds for another host that loads
EXTRACTED, NORMALIZED = "normalize/extracted", "load/normalized"  # where packages wait
_REASON = "set_aside.txt"  # in a package: where it was, and why it is not there; "" for the latter
# while nobody knows


class Loaded(NamedTuple):
    """What was loaded, None where nothing waited; and a sentence for each package that was not."""

    info: LoadInfo | None
    problems: list[str]

    @property
    def changes_tables(self) -> bool:
        packages = self.info.load_packages if self.info else []
        return bool(self.problems) or any(one.schema_update for one in packages)


def waiting(pipeline: dlt.Pipeline, *places: str) -> list[Path]:
    """The packages that wait, the oldest first; in these places, or in both."""
    work = Path(pipeline.working_dir)
    # A run that was killed may have left a file there, and a desktop one of its own.
    found = (one for place in places or (EXTRACTED, NORMALIZED) for one in (work / place).glob("*"))
    return sorted((one for one in found if one.is_dir()), key=lambda one: one.name)


def load_waiting(pipeline: dlt.Pipeline, *, wait: float = LONG) -> Loaded:
    """Loads what an earlier run left behind, or learns from the destination what is in it."""
    problems, info = _put_in_order(pipeline), None
    THERE.pop(pipeline.working_dir, None)
    with held_open(pipeline):
        # Without a schema it is a first run that was killed in extract: the spool has its answers.
        if pipeline.has_pending_data and pipeline.default_schema_name:
            _look_at_tables(pipeline)
            info, more = normalized_and_loaded(pipeline, wait=wait, late=True)
            problems += more
        else:
            pipeline.sync_destination()
        _look_at_tables(pipeline)
    return Loaded(info, problems)


def tables_of(pipeline: dlt.Pipeline) -> set[str]:
    """The tables that the destination had when `load_waiting` looked; where it cannot look, those
    that dlt knows."""
    known: Any = pipeline.default_schema.tables if pipeline.default_schema_name else {}
    return set(THERE.get(pipeline.working_dir, known))


def _look_at_tables(pipeline: dlt.Pipeline) -> None:
    """Notes which tables there are, where that can be asked. Where one is gone that was made, or
    the one that it is merged from, dlt's notes go too, by which it would take them for made, and
    fail for ever. What a role may not see or change stays as it is; so does a table without a
    column, which may have another name now: a new one would be empty, and its numbers wrong."""
    if engine_of(pipeline) not in REFRESHED:
        return
    try:
        with pipeline.sql_client() as client:
            places = client.dataset_name, client.staging_dataset_name
            there: dict[str, dict[str, set[str]]] = {place: {} for place in places}
            for place, table, column in rows_of(
                client,
                "SELECT table_schema, table_name, column_name FROM information_schema.columns "
                "WHERE table_catalog = current_database() "
                f"AND table_schema IN ({', '.join(map(literal, places))})",
            ):
                there[place].setdefault(table, set()).add(column)
            THERE[pipeline.working_dir] = there[places[0]]
            if pipeline.default_schema_name:
                for place in places:
                    _forget_what_is_gone(client, pipeline.default_schema, place, there[place])
    except Exception as error:
        if not is_complaint(error):
            raise


def _forget_what_is_gone(
    client: SqlClientBase[Any], schema: Schema, place: str, there: Mapping[str, set[str]]
) -> None:
    made = {
        str(table["name"])
        for table in schema.data_tables(seen_data_only=True)
        if place == client.dataset_name or table.get("write_disposition") == "merge"
    }
    if not made <= there.keys() and schema.version_table_name in there:
        with client.with_alternative_dataset_name(place):
            table = client.make_qualified_table_name(schema.version_table_name)
            client.execute_sql(f"DELETE FROM {table} WHERE schema_name = {literal(schema.name)}")


def normalized_and_loaded(
    pipeline: dlt.Pipeline, *, wait: float = LONG, late: bool = False
) -> Loaded:
    """Loads all that waits, once no other host loads. wait: for it, in seconds. late: the answers
    have waited, so that newer ones may be loaded already."""
    problems: list[str] = []
    _all_but_bad(pipeline, pipeline.normalize, EXTRACTED, problems)
    noted = Path(pipeline.pipelines_dir, "late.json")
    with held_open(pipeline, or_fail=True), only_load(pipeline, wait=wait):
        packages = waiting(pipeline, NORMALIZED)
        for package in packages:
            _begin_again(package)
        ids = set(json.loads(noted.read_text())) if noted.exists() else set()
        if late or ids or len(packages) > 1:
            # Noted before, since a run may die after it has loaded some of them.
            ids |= {package.name for package in packages}
            _write(noted, json.dumps(sorted(ids)))
        try:
            info = _all_but_bad(pipeline, lambda: _load(pipeline), NORMALIZED, problems)
            info.raise_on_failed_jobs()
        except PipelineStepFailed:
            _try_to_keep_newest(pipeline, ids, problems)  # of those that it has loaded before
            raise
        if _try_to_keep_newest(pipeline, ids, problems):
            noted.unlink(missing_ok=True)
    return Loaded(info, problems)


def _try_to_keep_newest(pipeline: dlt.Pipeline, ids: Iterable[str], problems: list[str]) -> bool:
    try:
        if ids:
            _keep_newest(pipeline, ids)
    except Exception as error:
        if not is_complaint(error):
            raise
        problems.append(NOT_NEWEST.format(plain(error)))
        return False
    return True


def _load(pipeline: dlt.Pipeline) -> LoadInfo:
    """Loads many rows into DuckDB one table after the other, since each takes all cores and the
    memory that it can get; and in little memory, as long as that suffices."""
    is_duckdb = engine_of(pipeline) == "duckdb"
    if not is_duckdb or not any(Path(pipeline.working_dir, NORMALIZED).glob("*/*/*.parquet")):
        return pipeline.load()
    with in_little_memory(pipeline):
        try:
            info = pipeline.load(workers=1)
            _empty_staging(pipeline)
            return info
        except PipelineStepFailed as error:
            if not is_out_of_memory(error):
                raise
    return pipeline.load(workers=1)


def _empty_staging(pipeline: dlt.Pipeline) -> None:
    """Empties dlt's staging tables, before DuckDB writes its file: it would write these rows too,
    and the file would be half as large again."""
    with pipeline.sql_client() as client, client.with_staging_dataset():
        for table in tables_in(client, client.dataset_name):
            if not table.startswith("_dlt"):
                client.execute_sql(f"TRUNCATE {client.make_qualified_table_name(table)}")


def _begin_again(package: Path) -> None:
    """Makes all jobs of a package that was loaded in part new ones. dlt would go on where it ended,
    out of staging tables that another package, or another host, may have emptied meanwhile: rows
    were lost so. Each merge may be done twice."""
    updates = package / PackageStorage.SCHEMA_UPDATES_FILE_NAME
    new = package / PackageStorage.NEW_JOBS_FOLDER
    if updates.exists():
        return  # dlt notes so that it did not begin
    for merge in new.glob("*.sql"):  # dlt makes it anew once the rows are in the staging table
        merge.unlink()
    for folder in ("started_jobs", "completed_jobs", "failed_jobs"):
        for file in (package / folder).glob("[!.]*"):
            if file.suffix in (".sql", ".exception"):
                file.unlink()
            else:
                file.rename(new / file.name)
    for file in new.glob("[!.]*"):
        name = ParsedLoadJobFileName.parse(file.name)
        file.rename(new / name._replace(retry_count=0).file_name())
    shutil.rmtree(package / PackageStorage.PENDING_TRANSITIONS_FOLDER, ignore_errors=True)
    _write(updates, "{}")  # last, since it ends this


def _write(file: Path, text: str) -> None:
    """A file that is there whole or not at all."""
    part = file.with_name(f".{file.name}.part")
    part.write_text(text)
    os.replace(part, file)


def _all_but_bad(
    pipeline: dlt.Pipeline, step: Callable[[], T], place: str, problems: list[str]
) -> T:
    """What a step of dlt's gives once those packages are out of its way that stop it, and a later
    one passes; where none passes it is nobody's fault but the destination's. What may pass another
    time goes back to where it was."""
    aside: list[tuple[str, str, bool, str]] = []
    try:
        while True:
            try:
                done = step()
                break
            except PipelineStepFailed as error:
                name, job, is_final = _stopped_at(error)
                packages = [package.name for package in waiting(pipeline, place)]
                if name not in packages[:-1] or is_full(error):
                    raise
                _put_aside(pipeline, Path(pipeline.working_dir, place, name))
                aside.append((name, job, is_final, plain(error)))
    except BaseException:
        _put_back(pipeline)
        raise
    for name, job, is_final, reason in aside:
        later = Path(pipeline.working_dir, "load", "loaded").glob(f"*/completed_jobs/{job}.*")
        if is_final and (place == EXTRACTED or any(one.parts[-3] > name for one in later)):
            _write(_folder(pipeline) / name / _REASON, f"{place}\n{reason}")
            problems.append(set_aside(pipeline)[name])
        else:
            problems.append(f"answers that waited, and wait on: {reason}")
    _put_back(pipeline)
    return done


def _stopped_at(error: BaseException) -> tuple[str, str, bool]:
    """The package that a step could not take, "" where none is named; the table of the job that
    failed; and whether it never will, by what dlt makes of the destination's words."""
    from dlt.load.exceptions import LoadClientJobRetry, LoadClientJobTerminalRetry
    from dlt.normalize.exceptions import NormalizeJobFailed

    for one in causes(error):
        if isinstance(one, (LoadClientJobTerminalRetry, NormalizeJobFailed, LoadClientJobRetry)):
            is_final = not isinstance(one, LoadClientJobRetry) or any(
                # DuckDB's word for a damaged file; dlt takes it for what may pass.
                type(cause).__name__ == "InvalidInputException"
                for cause in causes(one)
            )
            return str(one.load_id), str(one.job_id).split(".")[0], is_final
    return "", "", False


def _folder(pipeline: dlt.Pipeline) -> Path:
    return Path(pipeline.pipelines_dir, "set_aside")  # dlt may wipe what is in its own folder


def _put_aside(pipeline: dlt.Pipeline, package: Path, reason: str = "") -> None:
    place = package.parent.relative_to(pipeline.working_dir)
    to = _folder(pipeline) / package.name
    to.parent.mkdir(mode=0o700, exist_ok=True)
    if to.exists():  # somebody has copied it back, instead of moving it
        number = sum(1 for _ in to.parent.glob(f"{to.name}*"))
        to.rename(to.with_name(f"{to.name}-{number}"))
    _write(package / _REASON, f"{place}\n{reason}")
    package.rename(to)


def _put_back(pipeline: dlt.Pipeline) -> None:
    """Back to where they were with the packages that nobody has given up."""
    for package, place, reason in _aside(pipeline):
        if not reason:
            (package / _REASON).unlink()
            package.rename(Path(pipeline.working_dir, place, package.name))


def _aside(pipeline: dlt.Pipeline) -> Iterable[tuple[Path, str, str]]:
    for file in sorted(_folder(pipeline).glob(f"*/{_REASON}")):
        place, reason = file.read_text().split("\n", 1)
        yield file.parent, place, reason


def set_aside(pipeline: dlt.Pipeline) -> dict[str, str]:
    """A sentence for each package that could not be loaded while a later one could, by its id."""
    return {
        package.name: (
            f"a package of answers could not be loaded: {' '.join(reason.split())}. It is set "
            f"aside in {package}; to try it again, move that folder into "
            f"{Path(pipeline.working_dir, place)}"
        )
        for package, place, reason in _aside(pipeline)
        if reason
    }


def _put_in_order(pipeline: dlt.Pipeline) -> list[str]:
    """Ends what a run that was killed has left, and sets aside what dlt could not even look at; a
    sentence for each of these."""
    _put_back(pipeline)
    problems = []
    for package in waiting(pipeline):
        (package / _REASON).unlink(missing_ok=True)  # somebody has moved it back
        damaged = ""
        for file in package.glob("*.json"):
            try:
                json.loads(file.read_text())
            except ValueError as error:
                damaged = f"{file.name} is damaged: {error}"
        if damaged:
            _put_aside(pipeline, package, damaged)
            problems.append(set_aside(pipeline)[package.name])
    return problems


def drop(packages: Iterable[Path]) -> None:
    """Removes packages that wait, and no other. Not by dlt's `abort_packages`: where that is killed
    the next load ends it, and drops all that came meanwhile."""
    for package in packages:
        shutil.rmtree(package)


def _keep_newest(pipeline: dlt.Pipeline, ids: Iterable[str]) -> None:
    """Puts the newest readings back into the reports' tables where these loads have put older ones:
    another host, or another project folder, may have loaded while they waited."""
    if engine_of(pipeline) not in REFRESHED:
        return
    key = ("operation_id", "operation", "description", "date")
    shown = ("items", "items_raw", "date_raw", "read_at", "poll_id")
    with pipeline.sql_client() as client:
        readings = client.make_qualified_table_name("readings")
        tables = pipeline.default_schema.tables
        reports = {name for name, one in tables.items() if {*key, "items_raw"} <= {*one["columns"]}}
        for report in sorted((reports - {"readings"}) & tables_in(client, client.dataset_name)):
            table = client.make_qualified_table_name(report)
            among = f"report = {literal(report)}"
            late = f"{among} AND _dlt_load_id IN ({', '.join(map(literal, sorted(ids)))})"
            same = " AND ".join(f"t.{name} = n.{name}" for name in key)
            client.execute_sql(
                f"UPDATE {table} AS t SET {', '.join(f'{name} = n.{name}' for name in shown)} "
                f"FROM (SELECT *, ROW_NUMBER() OVER (PARTITION BY {', '.join(key)} "
                "ORDER BY read_at DESC, poll_id DESC, row_number DESC) AS place "
                f"FROM {readings} WHERE {among} AND ({', '.join(key)}) IN "
                f"(SELECT {', '.join(key)} FROM {readings} WHERE {late})) AS n "
                f"WHERE n.place = 1 AND {same} AND t.read_at < n.read_at"
            )


def tidy(pipeline: dlt.Pipeline) -> None:
    """Removes what is loaded: dlt keeps every package, 8 files a poll. One with a job that failed
    stays."""
    for package in Path(pipeline.working_dir, "load", "loaded").glob("*"):
        if not any((package / "failed_jobs").glob("*")):
            shutil.rmtree(package, ignore_errors=True)
