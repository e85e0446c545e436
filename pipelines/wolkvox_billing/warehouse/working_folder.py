"""The working folder of one project, destination and dataset: what is on disk and in no table yet.

    <dlt's data folder>/wolkvox-billing/<own>/
        spool/                what was answered and waits for the destination: see `spool`
        asked/                when operations were asked: see `pace`
        pipelines/wolkvox/    dlt's own, which anybody may delete: it is made anew
        older/                packages of a version before the spool was the log: see `older`
        looked_at             which DuckDB file was last seen to be no copy: see `published`
        in_use.lock           held by one `load` at a time

It is a data folder of dlt's own shape: with DLT_DATA_DIR=<own> dlt's tools find the pipeline. They
take whatever they do not know in their `pipelines` for rubbish, so nothing of ours is in there.
"""

from __future__ import annotations

import hashlib
import os
import re
import shutil
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import filelock

from wolkvox_billing.errors import SettingsError, WarehouseError
from wolkvox_billing.warehouse.configuration import PIPELINE

LOCK = "in_use.lock"
ALL = "wolkvox-billing"  # in dlt's data folder, and once in its `pipelines`: all working folders


@dataclass(frozen=True)
class WorkingFolder:
    """Where the answers of one project, destination and dataset are until they are loaded."""

    path: Path

    @property
    def spool(self) -> Path:
        return self.path / "spool"

    @property
    def asked(self) -> Path:
        return self.path / "asked"

    @property
    def pipelines(self) -> Path:
        return self.path / "pipelines"

    @property
    def older(self) -> Path:
        return self.path / "older"

    @property
    def looked_at(self) -> Path:
        return self.path / "looked_at"

    @property
    def dlt_command(self) -> str:
        """What shows the pipeline by dlt's own tools."""
        return f"DLT_DATA_DIR={self.path} dlt pipeline {PIPELINE} info"

    def take_over(self, older: Path) -> None:
        """Move what an older version has left in its working folder to where it is loaded. A run
        that is killed in between leaves the rest for the next one. Raises WarehouseError."""
        if not older.is_dir():
            return
        try:
            with filelock.FileLock(older / LOCK, timeout=60):
                self.spool.mkdir(mode=0o700, parents=True, exist_ok=True)
                for file in (older / "spool").glob("*.*"):
                    file.rename(self.spool / file.name)
                for package in list(packages_in(older)):
                    place = self.older / package.relative_to(older)
                    place.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
                    package.rename(place)
                if self.older.exists() and not (self.older / PIPELINE / "state.json").exists():
                    shutil.copytree(older / PIPELINE, self.older / PIPELINE, dirs_exist_ok=True)
            shutil.rmtree(older, ignore_errors=True)
        except filelock.Timeout:
            raise WarehouseError(
                f"a process of an older version uses {older}: end it first"
            ) from None


def packages_in(folder: Path) -> Iterator[Path]:
    """Yield the packages that wait in a folder of a pipeline as an older version kept it."""
    for place in (f"{PIPELINE}/normalize/extracted", f"{PIPELINE}/load/normalized", "set_aside"):
        for package in (folder / place).glob("*"):
            if package.is_dir():
                yield package


def working_folder_name(
    project: str | Path, destination: str, destination_name: str, dataset: str, location: str
) -> str:
    """Return the name of the working folder of a project, destination and dataset at one address.

    destination: as it was asked for; destination_name and location: as an `Address` has them.
    """
    check_dataset(dataset)
    whose = _digest(os.path.abspath(project), destination, dataset)
    return f"{destination_name}-{dataset}-{whose}-{_digest(location)}"


def check_dataset(dataset: str) -> None:
    """Raise SettingsError for what cannot be a dataset, or would be called otherwise by dlt."""
    if dataset == PIPELINE:
        raise SettingsError(
            f"the dataset cannot be called {dataset!r}, which is the name of the pipeline and of "
            "its DuckDB file: choose another one"
        )
    if not re.fullmatch(r"[a-z]([a-z0-9]|_(?!_|$)){0,50}", dataset):
        raise SettingsError(
            f"{dataset!r} cannot be a dataset: it begins with a letter, and has small letters, "
            "digits and single _ between them"
        )


def _digest(*parts: str) -> str:
    return hashlib.sha256("\n".join(parts).encode()).hexdigest()[:10]
