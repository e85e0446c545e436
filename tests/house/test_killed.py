"""Killed anywhere: whatever was received is loaded once by the next runs, and no more than once.

`make faults` kills 200 runs at any moment and one before each change of files, on both engines.
"""

from __future__ import annotations

import json
import os
import random
import re
import shlex
import signal
import time
from collections.abc import Iterator
from contextlib import suppress
from datetime import timedelta
from pathlib import Path
from typing import Any

import duckdb
import pytest

from builders.fuzzing import at_length
from builders.killing import Stable
from builders.kills import KILLS, note
from builders.months import ONE_LINE, ONE_PRICE, READ, bill, invoice, local, read
from builders.project import NOON, TOKENS, Project, configure
from builders.record import Call, write_polls
from builders.torn_files import tear
from wolkvox_billing.closing import NotClosed, close
from wolkvox_billing.evidence import examine
from wolkvox_billing.reconciliation.policy import Policy
from wolkvox_billing.vendor import envelope
from wolkvox_billing.verbs.publish import publish
from wolkvox_billing.verbs.restore import restore
from wolkvox_billing.warehouse import bulk

REPORT = "rsync_s3_mp3"
DAY = "2026-11-10"
ROW = {"operation": "ACME", "description": "Audios", "items": "1", "date": DAY}

# Each is a place of the code, before or after which call of it.
STEPS: dict[str, tuple[str, str, int]] = {
    "before the call": ("wolkvox_billing.polling.polls:ask", "before", 1),
    "after an answer": ("wolkvox_billing.polling.polls:ask", "after", 2),
    "before its file is whole": ("os:fsync", "before", 1),
    "after the first is in the spool": ("wolkvox_billing.polling.spool:Spool.keep", "after", 1),
    "after the last is in the spool": ("wolkvox_billing.polling.spool:Spool.keep", "after", 3),
    "before it is noted that a load begins": (
        "wolkvox_billing.polling.spool:Spool.mark_tried",
        "before",
        1,
    ),
    "after it is noted that a load begins": (
        "wolkvox_billing.polling.spool:Spool.mark_tried",
        "after",
        1,
    ),
    "in extract": ("wolkvox_billing.polling.source:readings_in", "after", 1),
    "before the package is whole": ("dlt.extract.extract:Extract.commit_packages", "before", 1),
    "after the package is whole": ("dlt.extract.extract:Extract.commit_packages", "after", 1),
    "before normalize": ("dlt.normalize.normalize:Normalize.run", "before", 1),
    "in normalize": ("dlt.normalize.normalize:Normalize.map_single", "after", 1),
    "after normalize": ("dlt.normalize.normalize:Normalize.run", "after", 1),
    "before load": ("dlt.load.load:Load.run", "before", 1),
    "in load, before a job": ("dlt.load.load:Load.submit_job", "before", 2),
    "in load, a job is done and not noted": (
        "dlt.common.storages.load_package:PackageStorage.save_pending_transition",
        "before",
        1,
    ),
    "in load, after a job": ("dlt.load.load:Load.complete_jobs", "after", 1),
    "before the load is noted": ("dlt.load.load:Load.complete_package", "before", 1),
    "before the loaded package is put away": (
        "dlt.common.storages.load_package:PackageStorage.complete_loading_package",
        "after",
        1,
    ),
    "after the load is noted": ("dlt.load.load:Load.complete_package", "after", 1),
    "before the spool is emptied": ("wolkvox_billing.polling.spool:Spool.drop", "before", 1),
    "after the spool is emptied": ("wolkvox_billing.polling.spool:Spool.drop", "after", 1),
    "between load and views": ("wolkvox_billing.verbs.load:refresh", "before", 1),
    "after the views": ("wolkvox_billing.verbs.load:refresh", "after", 1),
}
NAMES = list(STEPS)
WHILE_ASKING = NAMES[:5]  # not all answers are there
# What differs from DuckDB's way with few rows: no engine is asked for anything before its load, and
# rows in files are rows like others once their jobs are done.
ON_POSTGRES = NAMES[NAMES.index("before load") :]
IN_FILES = [
    *["in extract", "before the package is whole", "after the package is whole", "in normalize"],
    *["after normalize", "in load, before a job", "in load, a job is done and not noted"],
    "in load, after a job",
]


# In `make test` PostgreSQL has its steps above; the files that change are the same ones.
ON_ENGINES = pytest.mark.parametrize("warehouse", at_length(["duckdb"], "postgres"), indirect=True)


