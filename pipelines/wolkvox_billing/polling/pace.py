"""The pace: which operation and report is due, and which was answered a moment ago, or rests.

A token that answered less than `pace_minutes` ago is not asked again; one whose day's calls are
spent rests until the vendor's midnight. When that was is kept beside the spool (`AskedFolder`), or
in dlt's state by who runs the source in a pipeline of their own (`AskedState`).
"""

from __future__ import annotations

import hashlib
import json
import logging
import os
import secrets
from datetime import datetime, timedelta
from pathlib import Path
from typing import TypedDict

from wolkvox_billing.polling.polls import Poll, Skip
from wolkvox_billing.polling.schedule import is_last_call_due
from wolkvox_billing.values.clock import Clock, format_moment, next_midnight
from wolkvox_billing.vendor.answer import Outcome
from wolkvox_billing.vendor.operations import Operation

logger = logging.getLogger("wolkvox_billing")

CLOCKS_APART = timedelta(minutes=1)  # by so much may the clocks of two hosts differ


class AskedTimes(TypedDict, total=False):
    """When operations were asked, in JSON: operation → report → the newest call that was answered;
    operation → until when it rests."""

    answered: dict[str, dict[str, str]]
    resting: dict[str, str]


class AskedState:
    """When operations were asked, in a dictionary that somebody else keeps, such as dlt's state:
    read and written while a token is held, so by one at a time."""

    def __init__(self, times: AskedTimes) -> None:
        self._times = times

    def answered_at(self, operation_id: str, report: str) -> datetime | None:
        answered = self._read(operation_id).get("answered", {})
        return _time(answered.get(operation_id, {}).get(report))

    def rests_until(self, operation_id: str) -> datetime | None:
        return _time(self._read(operation_id).get("resting", {}).get(operation_id))

    def note_answer(self, operation_id: str, report: str, at: datetime) -> None:
        times = self._read(operation_id)
        times.setdefault("answered", {}).setdefault(operation_id, {})[report] = at.isoformat()
        self._write(operation_id, times)

    def note_rest(self, operation_id: str, until: datetime) -> None:
        times = self._read(operation_id)
        times.setdefault("resting", {})[operation_id] = until.isoformat()
        self._write(operation_id, times)

    def _read(self, operation_id: str) -> AskedTimes:
        return self._times

    def _write(self, operation_id: str, times: AskedTimes) -> None:
        self._times = times


class AskedFolder(AskedState):
    """When operations were asked, in a file for each: no process waits for another operation's."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder

    @property
    def is_new(self) -> bool:
        """True where nobody was ever asked out of this working folder."""
        return not self.folder.exists()

    def _file(self, operation_id: str) -> Path:
        return self.folder / f"{hashlib.sha256(operation_id.encode()).hexdigest()[:16]}.json"

    def _read(self, operation_id: str) -> AskedTimes:
        try:
            times: AskedTimes = json.loads(self._file(operation_id).read_text())
            texts = [*times["resting"].values(), *times["answered"].get(operation_id, {}).values()]
            if any(datetime.fromisoformat(text).tzinfo is None for text in texts):
                raise ValueError("a time without a zone")
        except (OSError, ValueError, KeyError, TypeError, AttributeError):
            return {"answered": {}, "resting": {}}  # never asked, or damaged: it costs one call
        return times

    def _write(self, operation_id: str, times: AskedTimes) -> None:
        file = self._file(operation_id)
        part = file.with_name(f".{file.name}.{secrets.token_hex(4)}")
        try:
            self.folder.mkdir(mode=0o700, parents=True, exist_ok=True)
            part.write_text(json.dumps(times))
            os.replace(part, file)
        except OSError as error:  # the answer is safe: at worst it is asked for once too often
            logger.warning("when %s was asked is not written down: %s", operation_id, error)
            part.unlink(missing_ok=True)


class Pace:
    """Which calls are due, by `asked` and the clock; and the notes of those that were made.

    last_calls: those of a month are due though the pace would hold them, see `schedule`."""

    def __init__(
        self,
        asked: AskedState,
        pace: timedelta,
        clock: Clock,
        *,
        force: bool = False,
        last_calls: bool = False,
    ) -> None:
        self.asked, self.clock, self.force, self.last_calls = asked, clock, force, last_calls
        # A schedule of that pace never hits the second: no call of it must come too early.
        self.pace = pace - min(pace / 10, timedelta(seconds=15))

    def due(
        self, operation: Operation, report: str, elsewhere: datetime | None = None, /
    ) -> Skip | None:
        """Return why a report is not to be asked for now; None where it is due. elsewhere: when
        another host had its answer, if that is known."""
        name, now = operation.operation_id, self.clock()
        resting = self.asked.rests_until(name)
        # A time ahead of the clock was written before the clock was set back: it holds nothing.
        # Another host's clock may be somewhat ahead.
        if resting and now < resting <= now + timedelta(days=1, hours=1):
            until = f"the day's calls are spent: resting until {format_moment(resting)}"
            return Skip(name, report, "quota", until)
        if self.force:
            return None
        for last in (elsewhere, self.asked.answered_at(name, report)):
            if not last or not -CLOCKS_APART <= now - last < self.pace:
                continue
            if not (self.last_calls and is_last_call_due(last, now, operation.zone)):
                seconds = max(0, (now - last).total_seconds())
                ago = f"answered {seconds:.0f} s ago, within `pace_minutes`"
                return Skip(name, report, "pace", ago)
        return None

    def note(self, poll: Poll) -> None:
        """Write down what a call says about the next one."""
        name = poll.operation.operation_id
        if poll.outcome.is_answer:
            self.asked.note_answer(name, poll.report, poll.started_at)
        elif poll.outcome is Outcome.QUOTA_SPENT:
            self.asked.note_rest(name, next_midnight(poll.finished_at, poll.operation.zone))


def _time(text: str | None) -> datetime | None:
    return datetime.fromisoformat(text) if text else None
