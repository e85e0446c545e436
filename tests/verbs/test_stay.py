"""`load --every`: a process that stays, by a clock and a waiting that the test makes; and as a real
process, which TERM ends."""

from __future__ import annotations

import gc
import json
import logging
import os
import re
import signal
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import datetime, timedelta, timezone
from pathlib import Path
from typing import Any

import pytest
from click.testing import CliRunner

from builders.killing import Stable
from builders.loads import files
from builders.project import NOON, Project, configure
from wolkvox_billing.cli.main import main
from wolkvox_billing.cli.staying import Log, Reminders
from wolkvox_billing.errors import SettingsError, WarehouseError
from wolkvox_billing.polling.polls import Poll, Skip
from wolkvox_billing.polling.schedule import Rhythm
from wolkvox_billing.verbs import loader, stay
from wolkvox_billing.verbs.load import LoadReport, load_waiting
from wolkvox_billing.verbs.loader import Loader
from wolkvox_billing.verbs.poll import PollReport
from wolkvox_billing.verbs.stay import Plan, StopSignal

MINUTE, HOUR, DAY = timedelta(minutes=1), timedelta(hours=1), timedelta(days=1)
MONTH_END = datetime(2026, 12, 1, 5, tzinfo=timezone.utc)  # in Bogota; in Madrid six hours before


@dataclass
class Days(threading.Event):
    """A clock that moves on while somebody waits, till it is `end`; `steps` are taken at their
    moments, such as setting the clock."""

    now: datetime
    end: datetime
    steps: list[tuple[datetime, Callable[[Days], None]]] = field(default_factory=list)
    waits: list[float] = field(default_factory=list)

    def __post_init__(self) -> None:
        super().__init__()

    def wait(self, timeout: float | None = None) -> bool:
        assert timeout is not None
        self.waits.append(timeout)
        self.now += timedelta(seconds=timeout)
        while self.steps and self.now >= self.steps[0][0]:
            self.steps.pop(0)[1](self)
        if self.now >= self.end:
            self.set()
        return self.is_set()


@dataclass
class Told:
    """What a listener was told, and the loads that somebody asked for; a load ends at once, or when
    the test says so."""

    clock: Callable[[], datetime]
    calls: list[Poll | Skip] = field(default_factory=list)
    polls: list[PollReport] = field(default_factory=list)
    loads: list[datetime] = field(default_factory=list)
    is_busy: bool = False

    def begins(self, settings: Any) -> None: ...
    def loaded(self, report: LoadReport) -> None: ...
    def take(self) -> LoadReport | None: ...
    def end(self, grace: float) -> LoadReport | None: ...

    def called(self, event: Poll | Skip) -> None:
        self.calls.append(event)

    def polled(self, report: PollReport) -> None:
        self.polls.append(report)

    def start(self) -> None:
        self.loads.append(self.clock())


def live(days: Days, every: timedelta, load_every: timedelta = HOUR, **plan: Any) -> Told:
    """Stay until the days are over."""
    told = Told(lambda: days.now)
    rhythm = Rhythm(every, load_every)
    stay.stay(Plan(rhythm, "duckdb", "wolkvox_billing", **plan), told, told, days, told.clock)
    return told


@pytest.fixture
def asked(project: Project, monkeypatch: pytest.MonkeyPatch) -> list[datetime]:
    """When somebody was asked, who would have answered at once."""
    moments = []

    def ask(asking: Any, _: object) -> PollReport:
        moments.append(asking.pace.clock())
        return PollReport()

    monkeypatch.setattr(stay, "ask_and_keep", ask)
    return moments


def test_a_day(asked: list[datetime]) -> None:
    """At 20 minutes there are 72 polls in a day, and 24 loads, the first one after the first poll;
    the clock is looked at every 20 seconds."""
    days = Days(NOON, NOON + DAY)
    told = live(days, 20 * MINUTE)
    assert asked == [NOON + number * 20 * MINUTE for number in range(72)]
    assert told.loads == [NOON + number * HOUR for number in range(24)]
    assert max(days.waits) == 20


