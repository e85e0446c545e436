"""The verb `poll`, which is the first half of `load`: asks, and keeps the answers safe.

    settings ─▶ due? ─▶ the token's lock ─▶ one call ─▶ judged ─▶ the spool, fsync

It imports no dlt and no database where the settings are in `.dlt/*.toml` and the environment, so
that it can run every five minutes on anything. `load` puts what waits into the tables.
"""

from __future__ import annotations

import errno
import logging
import shutil
import tempfile
import threading
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

from wolkvox_billing.errors import WarehouseError
from wolkvox_billing.polling.pace import AskedFolder, Pace
from wolkvox_billing.polling.polls import Poll, Run, Skip, ask_all
from wolkvox_billing.polling.settings import PollSettings, read_poll_settings
from wolkvox_billing.polling.spool import Spool
from wolkvox_billing.values.clock import Clock, utc_now
from wolkvox_billing.vendor.advice import ADVICE
from wolkvox_billing.vendor.readings import read_rows
from wolkvox_billing.vendor.rejections import unreadable_rows
from wolkvox_billing.warehouse.address import address_of
from wolkvox_billing.warehouse.configuration import (
    data_dir,
    read_configuration,
    run_dir,
)
from wolkvox_billing.warehouse.published import refuse_copy
from wolkvox_billing.warehouse.working_folder import ALL, WorkingFolder, working_folder_name

if TYPE_CHECKING:
    from wolkvox_billing.polling.hosts import Hosts

logger = logging.getLogger("wolkvox_billing")

ROOM_FOR_ANSWERS = 4 * 1024 * 1024  # bytes; an answer of a few rows takes 1 KiB
OnEvent = Callable[[Poll | Skip], None]


@dataclass
class PollReport:
    """What one `poll` did: the calls, those not made, and what went wrong afterwards, in words.
    `lasting` are those of the problems that no new try mends."""

    polls: list[Poll] = field(default_factory=list)
    skips: list[Skip] = field(default_factory=list)
    problems: list[str] = field(default_factory=list)
    lasting: list[str] = field(default_factory=list)
    warnings: list[str] = field(default_factory=list)
    working_folder: str = ""
    waiting: int = 0  # answers in the spool that are in no table yet

    @property
    def refused(self) -> list[Poll]:
        """The last try of each call that was not answered."""
        last = {(poll.operation.operation_id, poll.report): poll for poll in self.polls}
        return [poll for poll in last.values() if not poll.outcome.is_answer]

    @property
    def failures(self) -> list[str]:
        """A sentence for each thing that went wrong: what, and what to do. [] where the last try of
        each call was answered, nothing rests, and all is safe."""
        refused = [
            f"{poll.operation.operation_id} {poll.report}: {poll.outcome.value}"
            f" ({poll.words}): {ADVICE[poll.outcome]}"
            for poll in self.refused
        ]
        skipped = [
            f"{skip.operation_id} {skip.report}: not asked: {skip.detail}"
            for skip in self.skips
            if skip.is_failure
        ]
        return [*refused, *skipped, *self.problems]

    @property
    def is_good(self) -> bool:
        """True where nothing went wrong; what was asked less than the pace ago is not wrong."""
        return not self.failures

    @property
    def may_pass(self) -> bool:
        """True where something failed that may do in a minute; False where all is well too. What
        was not asked after a refusal shares the refusal's fate."""
        return (
            not set(self.problems) <= set(self.lasting)
            or any(not poll.outcome.needs_somebody for poll in self.refused)
            or any(skip.reason in ("token_in_use", "stopped", "failed") for skip in self.skips)
        )


def poll(  # public: whoever scripts it gives what is not as in the settings
    *,
    destination: str = "duckdb",
    dataset: str = "wolkvox_billing",
    reports: list[str] | None = None,
    force: bool = False,
    clock: Clock = utc_now,
    on_event: OnEvent | None = None,
    **settings: Any,
) -> PollReport:
    """Return a PollReport of one call for every operation and report that is due, whose answers are
    in the spool of this destination and dataset, where the next `load` takes them. Imports no dlt
    where settings are in .dlt/*.toml and the environment.

    reports, force, on_event, `settings`: as of `load`.
    Raises SettingsError before anything is asked. A refusal raises nothing: it is a call too.
    """
    if reports:
        settings["reports"] = reports
    poll_settings = read_poll_settings(**settings)
    folder, hosts = place_of(destination, dataset)
    pace = Pace(AskedFolder(folder.asked), poll_settings.pace, clock, force=force)
    return ask_and_keep(Asking(poll_settings, folder, pace, hosts), on_event)


