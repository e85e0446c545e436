"""The loads of a process that stays, each in a child of its own, so that polls go on meanwhile.

A child takes no more CPU than a load in the process itself, since what it needs was imported by
its parent, of which it is a fork; what it takes of memory, files and locks ends with it. Where it
hangs or dies nothing is lost: the spool has what waits, until the destination has it.
"""

from __future__ import annotations

import gc
import importlib
import logging
import multiprocessing
import os
import signal
import sys
import time
from contextlib import suppress
from multiprocessing.connection import Connection
from multiprocessing.context import ForkProcess

from wolkvox_billing.errors import WolkvoxError
from wolkvox_billing.values.clock import Clock, utc_now
from wolkvox_billing.verbs.load import LoadReport, load_waiting
from wolkvox_billing.verbs.stay import ENDINGS

logger = logging.getLogger("wolkvox_billing")

LONGEST_LOAD = 2 * 3600.0  # seconds; a backlog of days takes minutes
_FORK = multiprocessing.get_context("fork")


class Loader:
    """Loads what waits into one destination and dataset, one child at a time."""

    def __init__(
        self,
        destination: str,
        dataset: str,
        clock: Clock = utc_now,
        longest: float = LONGEST_LOAD,
    ) -> None:
        self.destination, self.dataset, self.clock = destination, dataset, clock
        self.longest = longest
        self._child: ForkProcess | None = None
        self._reader: Connection | None = None
        self._began = 0.0

    @property
    def is_busy(self) -> bool:
        return self._child is not None

    def start(self) -> None:
        """Begin a load. None may be under way."""
        gc.unfreeze()  # what was frozen for the load before, and lives no more
        gc.collect()
        gc.freeze()  # what a search for rubbish would touch, the child would have to copy
        self._reader, writer = _FORK.Pipe(duplex=False)
        self._child = _FORK.Process(target=self._load, args=(writer,))
        self._began = time.monotonic()
        # A signal that comes before the child has handlers of its own would be taken for ours.
        before = signal.pthread_sigmask(signal.SIG_BLOCK, ENDINGS)
        try:
            self._child.start()
        finally:
            signal.pthread_sigmask(signal.SIG_SETMASK, before)
        writer.close()

    def take(self) -> LoadReport | None:
        """Return the report of a load that has ended since; None where there is none."""
        if not self._child or not self._reader:
            return None
        if not self._reader.poll():
            if time.monotonic() - self._began <= self.longest:
                return None
            self._child.kill()
        return self._bury()

    def end(self, grace: float) -> LoadReport | None:
        """Return the same of the load that is under way, which may take so many seconds."""
        if not self._child or not self._reader:
            return None
        if not self._reader.poll(grace):
            self._child.kill()
        return self._bury()

    def _bury(self) -> LoadReport:
        """Return the report of the child that ends, and let go of it."""
        assert self._child
        assert self._reader
        report: LoadReport | None = None
        modules: list[str] = []
        with suppress(EOFError, OSError):  # it ended before it had sent it, or in the midst of that
            report, modules = self._reader.recv()
        self._child.join()
        ending = f"exit code {self._child.exitcode}"  # minus the signal, where that was one
        self._child.close()
        self._reader.close()
        self._child = self._reader = None
        for name in modules:  # once: the next child has them
            with suppress(Exception):
                importlib.import_module(name)
        if report:
            return report
        took = time.monotonic() - self._began
        says = (
            f"a load ended with {ending} after {took:.0f} s: what waits is loaded by the next one"
        )
        return LoadReport(problems=[says])

    def _load(self, writer: Connection) -> None:
        """Load, and send the report with the names of the modules that it had to import."""
        os.setsid()  # Ctrl-C is for the parent alone, which waits for this load
        for number in ENDINGS:
            signal.signal(number, signal.SIG_DFL)
        signal.pthread_sigmask(signal.SIG_UNBLOCK, ENDINGS)
        before = set(sys.modules)
        try:
            report = load_waiting(
                destination=self.destination, dataset=self.dataset, clock=self.clock
            )
        except WolkvoxError as error:
            report = LoadReport(problems=[str(error)])
        except Exception as error:  # a bug: the polls must go on
            logger.exception("a load")
            report = LoadReport(problems=[f"{type(error).__name__}: {error}"])
        writer.send((report, [name for name in sys.modules if name not in before]))