def test_a_load_that_takes_hours_holds_up_no_poll(asked: list[datetime]) -> None:
    """Polls go on, no second load begins, and its end is looked for each second."""

    def set_busy(is_busy: bool) -> Callable[[Days], None]:
        return lambda _: setattr(told, "is_busy", is_busy)

    days = Days(NOON, NOON + 6 * HOUR)
    days.steps = [(NOON + MINUTE, set_busy(True)), (NOON + 3.5 * HOUR, set_busy(False))]
    told = Told(lambda: days.now)
    plan = Plan(Rhythm(30 * MINUTE, HOUR), "duckdb", "wolkvox_billing")
    stay.stay(plan, told, told, days, told.clock)
    assert asked == [NOON + number * 30 * MINUTE for number in range(12)]
    assert told.loads == [NOON, *(NOON + hours * HOUR for hours in (3.5, 4.5, 5.5))]
    assert 1.0 in days.waits


@pytest.mark.parametrize(
    ("jump", "then"),
    [
        (8 * HOUR, [0, 5, 487, 492, 497]),  # a machine that slept
        (-3 * HOUR, [0, 5, -173, -168, -163]),  # a clock that was hours ahead
        (timedelta(seconds=-1), [0, 5, 10, 15]),  # mended, as clocks are all the time
    ],
)
def test_a_clock_that_jumps(asked: list[datetime], jump: timedelta, then: list[int]) -> None:
    """Seven minutes after the start the clock is set: who is late asks once, not as often as was
    missed, and goes on by the new time."""

    def set_clock(days: Days) -> None:
        days.now += jump
        days.end += jump

    days = Days(NOON, NOON + 19 * MINUTE, [(NOON + 7 * MINUTE, set_clock)])
    live(days, 5 * MINUTE)
    assert [round((moment - NOON) / MINUTE) for moment in asked] == then


def test_the_last_calls_of_the_month(project: Project, monkeypatch: pytest.MonkeyPatch) -> None:
    """At 23:50 and 23:59 of an operation's last day it is asked though its pace would hold it; the
    other one, in another time zone, is not."""
    configure(monkeypatch, project.vendor, "acme", "beta")
    operations = json.loads(os.environ["SOURCES__WOLKVOX_BILLING__OPERATIONS"])
    operations[1]["timezone"] = "Europe/Madrid"
    monkeypatch.setenv("SOURCES__WOLKVOX_BILLING__OPERATIONS", json.dumps(operations))
    monkeypatch.setenv("SOURCES__WOLKVOX_BILLING__PACE_MINUTES", "20")
    told = live(Days(MONTH_END - 15 * MINUTE, MONTH_END + 9 * MINUTE), 20 * MINUTE)
    calls = [
        f"{event.operation.operation_id} {(event.started_at - MONTH_END) / MINUTE:.0f}"
        for event in told.calls
        if isinstance(event, Poll)
    ]
    assert sorted(calls) == ["acme -1", "acme -10", "acme -15", "beta -15"]
    assert [skip.reason for report in told.polls for skip in report.skips] == ["pace"] * 2
    assert len(files(project)) == 4


def test_a_setting_that_changes(project: Project, capfd: pytest.CaptureFixture[str]) -> None:
    """What stands in the files holds from the next poll on; where it is broken, what stood there
    before goes on to hold, and that is told."""
    file = Path(".dlt/config.toml")
    file.parent.mkdir()

    def write(text: str) -> Callable[[Days], None]:
        return lambda _: file.write_text(f"[sources.wolkvox_billing]\n{text}\n") and None

    days = Days(NOON, NOON + 39 * MINUTE)
    days.steps = [
        (NOON + 9 * MINUTE, write('reports = ["ivr_minutes"]')),
        (NOON + 19 * MINUTE, write("reports = [")),
        (NOON + 29 * MINUTE, write('reports = ["rsync_s3_mp3"]')),
    ]
    told = live(days, 10 * MINUTE)
    reports = [event.report for event in told.calls if isinstance(event, Poll)]
    assert reports == ["rsync_s3_mp3", "ivr_minutes", "ivr_minutes", "rsync_s3_mp3"]
    [_, _, [says], _] = [report.problems for report in told.polls]
    assert "config.toml, line 3: this is not TOML" in says
    assert says.endswith(": until that is mended the settings of before hold")