class Life:
    """Runs of one project that asks three operations, whose every answer is another number."""

    def __init__(self, project: Project, runs: Stable, tmp_path: Path) -> None:
        self.project, self.runs = project, runs
        self.safe, self.result = tmp_path / "safe", tmp_path / "result"
        self.number = 0
        self.lost: list[int] = []  # sent by the vendor and not in the spool before the kill
        self.lost_after = 0  # what was in the spool
        self.served: list[int] = []
        self.torn = 0  # times that a kill has torn DuckDB's file, and it was restored

    def change_counts(self) -> dict[str, int]:
        """Let the vendor answer counts that it never did before, an hour later; return them, by
        token."""
        counts = {}
        self.project.later(hours=1)
        for name, token in TOKENS.items():
            self.number += 1
            counts[token] = self.number
            row = {"operation": name, "description": "Audios", "date": DAY}
            self.project.vendor.answer(token, REPORT, [{**row, "items": str(self.number)}])
        return counts

    def start(self, **order: Any) -> int:
        arguments = {
            "destination": self.project.destination,
            "now": self.project.vendor.now.isoformat(),
            "retry_pause_seconds": 0.0,
        }
        files = {"safe": self.safe, "result": self.result, "output": self.safe.with_name("log")}
        sizes = {  # from which on answers and rows are many: other ones in a test of `many_rows`
            "wolkvox_billing.vendor.envelope:LARGE": envelope.LARGE,
            "wolkvox_billing.warehouse.bulk:FEW": bulk.FEW,
        }
        return self.runs.start("load", arguments, **files, values=sizes, **order)

    def killed(self, after: float | None = None, **order: Any) -> int:
        """Start a run that is killed, by itself or after so many seconds; return how it ended."""
        return self.run(after, **order)[0]

    def lived(self) -> float:
        """Start a run that nobody disturbs, which loses nothing; return its seconds."""
        self.result.unlink(missing_ok=True)
        began = time.monotonic()
        code, answers = self.run()
        took = time.monotonic() - began
        assert code == 0, self.log()
        [outcomes, problems], _ = json.loads(self.result.read_text())
        if self.obeys(problems):
            code, more = self.run()
            assert code == 0, self.log()
            answers |= more
            [outcomes, problems], _ = json.loads(self.result.read_text())
        assert (outcomes.count("ok"), problems) == (len(TOKENS), []), self.log()
        assert answers <= set(self.served)
        self.check()
        assert not answers & set(self.lost)
        return took

    def run(self, after: float | None = None, **order: Any) -> tuple[int, set[int]]:
        """Return how a run ended, and what the vendor had for it."""
        counts, before = self.change_counts(), len(self.project.vendor.calls)
        pid = self.start(**order)
        if after is not None:
            time.sleep(after)  # the moment is what is tried; nobody waits for anything
            os.kill(pid, signal.SIGKILL)
        code = self.runs.wait(pid)
        calls = self.project.vendor.calls[before:]
        self.served += sorted({counts[call.token or ""] for call in calls if call.status == 200})
        return code, set(counts.values())

    def obeys(self, problems: list[str]) -> bool:
        """Do what a run says of a DuckDB file that the kill before it has torn, and count it."""
        command = re.search("run `wolkvox-billing restore (.+?)`", " ".join(problems))
        if command:
            self.torn += 1
            [path] = shlex.split(command[1])
            restored = restore(path, clock=lambda: self.project.vendor.now)
            assert restored.problems == []
        return bool(command)

    def log(self) -> str:
        return self.safe.with_name("log").read_text()[-3000:]

    def check(self) -> None:
        """Fail unless what was safe is there once, and of one run nothing is missing that was asked
        before it."""
        safe = self.safe.read_text().split() if self.safe.exists() else []
        readings = self.project.query("SELECT poll_id, items FROM readings ORDER BY 1")
        polls = self.project.query("SELECT poll_id FROM polls WHERE outcome = 'ok' ORDER BY 1")
        ids = [poll_id for poll_id, _ in readings]
        assert len(ids) == len(set(ids))
        assert [(poll_id,) for poll_id in ids] == polls
        gone = set(safe) - set(ids)
        self.lost_after = len(gone)
        assert not gone
        newest = f"SELECT operation_id, items FROM {REPORT} ORDER BY 1"
        assert self.project.query(newest) == self.project.query(
            "SELECT operation_id, max(items) FROM readings GROUP BY 1 ORDER BY 1"
        )
        self.lost = sorted(set(self.served) - {int(items) for _, items in readings})

    def end(self) -> None:
        """Start a run that lives, and leaves nothing behind."""
        self.change_counts()
        report = self.project.load()
        if self.obeys(report.problems):
            report = self.project.load()
        assert report.is_good, report.problems
        self.check()
        waiting = Path(report.working_folder).glob("spool/*")
        assert [file for file in waiting if file.suffix != ".part"] == []
        marts = self.project.query(
            "SELECT max(last_read_at) FROM wolkvox_billing_marts.usage_monthly"
        )
        assert marts == [(self.project.vendor.now,)]


