"""The load packages that wait in a working folder: loaded oldest first, and one that never can be
is set aside.

dlt keeps a package that the destination refuses before all others, so that nothing behind it would
be loaded ever again. Whether the package is at fault or the destination shows when a later one is
loaded: only then is the earlier one set aside, with all that is in it.
"""

from __future__ import annotations

import shutil
from collections.abc import Callable
from pathlib import Path
from typing import NamedTuple, TypeVar

import dlt
from dlt.common.pipeline import LoadInfo
from dlt.common.storages.load_package import PackageStorage, ParsedLoadJobFileName
from dlt.pipeline.exceptions import PipelineStepFailed

from wolkvox_billing.marts import REFRESHED
from wolkvox_billing.marts.sql import literal
from wolkvox_billing.reports import REPORTS
from wolkvox_billing.sessions import only_load
from wolkvox_billing.warehouse import causes, held_open, is_full, plain

T = TypeVar("T")
LONG = 900.0  # seconds for another host that loads
_REASON = "reason.txt"


class Loaded(NamedTuple):
    """What was loaded, None where nothing waited; and a sentence for each package that was not."""

    info: LoadInfo | None
    problems: list[str]

    @property
    def changes_tables(self) -> bool:
        return any(one.schema_update for one in self.info.load_packages) if self.info else False


def load_waiting(pipeline: dlt.Pipeline, *, wait: float = LONG) -> Loaded:
    """Loads what an earlier run left behind, or learns from the destination what is in it."""
    # Without a schema it is a first run that was killed in extract: its answers are in the spool.
    if pipeline.has_pending_data and pipeline.default_schema_name:
        return normalized_and_loaded(pipeline, wait=wait, late=True)
    pipeline.sync_destination()
    return Loaded(None, [])


def normalized_and_loaded(
    pipeline: dlt.Pipeline, *, wait: float = LONG, late: bool = False
) -> Loaded:
    """Loads all that waits, once no other host loads. wait: for it, in seconds. late: the answers
    have waited, so that newer ones may be loaded already."""
    work = Path(pipeline.working_dir)
    problems: list[str] = []
    _all_but_bad(pipeline, pipeline.normalize, work / "normalize" / "extracted", problems)
    with held_open(pipeline, or_fail=True), only_load(pipeline, wait=wait):
        for jobs in (work / "load" / "normalized").glob("*/new_jobs"):
            _begin_again(jobs.parent)  # a killed run may leave a file there that is no package
        info = _all_but_bad(pipeline, pipeline.load, work / "load" / "normalized", problems)
        info.raise_on_failed_jobs()
        if late or len(info.loads_ids) > 1:
            _keep_newest(pipeline, info.loads_ids)
    return Loaded(info, problems)


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
        for file in (package / folder).iterdir():
            if file.suffix in (".sql", ".exception"):
                file.unlink()
            else:
                file.rename(new / file.name)
    for file in new.iterdir():
        name = ParsedLoadJobFileName.parse(file.name)
        file.rename(new / name._replace(retry_count=0).file_name())
    shutil.rmtree(package / PackageStorage.PENDING_TRANSITIONS_FOLDER, ignore_errors=True)
    updates.write_text("{}")  # last, since it ends this


def _all_but_bad(
    pipeline: dlt.Pipeline, step: Callable[[], T], queue: Path, problems: list[str]
) -> T:
    """What a step of dlt's gives once those packages are out of its way that stop it, and a later
    one passes; where none passes it is nobody's fault but the destination's. What may pass another
    time goes back into the queue."""
    aside: list[tuple[Path, str, bool]] = []
    try:
        while True:
            try:
                done = step()
                break
            except PipelineStepFailed as error:
                name, is_final = _stopped_at(error)
                if not name or is_full(error) or not _behind(queue / name):
                    raise
                aside.append((queue / name, plain(error), is_final))
                _move(queue / name, _folder(pipeline) / name)
    except BaseException:
        for package, *_ in aside:
            _move(_folder(pipeline) / package.name, package)
        raise
    for package, reason, is_final in aside:
        folder = _folder(pipeline) / package.name
        if is_final:
            (folder / _REASON).write_text(f"{queue.relative_to(pipeline.working_dir)}\n{reason}\n")
            problems.append(set_aside(pipeline)[package.name])
        else:
            _move(folder, package)
            problems.append(f"answers that waited, and wait on: {reason}")
    return done


def _stopped_at(error: BaseException) -> tuple[str, bool]:
    """The id of the package that a step could not take, "" where none is named, and whether it
    never will, by what dlt makes of the destination's words."""
    from dlt.load.exceptions import LoadClientJobRetry, LoadClientJobTerminalRetry
    from dlt.normalize.exceptions import NormalizeJobFailed

    for one in causes(error):
        if isinstance(one, (LoadClientJobTerminalRetry, NormalizeJobFailed)):
            return str(one.load_id), True
        if isinstance(one, LoadClientJobRetry):
            # DuckDB's word for a damaged file; dlt takes it for what may pass.
            is_final = any(type(c).__name__ == "InvalidInputException" for c in causes(one))
            return str(one.load_id), is_final
    return "", False


def _behind(package: Path) -> list[Path]:
    return [one for one in package.parent.iterdir() if one.is_dir() and one.name > package.name]


def _move(package: Path, to: Path) -> None:
    to.parent.mkdir(mode=0o700, exist_ok=True)
    package.rename(to)


def _folder(pipeline: dlt.Pipeline) -> Path:
    return Path(pipeline.pipelines_dir, "set_aside")  # dlt may wipe what is in its own folder


def set_aside(pipeline: dlt.Pipeline) -> dict[str, str]:
    """A sentence for each package that could not be loaded while a later one could, by its id."""
    told = {}
    for folder in sorted(_folder(pipeline).glob("*")):
        try:
            place, reason = (folder / _REASON).read_text().split("\n", 1)
        except (OSError, ValueError):  # killed before it was written
            place, reason = "load/normalized", "its load did not end"
        back = Path(pipeline.working_dir, place)
        told[folder.name] = (
            f"a package of answers could not be loaded, though a later one could: "
            f"{' '.join(reason.split())}. It is set aside in {folder}; to try it again, move that "
            f"folder into {back}"
        )
    return told


def _keep_newest(pipeline: dlt.Pipeline, ids: list[str]) -> None:
    """Puts the newest readings back into the reports' tables where these loads have put older ones:
    another host, or another project folder, may have loaded while they waited."""
    tables = pipeline.default_schema.tables.keys() & REPORTS.keys()
    if pipeline.destination.destination_name not in REFRESHED or not tables:
        return
    key = ("operation_id", "operation", "description", "date")
    shown = ("items", "items_raw", "date_raw", "read_at", "poll_id")
    with pipeline.sql_client() as client:
        readings = client.make_qualified_table_name("readings")
        for report in sorted(tables):
            table = client.make_qualified_table_name(report)
            among = f"report = {literal(report)}"
            late = f"{among} AND _dlt_load_id IN ({', '.join(map(literal, ids))})"
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