def test_wrong_settings_at_the_start(project: Project, monkeypatch: pytest.MonkeyPatch) -> None:
    """Before the first poll they end it, as they end each verb: nothing was asked."""
    monkeypatch.setenv("SOURCES__WOLKVOX_BILLING__PACE_MINUTES", "often")
    with pytest.raises(SettingsError, match="pace_minutes"):
        live(Days(NOON, NOON + HOUR), MINUTE)
    assert project.vendor.calls == []


def test_a_folder_that_cannot_be_written_for_a_while(
    project: Project, monkeypatch: pytest.MonkeyPatch
) -> None:
    """It is told, and tried again by the rhythm."""
    free = stay.ask_and_keep

    def is_full(*_: object) -> PollReport:
        monkeypatch.setattr(stay, "ask_and_keep", free)
        raise WarehouseError("the folder cannot be written")

    monkeypatch.setattr(stay, "ask_and_keep", is_full)
    told = live(Days(NOON, NOON + 9 * MINUTE), 5 * MINUTE)
    assert [report.problems for report in told.polls] == [["the folder cannot be written"], []]
    assert len(files(project)) == 1


def test_nothing_grows(project: Project) -> None:
    """Fifty polls later there are as many objects and open files as there were after ten."""
    marks = []

    def mark(_: Days) -> None:
        gc.collect()
        marks.append((len(gc.get_objects()), len(os.listdir("/proc/self/fd"))))

    days = Days(NOON, NOON + 60.5 * MINUTE, [(NOON + n * MINUTE, mark) for n in (10.5, 60.4)])
    live(days, MINUTE)
    [(objects, open_files), (later, open_later)] = marks
    assert later - objects < 50 * 50  # the listener and the vendor keep each call
    assert open_later == open_files


# What it says.


def test_what_goes_on_for_days_is_said_at_growing_intervals() -> None:
    """At once, after an hour, two more, four, ... and then once a day, its numbers whatever they
    are; another operation's, and what is back after it was over, are said at once."""
    now = NOON
    reminders = Reminders(lambda: now, forgotten_after=2.5 * HOUR)
    said = []
    for hour in range(100):
        now = NOON + hour * HOUR
        if reminders.is_due(f"not loaded: the file is locked by process {hour}"):
            said.append(hour)
    assert said == [0, 1, 3, 7, 15, 31, 55, 79]
    assert reminders.is_due("0010 rsync_s3_mp3: token_busy: wait 3 s")
    assert reminders.is_due("0024 rsync_s3_mp3: token_busy: wait 3 s")
    assert not reminders.is_due("0010 rsync_s3_mp3: token_busy: wait 7 s")
    now += 2 * HOUR
    assert not reminders.is_due("not loaded: the file is locked by process 7")
    now += 3 * HOUR
    assert reminders.is_due("not loaded: the file is locked by process 7")
    now -= 30 * DAY  # a clock that was set back keeps nobody silent
    assert reminders.is_due("not loaded: the file is locked by process 7")


@contextmanager
def logged(clock: Callable[[], datetime]) -> Iterator[list[str]]:
    """The lines of the log, as Reminders let them pass."""
    lines: list[str] = []
    logger, reminders = logging.getLogger("wolkvox_billing"), Reminders(clock, 2.5 * HOUR)

    class Lines(logging.Handler):
        def emit(self, record: logging.LogRecord) -> None:
            lines.append(record.getMessage())

    handler = Lines()
    logger.addHandler(handler)
    logger.addFilter(reminders)
    level = logger.level
    logger.setLevel(logging.INFO)
    try:
        yield lines
    finally:
        logger.setLevel(level)
        logger.removeFilter(reminders)
        logger.removeHandler(handler)