@pytest.fixture
def life(warehouse: Project, monkeypatch: pytest.MonkeyPatch, runs: Stable, tmp_path: Path) -> Life:
    configure(monkeypatch, warehouse.vendor, *TOKENS)
    return Life(warehouse, runs, tmp_path)


@pytest.fixture
def life_of_file(
    project: Project, monkeypatch: pytest.MonkeyPatch, runs: Stable, tmp_path: Path
) -> Life:
    configure(monkeypatch, project.vendor, *TOKENS)
    return Life(project, runs, tmp_path)


@pytest.mark.many_rows
def test_killed_at_each_step(life: Life) -> None:
    """One run after the other is killed, each at the next step; then one lives. Nothing that was
    in the spool is lost or there twice, and of runs that had asked all, no answer at all."""
    steps = NAMES
    if not KILLS and life.project.destination == "postgres":
        steps = ON_POSTGRES
    elif not KILLS and not bulk.FEW:
        steps = IN_FILES
    for step in steps:
        served = len(life.served)
        assert life.killed(kill=STEPS[step]) == -signal.SIGKILL, (step, life.log())
        if step in WHILE_ASKING:
            del life.served[served:]
    life.end()
    assert life.lost == []


# `make test` goes through the same steps in the test before, in one life: these take four minutes.
@pytest.mark.skipif(not KILLS, reason="each step by itself: make faults")
@pytest.mark.parametrize("step", STEPS)
def test_killed_at_one_step(life: Life, step: str) -> None:
    """A run that is killed at a step, first of all or after a good one, is mended by the next."""
    for _ in range(2):
        served = len(life.served)
        assert life.killed(kill=STEPS[step]) == -signal.SIGKILL
        if step in WHILE_ASKING:
            del life.served[served:]
        life.end()
        assert life.lost == []


@ON_ENGINES
@pytest.mark.usefixtures("tables")
def test_killed_before_a_change_of_files(life: Life) -> None:
    """A run is killed before any file that Python opens, makes, moves or removes; all if there is
    time for it, else some of them."""
    life.change_counts()
    assert life.runs.wait(life.start(kill=0)) == 0
    _, changes = json.loads(life.result.read_text())
    assert changes > 50
    every = 1 if KILLS else changes // 4
    numbers = range(every, changes + 1, every)
    for number in numbers:
        life.killed(kill=number)
        if KILLS and not number % 10:
            life.end()
    life.end()
    note(f"{life.project.destination}: killed before each of {len(numbers)} changes of files")


# Its file is of its own first load: of a copied one DuckDB cuts off what it would write over.
def test_killed_while_duckdb_writes_its_file(life_of_file: Life) -> None:
    """A load is killed in the middle of the one write by which DuckDB can tear its own file. The
    next run says what to do; once that is done, what was loaded is there, and what came since."""
    life = life_of_file
    life.lived()
    assert life.killed(kill=STEPS["between load and views"]) == -signal.SIGKILL
    tear(life.project.folder / "wolkvox.duckdb")
    life.lived()
    assert life.torn == 1
    life.end()
    assert life.lost == []


@ON_ENGINES
@pytest.mark.usefixtures("tables")
def test_killed_at_any_moment(life: Life) -> None:
    """Two runs are killed at moments that chance picks, two live, and so on, until as many are dead
    as shall be: what was in the spool is there once, of what the living were told nothing is
    missing, and the next to live mends what was killed."""
    seed, wanted = time.time_ns() % 1_000_000, KILLS or 1
    chance = random.Random(seed)  # noqa: S311 # it guards nothing
    lived, ended = [life.lived()], list[int]()
    while (dead := ended.count(-signal.SIGKILL)) < wanted:
        assert len(ended) < 6 * wanted, f"only {dead} of {len(ended)} runs died before their end"
        # The first of two that lived had something to mend, as the second of two killed has.
        ended.append(life.killed(chance.uniform(0, max(lived[-2:]))))
        assert ended[-1] in (0, -signal.SIGKILL), life.log()
        if not len(ended) % 2:
            lived += [life.lived(), life.lived()]
    life.end()
    is_file = life.project.destination == "duckdb"
    torn = f"; its file was torn {life.torn} times, and restored" if is_file else ""
    note(
        f"{life.project.destination}: {len(ended)} runs were to be killed at any moment and {dead} "
        f"of them died, between {len(lived) + 1} that nobody disturbed (seed {seed}); of "
        f"{len(life.served)} answers delivered {len(life.lost)} were lost before they were in the "
        f"spool, {life.lost_after} after" + torn
    )


