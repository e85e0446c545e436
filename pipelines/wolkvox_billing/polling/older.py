"""What a version before the spool was the log has left: answers in dlt's load packages.

They were moved out of dlt's `pipelines`, since dlt's tools may delete them, and are loaded once.
Until then they are in `older` of the working folder, and each `load` says so.
"""

from __future__ import annotations

import json
import shutil
from pathlib import Path

import dlt
from dlt.common.exceptions import DltException
from dlt.common.storages.load_package import PackageStorage, ParsedLoadJobFileName

from wolkvox_billing.warehouse.complaints import failure_of, plain
from wolkvox_billing.warehouse.configuration import PIPELINE
from wolkvox_billing.warehouse.duckdb_file import held_open
from wolkvox_billing.warehouse.loading import LONG, keep_newest, look_at_destination
from wolkvox_billing.warehouse.sessions import only_load
from wolkvox_billing.warehouse.sql import among
from wolkvox_billing.warehouse.working_folder import WorkingFolder, packages_in

_REASON = "set_aside.txt"  # in a package: where it was, and why it is not there
_EXTRACTED, _NORMALIZED = "normalize/extracted", "load/normalized"


def load_older(pipeline: dlt.Pipeline, folder: WorkingFolder) -> str:
    """Load the packages that an older version has left, each once; what could not be loaded, ""
    where nothing is left. One that nobody can read holds up no other one, and stays."""
    if not folder.older.exists():
        return ""
    try:
        problems = _load_all(pipeline, folder)
    except (OSError, ValueError, DltException) as error:  # files that nobody can read
        problems = [plain(error)]
    if not any(packages_in(folder.older)):
        shutil.rmtree(folder.older)
        return ""
    return f"answers that an older version has left wait in {folder.older}: {'; '.join(problems)}"


def _load_all(pipeline: dlt.Pipeline, folder: WorkingFolder) -> list[str]:
    problems = []
    work = folder.older / PIPELINE
    _settle(work)
    for package in packages_in(folder.older):
        if damaged := _damaged(package):
            problems.append(f"{package.name}: {damaged}")
            _put_aside(package, folder.older, damaged)
    if failure := failure_of(lambda: _load(pipeline, folder)):
        problems.append(failure.says)
    else:
        for package in sorted((folder.older / "set_aside").glob("*")):
            place, _, reason = (package / _REASON).read_text().partition("\n")
            if _damaged(package):
                continue
            (package / _REASON).unlink()
            (work / place).mkdir(parents=True, exist_ok=True)
            package = package.rename(work / place / package.name)
            if failure := failure_of(lambda: _load(pipeline, folder)):
                problems.append(failure.says)
                _settle(work)
                for left in packages_in(folder.older):
                    _put_aside(left, folder.older, reason)
    return problems


def _load(pipeline: dlt.Pipeline, folder: WorkingFolder) -> None:
    """Load all packages that wait in `older`, by a pipeline of its own there."""
    own = dlt.pipeline(
        PIPELINE,
        destination=pipeline.destination,
        dataset_name=pipeline.dataset_name,
        pipelines_dir=str(folder.older),
    )
    try:
        if not own.has_pending_data or not own.default_schema_name:
            return
        with held_open(own, or_fail=True), only_load(own, wait=LONG):
            look_at_destination(pipeline)
            own.normalize()
            work = Path(own.working_dir)
            packages = sorted((work / _NORMALIZED).glob("*"))
            for package in packages:
                _begin_again(package)
            own.load().raise_on_failed_jobs()
            keep_newest(own, among("_dlt_load_id", (package.name for package in packages)))
            shutil.rmtree(work / "load" / "loaded", ignore_errors=True)
    finally:
        pipeline.activate()


def _damaged(package: Path) -> str:
    for file in package.glob("*.json"):
        try:
            json.loads(file.read_text())
        except ValueError as error:
            return f"{file.name} is damaged: {error}"
    return ""


def _put_aside(package: Path, older: Path, reason: str) -> None:
    aside = older / "set_aside"
    if package.parent == aside:
        return
    aside.mkdir(exist_ok=True)
    (package / _REASON).write_text(f"{package.parent.relative_to(older / PIPELINE)}\n{reason}")
    package.rename(aside / package.name)


def _settle(work: Path) -> None:
    """End what a run that was killed has left of a step of dlt's; by the last two each later run
    would fail. An extraction half-way, which nothing reads again; a package that is normalized, and
    still among those to be; one that is loaded, and still among those to be."""
    for left in (work / "normalize").glob("*"):
        if left.is_dir() and left.name != "extracted":
            shutil.rmtree(left, ignore_errors=True)
    for left in (work / _EXTRACTED).glob("*"):
        if (work / _NORMALIZED / left.name).exists():
            shutil.rmtree(left, ignore_errors=True)
    for left in (work / _NORMALIZED).glob("*"):
        if (left / PackageStorage.PACKAGE_COMPLETED_FILE_NAME).exists():
            shutil.rmtree(left, ignore_errors=True)


def _begin_again(package: Path) -> None:
    """Make all jobs of a package that was loaded in part new ones. dlt would go on where it ended,
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
    updates.write_text("{}")  # last, since it ends this