def test_a_vendor_that_is_away(project: Project, capsys: pytest.CaptureFixture[str]) -> None:
    """Each call has its line; what to do about it is said at first, and again after an hour. As
    JSON each poll is an object in a line of its own."""
    project.vendor.misbehave("wrong_token")
    days = Days(NOON, NOON + 65 * MINUTE)
    told = Told(lambda: days.now)
    rhythm = Rhythm(10 * MINUTE, HOUR)
    plan = Plan(rhythm, "duckdb", "wolkvox_billing")
    with logged(told.clock) as lines:
        stay.stay(plan, Log(rhythm, True, told.clock), told, days, told.clock)
    assert lines[0] == "asking every 10m, loading every 1h, until TERM or Ctrl-C"
    assert sum(line.startswith("acme rsync_s3_mp3 bad_token 0 rows ") for line in lines) == 7
    assert sum("make a token in wolkvox Manager" in line for line in lines) == 2
    results = [json.loads(line) for line in capsys.readouterr().out.splitlines()]
    assert [result["verb"] for result in results] == ["poll"] * 7
    assert results[6]["at"] == "2026-11-10T18:00:00+00:00"
    assert results[6]["polls"][0]["outcome"] == "bad_token"


def test_a_rhythm_faster_than_the_pace_is_told(project: Project) -> None:
    """Who answered is not asked again within `pace_minutes`, which is no failure."""
    days = Days(NOON, NOON + 5.5 * MINUTE)
    told = Told(lambda: days.now)
    rhythm = Rhythm(MINUTE, HOUR)
    with logged(told.clock) as lines:
        log = Log(rhythm, False, told.clock)
        stay.stay(Plan(rhythm, "duckdb", "wolkvox_billing"), log, told, days, told.clock)
    calls = [line for line in lines if line.startswith("acme ")]
    assert len(calls) == len(project.vendor.calls) == 2
    assert "--every 1m is less than the setting `pace_minutes`" in lines[1]
    assert len(lines) == 4


@pytest.mark.parametrize(
    ("words", "says"),
    [
        (["--every", "5"], "'5' is no span of time: expected one such as 90s, 5m"),
        (["--every", "0"], "is no span of time"),
        (["--every", "9s"], "'9s' is not within 10s to 24h"),
        (["--every", "2d"], "not within"),
        (["--every", "5m", "--load-every", "soon"], "'soon' is no span of time"),
        (["--load-every", "1h"], "--load-every goes with --every"),
        (["--every", "5m", "--force"], "with --every the pace holds"),
    ],
)
def test_wrong_words(project: Project, words: list[str], says: str) -> None:
    """They end in 2, say what is expected, and ask nobody."""
    result = CliRunner().invoke(main, ["load", *words])
    assert (result.exit_code, project.vendor.calls) == (2, [])
    assert says in " ".join(result.output.split())


# The child that loads.


def loaded(load: Loader) -> LoadReport:
    """The report of the load that is under way."""
    load.start()
    assert load.is_busy
    report = load.end(60)
    assert report and not load.is_busy
    return report


@pytest.mark.usefixtures("tables")
def test_a_child_loads(project: Project) -> None:
    """What waited is in the tables, and nothing of the child is left; its successor needs nothing
    imported. While it cannot load, it says why, and the answers wait."""
    project.poll()
    before = os.listdir("/proc/self/fd")
    load = Loader("duckdb", "wolkvox_billing", lambda: project.vendor.now)
    with project.away():
        report = loaded(load)
        assert report.problems[0].startswith("answers that waited, and wait on: ")
        assert len(files(project)) == 1
    report = loaded(load)
    assert (report.loaded, report.waiting, report.problems) == (1, 0, [])
    assert len(project.query("SELECT * FROM readings")) == 1
    assert {*os.listdir("/proc/self/fd")} <= {*before}


