"""The verb `load --every`: one process that stays, asks by its rhythm, and loads now and then.

    due? ─▶ settings, read anew ─▶ `poll`: asked, and safe in the spool
      └──▶ wait                       └─▶ due to load? ─▶ a child loads, see `loader`

Polls are what cannot be had again, so nothing may hold one up: not the destination, since a child
loads, and not a setting that somebody has just broken, since those of before go on. Between polls
no file, lock or connection is held. The clock is looked at anew every few seconds: a machine that
slept, or whose clock was set, asks as soon as its clock says so.
"""

from __future__ import annotations

import os
import select
import signal
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import TYPE_CHECKING, Protocol

from wolkvox_billing.errors import WolkvoxError
from wolkvox_billing.polling.pace import AskedFolder, Pace
from wolkvox_billing.polling.polls import Poll, Skip
from wolkvox_billing.polling.schedule import Rhythm, is_over, next_poll
from wolkvox_billing.polling.settings import PollSettings, read_poll_settings
from wolkvox_billing.values.clock import Clock, utc_now
from wolkvox_billing.verbs.poll import Asking, PollReport, ask_and_keep, place_of
from wolkvox_billing.warehouse.working_folder import WorkingFolder

if TYPE_CHECKING:
    from wolkvox_billing.polling.hosts import Hosts
    from wolkvox_billing.verbs.load import LoadReport

LONGEST_WAIT = 20.0  # seconds without a look at the clock, which may have been set meanwhile
WAIT_FOR_LOAD = 1.0  # the same while a load is under way
GRACE = 20.0  # seconds that a load may take which is under way at the end
ENDINGS = (signal.SIGTERM, signal.SIGINT, signal.SIGHUP)


class Listener(Protocol):
    """Who is told what happens."""

    def begins(self, settings: PollSettings) -> None: ...
    def called(self, event: Poll | Skip) -> None: ...
    def polled(self, report: PollReport) -> None: ...
    def loaded(self, report: LoadReport) -> None: ...


class Loads(Protocol):
    """Who loads what waits, while polls go on: see `loader`."""

    @property
    def is_busy(self) -> bool: ...
    def start(self) -> None: ...
    def take(self) -> LoadReport | None: ...
    def end(self, grace: float) -> LoadReport | None: ...


@dataclass(frozen=True)
class Plan:
    """Who is asked how often, and where the answers go. `reports`: in place of those of the
    settings."""

    rhythm: Rhythm
    destination: str
    dataset: str
    reports: tuple[str, ...] = ()


class StopSignal(threading.Event):
    """An event that a signal's handler may set wherever the main thread is: it takes no lock, as
    Python's own does, for which the handler would wait for ever."""

    def __init__(self) -> None:
        super().__init__()
        self._reader, self._writer = os.pipe()
        self._was_set = False

    def is_set(self) -> bool:
        return self._was_set

    def set(self) -> None:
        if not self._was_set:
            self._was_set = True
            os.write(self._writer, b".")  # wakes all that wait, since nobody reads it

    def wait(self, timeout: float | None = None) -> bool:
        waiting = select.poll()
        waiting.register(self._reader, select.POLLIN)
        waiting.poll(None if timeout is None else max(0.0, timeout) * 1000)
        return self._was_set


@contextmanager
def until_ended() -> Iterator[StopSignal]:
    """Give what is set by TERM, INT or HUP. A second Ctrl-C ends the process at once."""
    stopped = StopSignal()

    def end(number: int, _: object) -> None:
        stopped.set()
        if number == signal.SIGINT:
            signal.signal(signal.SIGINT, signal.SIG_DFL)

    before = {number: signal.signal(number, end) for number in ENDINGS}
    try:
        yield stopped
    finally:
        for number, handler in before.items():
            signal.signal(number, handler)


def stay(
    plan: Plan,
    listener: Listener,
    loads: Loads,
    stopped: threading.Event,
    clock: Clock = utc_now,
) -> None:
    """Ask and load by a plan until `stopped`, whose `wait` is all the waiting there is. What goes
    wrong ends nothing, and is in the reports that the listener gets. Raises SettingsError before
    anything is asked."""
    _Stay(plan, listener, loads, stopped, clock).run()


@dataclass(frozen=True)
class _Setup:
    """Who is asked and where answers are kept, by the settings as they were read."""

    settings: PollSettings
    folder: WorkingFolder
    hosts: Hosts | None


@dataclass
class _Stay:
    """One process that stays."""

    plan: Plan
    listener: Listener
    loads: Loads
    stopped: threading.Event
    clock: Clock
    polled_at: datetime | None = None
    loaded_at: datetime | None = None

    def __post_init__(self) -> None:
        self.setup = self._read_setup()

    def run(self) -> None:
        self.listener.begins(self.setup.settings)
        while not self.stopped.is_set():
            now = self.clock()
            if self._is_poll_due(now):
                self._poll(now)
                if not self.stopped.is_set() and self._is_load_due(now):
                    self.loaded_at = now
                    self.loads.start()
            self._take(self.loads.take())
            self.stopped.wait(self._seconds_to_wait())
        self._take(self.loads.end(GRACE))

    def _next_poll(self, before: datetime) -> datetime:
        zones = {operation.zone for operation in self.setup.settings.operations}
        return next_poll(before, self.plan.rhythm.every, zones)

    def _is_poll_due(self, now: datetime) -> bool:
        before = self.polled_at
        return before is None or is_over(before, self._next_poll(before) - before, now)

    def _is_load_due(self, now: datetime) -> bool:
        before = self.loaded_at
        is_due = before is None or is_over(before, self.plan.rhythm.load_every, now)
        return is_due and not self.loads.is_busy

    def _seconds_to_wait(self) -> float:
        assert self.polled_at
        left = (self._next_poll(self.polled_at) - self.clock()) / timedelta(seconds=1)
        longest = WAIT_FOR_LOAD if self.loads.is_busy else LONGEST_WAIT
        return min(max(left, 0.0), longest)

    def _poll(self, now: datetime) -> None:
        """Ask what is due by the settings of now; where those are broken, by those of before."""
        self.polled_at, problems = now, []
        try:
            self.setup = self._read_setup()
        except WolkvoxError as error:
            problems.append(f"{error}: until that is mended the settings of before hold")
        settings, folder = self.setup.settings, self.setup.folder
        pace = Pace(AskedFolder(folder.asked), settings.pace, self.clock, last_calls=True)
        asking = Asking(settings, folder, pace, self.setup.hosts, self.stopped)
        try:
            report = ask_and_keep(asking, self.listener.called)
        except WolkvoxError as error:
            report = PollReport(working_folder=str(folder.path), problems=[str(error)])
        report.problems += problems
        self.listener.polled(report)

    def _read_setup(self) -> _Setup:
        chosen = {"reports": list(self.plan.reports)} if self.plan.reports else {}
        settings = read_poll_settings(**chosen)
        folder, hosts = place_of(self.plan.destination, self.plan.dataset)
        return _Setup(settings, folder, hosts)

    def _take(self, report: LoadReport | None) -> None:
        if report:
            self.listener.loaded(report)