def changes_of(runs: Stable, verb: str, arguments: dict[str, Any], result: Path) -> int:
    """Run this verb; return how many changes of files it makes."""
    assert runs.run(verb, arguments, kill=0, result=result) == 0
    return int(json.loads(result.read_text())[1])


def kill_round(
    runs: Stable, verb: str, arguments: dict[str, Any], changes: int, *steps: str
) -> Iterator[None]:
    """Kill runs of this verb: in the midst of its changes of files, and before and after calls of
    these steps; or before each change if there is time for it. Yield after each."""
    calls = [[step, when] for step in steps for when in ("before", "after")]
    for kill in range(1, changes + 1) if KILLS else (changes // 2, *calls):
        code = runs.run(verb, arguments, kill=kill)
        assert code == -signal.SIGKILL or (KILLS and code == 0), kill
        yield


@pytest.mark.usefixtures("tables")
def test_killed_while_it_publishes(project: Project, runs: Stable, tmp_path: Path) -> None:
    """Whoever opens a copy, a file or a folder, finds a whole one, the old or the new, and the next
    one is made."""

    def polls(name: str) -> int:
        if name.endswith(".duckdb"):
            with duckdb.connect(name, read_only=True) as copy:
                rows = copy.execute("SELECT poll_id FROM wolkvox_billing.polls").fetchall()
        else:
            rows = duckdb.sql(f"FROM '{name}/wolkvox_billing/polls.parquet'").fetchall()
        return len(rows)

    first, second = (Call(NOON + timedelta(hours=n), [ROW]) for n in range(2))
    write_polls(project, first)
    publishing = {"now": project.vendor.now.isoformat()}
    copies = {
        name: changes_of(runs, "publish", {"path": name, **publishing}, tmp_path / "result")
        for name in ("usage.duckdb", "usage")
    }
    write_polls(project, second)
    for name, changes in copies.items():
        order = {"path": name, **publishing}
        for _ in kill_round(runs, "publish", order, changes, "pathlib:Path.replace"):
            assert polls(name) in (1, 2)
        publish(name, clock=lambda: project.vendor.now)
        assert polls(name) == 2
        leftovers = [file for file in os.listdir() if file.startswith(f".{name}.")]
        assert set(leftovers) <= {f".{name}.versions"}


@pytest.fixture
def ready(project: Project) -> Project:
    """October was read, its invoice came, and it is 30 November."""
    Path("line_map.csv").write_text(ONE_LINE)
    Path("rate_card.csv").write_text(ONE_PRICE)
    read(project, *READ)
    bill(project, invoice("1000", "100000.00"))
    project.vendor.now = local(30, month=11)
    return project


def test_killed_while_it_writes_evidence(ready: Project, runs: Stable, tmp_path: Path) -> None:
    """There is no file, or a whole one; and the next run makes the same bytes under the name."""
    arguments = {"month": "2026-10", "now": ready.vendor.now.isoformat()}
    changes = changes_of(runs, "evidence", {"folder": "other", **arguments}, tmp_path / "result")
    [whole] = Path("other").glob("*.zip")
    arguments["folder"] = "evidence"
    for _ in kill_round(runs, "evidence", arguments, changes, "os:link"):
        for file in Path("evidence").glob("wolkvox-*.zip"):
            assert not examine(file).problems
    assert runs.run("evidence", arguments) == 0
    [file] = Path("evidence").glob("*.zip")
    assert file.read_bytes() == whole.read_bytes()


def test_killed_while_it_closes(ready: Project, runs: Stable, tmp_path: Path) -> None:
    """The month is closed once or not at all; who closes it again is told, or closes it."""
    closed = "SELECT close_id, status FROM month_closes ORDER BY 1"
    arguments = {"month": "2026-10", "by": "ana", "now": ready.vendor.now.isoformat()}
    changes = changes_of(runs, "close", {**arguments, "month": "2026-10"}, tmp_path / "result")
    assert ready.query(closed) == [("2026-10.0001", "closed")]
    ready.execute("DELETE FROM month_closes")
    for _ in kill_round(runs, "close", arguments, changes, "dlt.load.load:Load.complete_package"):
        with suppress(NotClosed):  # it is closed
            close("2026-10", by="ana", policy=Policy(), clock=lambda: ready.vendor.now)
        assert ready.query(closed) == [("2026-10.0001", "closed")]
        ready.execute("DELETE FROM month_closes")
