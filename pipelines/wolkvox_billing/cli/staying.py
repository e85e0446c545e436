"""What `load --every` says, day after day: a line for each call and each load; what is wrong, once
and then again at growing intervals."""

from __future__ import annotations

import logging
import re
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import TYPE_CHECKING

from wolkvox_billing.cli.terminal import describe_call, print_json
from wolkvox_billing.polling.polls import Poll, Skip
from wolkvox_billing.polling.schedule import Rhythm
from wolkvox_billing.values.clock import Clock, utc_now
from wolkvox_billing.values.durations import format_duration
from wolkvox_billing.values.numbers import format_count
from wolkvox_billing.values.texts import harmless

if TYPE_CHECKING:
    from wolkvox_billing.cli.printed.poll import PrintedPoll
    from wolkvox_billing.polling.settings import PollSettings
    from wolkvox_billing.verbs.load import LoadReport
    from wolkvox_billing.verbs.poll import PollReport
    from wolkvox_billing.verbs.stay import Plan

LOAD_EVERY = timedelta(hours=1)
FIRST_PAUSE, LONGEST_PAUSE = timedelta(hours=1), timedelta(days=1)

logger = logging.getLogger("wolkvox_billing")


@dataclass
class _Said:
    """When a sentence was said, after which pause it is said again, and when it last held."""

    at: datetime
    pause: timedelta
    held_at: datetime


class Reminders(logging.Filter):
    """Lets a warning pass when it is new, and again after an hour, two, four, ... up to a day, as
    long as it holds. One that was not heard for `forgotten_after` is new again. Sentences that
    differ in numbers behind their first colon are one; what is before it names whose it is."""

    def __init__(self, clock: Clock, forgotten_after: timedelta) -> None:
        super().__init__()
        self._clock, self._forgotten_after = clock, forgotten_after
        self._said: dict[str, _Said] = {}

    def filter(self, record: logging.LogRecord) -> bool:
        return record.levelno != logging.WARNING or self.is_due(record.getMessage())

    def is_due(self, sentence: str) -> bool:
        """Return whether a sentence that holds now is to be said."""
        now, key = self._clock(), _without_numbers(sentence)
        self._said = {
            other: said
            for other, said in self._said.items()
            if abs(now - said.held_at) <= self._forgotten_after
        }
        said = self._said.get(key)
        if said is None:
            self._said[key] = _Said(now, FIRST_PAUSE, now)
            return True
        said.held_at = now
        if now - said.at < said.pause:
            return False
        said.at, said.pause = now, min(2 * said.pause, LONGEST_PAUSE)
        return True


def _without_numbers(sentence: str) -> str:
    head, colon, tail = sentence.partition(":")
    return head + colon + re.sub(r"\d+", "#", tail)


class Log:
    """Tells of a process that stays: in the log, and as JSON on lines of their own."""

    def __init__(self, rhythm: Rhythm, as_json: bool, clock: Clock) -> None:
        self._rhythm, self._as_json, self._clock = rhythm, as_json, clock

    def begins(self, settings: PollSettings) -> None:
        every, load_every = map(format_duration, self._rhythm)
        logger.info(f"asking every {every}, loading every {load_every}, until TERM or Ctrl-C")
        if self._rhythm.every < settings.pace:
            pace = format_duration(settings.pace)
            logger.warning(
                f"--every {every} is less than the setting `pace_minutes`: who was answered is "
                f"asked again after {pace}, and who was not, every {every}"
            )

    def called(self, event: Poll | Skip) -> None:
        if isinstance(event, Poll):
            logger.info(harmless(describe_call(event)))

    def polled(self, report: PollReport) -> None:
        self._warn(report)
        if self._as_json:
            from wolkvox_billing.cli.printed.load import PollOfMany

            self._print(report, PollOfMany)

    def loaded(self, report: LoadReport) -> None:
        if report.loaded or not report.problems:
            answers = format_count(report.loaded, "answer")
            logger.info(harmless(f"loaded {answers} into {report.location}"))
        self._warn(report)
        if self._as_json:
            from wolkvox_billing.cli.printed.load import LoadOfMany

            self._print(report, LoadOfMany)

    def _print(self, report: PollReport, form: type[PrintedPoll]) -> None:
        from wolkvox_billing.cli.printed.poll import poll_as_form

        print_json(poll_as_form(report, form, at=self._clock()), in_a_line=True)

    def _warn(self, report: PollReport) -> None:
        for sentence in dict.fromkeys([*report.failures, *report.warnings]):
            logger.warning(harmless(sentence))


def stay_and_tell(plan: Plan, *, as_json: bool, clock: Clock = utc_now) -> None:
    """Stay until TERM, INT or HUP, by a plan. Raises SettingsError before anything is asked."""
    from wolkvox_billing.verbs.loader import Loader  # which brings dlt
    from wolkvox_billing.verbs.stay import stay, until_ended

    reminders = Reminders(clock, forgotten_after=2.5 * max(plan.rhythm))
    logger.addFilter(reminders)
    try:
        with until_ended() as stopped:
            loader = Loader(plan.destination, plan.dataset, clock)
            stay(plan, Log(plan.rhythm, as_json, clock), loader, stopped, clock)
        logger.info("ended")
    finally:
        logger.removeFilter(reminders)
