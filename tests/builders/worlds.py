"""What many tests begin with is done once in a session; whoever wants the same gets a copy."""

from __future__ import annotations

import os
import shutil
import tempfile
import uuid
from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path
from typing import Any

from builders.duckdb_files import let_go
from builders.postgres import create_database, end_session, put_in_place, roomiest
from builders.project import Project
from wolkvox_billing.verbs.poll import place_of
from wolkvox_billing.warehouse import bulk as files
from wolkvox_billing.warehouse.place import DATASET
from wolkvox_billing.warehouse.published import note_own


@dataclass
class World:
    """Copies of a project, of its working folder and its database, and what the vendor says."""

    copy: Path
    root: Path  # where the project was; dlt writes it down
    database: str
    now: datetime
    answers: dict[Any, Any]


FOLDER = tempfile.TemporaryDirectory(prefix="worlds-", dir=roomiest())  # for the session
WORLDS: dict[str, World] = {}


def once(project: Project, step: Callable[..., None], *words: Any, **more: Any) -> None:
    """Do step(project, *words, **more), which is done for the first empty project of a session with
    the same files and settings, and copied into the others. It is always done where something was
    done before, or where the DuckDB file may be elsewhere."""
    if not is_empty(project):
        step(project, *words, **more)
        return
    name = f"{step.__module__}.{step.__qualname__}"  # of two files' `judge` each is its own
    key = repr([name, words, sorted(more.items()), project.settings, files.FEW,
                project.destination, *_settings(), *_files(project.folder)])  # fmt: skip
    if world := WORLDS.get(key):
        copy(world, project)
        return
    step(project, *words, **more)
    WORLDS[key] = keep(project)


def is_empty(project: Project) -> bool:
    """Whether nothing was done in a project yet, and its DuckDB file will be in its folder."""
    has_worked = (project.folder.parent / "dlt").exists()
    return not has_worked and "DESTINATION__DUCKDB__CREDENTIALS" not in os.environ


def keep(project: Project) -> World:
    """Return a copy of a project as it is now, for others to begin with."""
    root, vendor = project.folder.parent, project.vendor
    let_go()
    world = World(
        Path(tempfile.mkdtemp(dir=FOLDER.name)), root, f"w{uuid.uuid4().hex[:12]}", vendor.now,
        dict(vendor._answers),
    )  # fmt: skip
    for name in (project.folder.name, "dlt"):
        shutil.copytree(root / name, world.copy / name, symlinks=True)
    if project.dsn:
        end_session()
        server, own = project.dsn.rsplit("/", 1)
        create_database(server, world.database, template=own)
    return world


def _settings() -> list[tuple[str, str]]:
    """The address of the vendor is another one for each test, and that of the database too."""
    return sorted(
        (name, text)
        for name, text in os.environ.items()
        if name.startswith(("SOURCES__", "TZ")) and not name.endswith("__BASE_URL")
    )


def _files(folder: Path) -> list[tuple[str, bytes]]:
    paths = sorted(path for path in folder.rglob("*") if path.is_file())
    return [(str(path.relative_to(folder)), path.read_bytes()) for path in paths]


def copy(world: World, project: Project) -> None:
    """Put into an empty project what was kept of another one."""
    if project.dsn:
        server, own = project.dsn.rsplit("/", 1)
        put_in_place(server, own, template=world.database)
    folder, _ = place_of(project.destination, DATASET)
    working = folder.path  # its name is made of the project's folder
    [original] = (world.copy / "dlt" / "wolkvox-billing").iterdir()
    shutil.copytree(original, working)
    for state in working.rglob("state.json"):
        text = state.read_text().replace(str(world.root), str(project.folder.parent))
        state.write_text(text)
    for trace in working.rglob("trace.pickle"):  # of runs that were elsewhere
        trace.unlink()
    own = world.copy / project.folder.name
    shutil.copytree(own, project.folder, symlinks=True, dirs_exist_ok=True)
    if (record := project.folder / "wolkvox.duckdb").exists():
        note_own(record, folder)  # it is another file than the one that was looked at
    project.vendor.now = world.now
    project.vendor._answers.update(world.answers)