def ask_and_keep(asking: Asking, on_event: OnEvent | None = None) -> PollReport:
    """Return a PollReport of one call for every operation and report that is due; it says what of
    the answers, which are in the spool, `load` will be able to read."""
    report = PollReport(working_folder=str(asking.folder.path))
    spool = Spool(asking.folder.spool)
    ask(asking, report, on_event, as_reported=_with_rows_read)
    report.warnings += [
        f"{poll.operation.operation_id} {poll.report}: {poll.unreadable}: the answer is kept, and "
        "`load` puts what could not be read into the table rejected_rows"
        for poll in report.polls
        if poll.unreadable
    ]
    report.warnings += spool.told()
    report.waiting = spool.count()
    return report


def _with_rows_read(poll: Poll) -> Poll:
    """Return the poll for the record, with what `load` will be able to read of its rows."""
    _, rejected = read_rows(poll.judgement.rows, poll.date, report=poll.report)
    unreadable = unreadable_rows(poll.judgement.count, (row.reason for row in rejected))
    return replace(poll.without_rows(), rejected=len(rejected), unreadable=unreadable)


@dataclass(frozen=True)
class Asking:
    """Who is asked, where the answers are kept, by which pace, and which other hosts ask too. No
    new call is made once it is `stopped`."""

    settings: PollSettings
    folder: WorkingFolder
    pace: Pace
    hosts: Hosts | None
    stopped: threading.Event = field(default_factory=lambda: threading.Event())


def ask(
    asking: Asking,
    report: PollReport,
    on_event: OnEvent | None = None,
    as_reported: Callable[[Poll], Poll] = Poll.without_rows,
) -> None:
    """Ask what is due, keep each answer in the spool as soon as it is read, and put what came of it
    into the report. On a full disk nobody is asked: an answer would be lost."""
    settings, folder, pace = asking.settings, asking.folder, asking.pace
    for warning in settings.warnings:
        logger.warning(warning)
    report.warnings += settings.warnings
    free = _free_bytes(folder)
    if free < ROOM_FOR_ANSWERS:
        report.problems.append(
            f"the disk is full: {free} bytes are free in {folder.path}, so nothing was asked"
        )
        return
    spool = Spool(folder.spool)

    def keep(poll: Poll) -> None:
        spool.keep(poll)
        pace.note(poll)

    run = Run(pace.due, pace.clock, settings.manner, asking.hosts, keep, asking.stopped)
    for event in ask_all(settings.operations, settings.reports, run):
        if isinstance(event, Poll):
            report.polls.append(as_reported(event))
        else:
            report.skips.append(event)
        if on_event:
            on_event(event)
        del event  # with its rows, before the next one comes


def ask_unkept(
    settings: PollSettings, clock: Clock, on_event: OnEvent | None
) -> Iterator[Poll | Skip]:
    """Yield what a call for each operation and report showed. Nothing is kept, no pace holds, and a
    refused call is not tried again."""
    run = Run(lambda *_: None, clock, replace(settings.manner, most_retries=0))
    for event in ask_all(settings.operations, settings.reports, run):
        if on_event:
            on_event(event)
        yield event


def _free_bytes(folder: WorkingFolder) -> int:
    """Return what is free for answers. Raises WarehouseError where none can be kept."""
    try:
        folder.spool.mkdir(mode=0o700, parents=True, exist_ok=True)
        with tempfile.TemporaryFile(dir=folder.spool):
            pass
        return shutil.disk_usage(folder.spool).free
    except OSError as error:
        if error.errno == errno.ENOSPC:
            return 0
        raise WarehouseError(
            f"{folder.spool} cannot be written, so nothing was asked: {error.strerror}"
        ) from None


def place_of(destination: str, dataset: str) -> tuple[WorkingFolder, Hosts | None]:
    """Return the working folder of a destination and dataset, and what is shared with other hosts
    that load there. Raises SettingsError."""
    configuration = read_configuration()
    address = address_of(configuration, destination) if configuration else None
    if address is None:
        return _place_by_dlt(destination, dataset)
    hosts = None
    if address.dsn:
        from wolkvox_billing.polling.hosts import hosts_at
        from wolkvox_billing.warehouse.postgres import check_driver, check_server

        check_driver(destination)
        check_server(address.dsn, f"DESTINATION__{address.destination_name.upper()}__CREDENTIALS")
        hosts = hosts_at(address.dsn, dataset)
    name = working_folder_name(
        run_dir(), destination, address.destination_name, dataset, address.location
    )
    folder = WorkingFolder(data_dir() / ALL / name)
    if address.file:
        refuse_copy(Path(address.file), dataset, folder)
    return folder, hosts


def _place_by_dlt(destination: str, dataset: str) -> tuple[WorkingFolder, Hosts | None]:
    """Return the same, where only dlt can tell."""
    from wolkvox_billing.polling.hosts import hosts_at
    from wolkvox_billing.warehouse.place import resolved

    folder, dsn = resolved(destination, dataset)
    return folder, hosts_at(dsn, dataset) if dsn else None