def test_a_child_that_hangs_dies_or_is_told_wrong(
    project: Project, monkeypatch: pytest.MonkeyPatch
) -> None:
    """One that takes too long, or at the end does not end, is killed; what it was not told, or a
    bug, is in its report: the process that polls goes on."""
    project.poll()
    monkeypatch.setattr(loader, "load_waiting", lambda **_: signal.pause())
    load = Loader("duckdb", "wolkvox_billing", longest=0)
    load.start()
    report = load.take()
    assert report and not load.is_busy
    assert "a load ended with exit code -9 after 0 s" in report.problems[0]
    load.start()
    report = load.end(0)
    assert report and "exit code -9" in report.problems[0]
    monkeypatch.setattr(loader, "load_waiting", lambda **_: {}["what"])
    assert loaded(load).problems == ["KeyError: 'what'"]
    monkeypatch.setattr(loader, "load_waiting", load_waiting)
    assert "dataset" in loaded(Loader("duckdb", "No-Name")).problems[0]
    assert load.take() is load.end(0) is None


# The real process.


def test_a_signal_ends_each_wait() -> None:
    """Whoever waits goes on at once when it is set, by a handler too, and does not wait again."""
    with stay.until_ended() as stopped:
        assert not stopped.wait(0)
        waiting = threading.Thread(target=stopped.wait)
        waiting.start()
        signal.raise_signal(signal.SIGTERM)
        waiting.join(30)
        assert not waiting.is_alive()
        assert stopped.is_set() and stopped.wait() and stopped.wait(60)
    assert signal.getsignal(signal.SIGTERM) == signal.SIG_DFL
    assert isinstance(stopped, StopSignal)


STAY = """
import sys
sys.argv[0] = "wolkvox-billing"
from wolkvox_billing.cli.main import run
run()
"""


def start(runs: Stable, *words: str) -> int:
    """Start a process that stays; return its id. It logs into the file `log`."""
    return runs.start(
        "script", {"code": STAY, "words": ["load", *words]}, output="output", errors="log"
    )


def is_pending(pid: int, number: int) -> bool:
    """Whether a process has not been interrupted by a signal yet."""
    [pending] = re.findall(r"ShdPnd:\s*(\w+)", Path(f"/proc/{pid}/status").read_text())
    return bool(int(pending, 16) >> (number - 1) & 1)


def wait_for_line(part: str) -> None:
    until = time.monotonic() + 60
    while not (log := Path("log")).exists() or part not in log.read_text():
        assert time.monotonic() < until, log.read_text()
        time.sleep(0.01)


@pytest.mark.parametrize("ending", [signal.SIGTERM, signal.SIGINT, signal.SIGHUP])
@pytest.mark.usefixtures("tables")
def test_a_signal_lets_the_call_in_flight_end(
    project: Project, runs: Stable, ending: signal.Signals
) -> None:
    """It ends in 0, the answer that came is in the spool, and the next `load` takes it."""
    with project.vendor.hold():
        pid = start(runs, "--every", "10s")
        project.vendor.wait_for_calls(1, 30)
        os.kill(pid, ending)
        while is_pending(pid, ending):
            pass
    assert runs.wait(pid) == 0
    assert len(files(project)) == 1
    assert project.load().loaded == 2  # with its own, by the vendor's clock


@pytest.mark.usefixtures("tables")
def test_other_verbs_work_while_it_stays(project: Project, runs: Stable) -> None:
    """Between loads it holds neither the DuckDB file nor the working folder, and ends soon."""
    pid = start(runs, "--every", "24h", "--json")
    wait_for_line("loaded 1 answer into")
    assert len(project.query("SELECT * FROM readings")) == 1
    project.later(minutes=10)
    assert project.load().loaded == 1
    os.kill(pid, signal.SIGTERM)
    assert runs.wait(pid) == 0
    verbs = [json.loads(line)["verb"] for line in Path("output").read_text().splitlines()]
    assert verbs == ["poll", "load"]
