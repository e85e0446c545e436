"""The verb `status`: what is loaded, how fresh it is, where the gaps are, and what looks wrong."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import date, datetime, timedelta, timezone
from decimal import Decimal
from itertools import pairwise
from pathlib import Path
from typing import Annotated
from zoneinfo import ZoneInfo

import dlt

from wolkvox_billing.claims.due import warn_of_claims
from wolkvox_billing.closing import warnings_of_closes
from wolkvox_billing.errors import SettingsError, WarehouseError
from wolkvox_billing.marts.identities import read_identities
from wolkvox_billing.marts.identity_words import undecided
from wolkvox_billing.marts.refresh import refresh
from wolkvox_billing.polling.spool import Spool, waiting_elsewhere
from wolkvox_billing.reconciliation.cut_off import propose_cut_off
from wolkvox_billing.reconciliation.forecast import warn_of_budgets
from wolkvox_billing.reconciliation.policy import UNKNOWN, read_policy
from wolkvox_billing.values.clock import Clock, midnight, utc_now
from wolkvox_billing.values.durations import MINUTE, format_rounded, usual_pause
from wolkvox_billing.values.locales import ENGLISH
from wolkvox_billing.values.periods import DAY, month_of
from wolkvox_billing.values.translation import N_, Day, Sentence, phrase, say_in
from wolkvox_billing.vendor.answer import ANSWERS
from wolkvox_billing.vendor.rejections import UnreadableRows
from wolkvox_billing.verbs.call_budget import CallsOfDay, calls_of_day, calls_since_midnight
from wolkvox_billing.verbs.copies_told import warn_of_copies
from wolkvox_billing.verbs.load import meaning_of
from wolkvox_billing.verbs.meant import meant_pairs, settings_if_any, warn_of_settings
from wolkvox_billing.verbs.track_record import (
    TrackRecord,
    UsageDay,
    read_track_records,
    read_zones,
)
from wolkvox_billing.warehouse.complaints import configured
from wolkvox_billing.warehouse.place import (
    DATASET,
    DESTINATION,
    check_readable,
    folder_of,
    location_of,
    opened,
    reading,
)
from wolkvox_billing.warehouse.sql import REFRESHED, engine_of

USUAL_PAUSES = 3  # an operation is late after so many of its usual pauses between answers,
LEAST_LATE = timedelta(hours=1)  # and after this at the least


@dataclass(frozen=True)
class Product:
    """This month so far, by the marts. `so_far` is NULL where nobody knows what the number means,
    and then `last_quantity` is all there is; `change` is that of the newest day."""

    product: str
    measure: str | None
    so_far: Decimal | None
    last_quantity: Decimal
    usage_date: date
    change: Decimal | None
    days_covered: int | None


@dataclass
class Freshness:
    """One operation and report: its newest reading, and how it was asked lately."""

    operation_id: str
    report: str
    read_at: datetime | None = None
    age: Annotated[timedelta | None, "Since read_at; in JSON whole seconds"] = None
    answered_at: Annotated[datetime | None, "An answer without rows is one too"] = None
    asked_at: Annotated[datetime | None, "In the last week"] = None
    products: list[Product] = field(default_factory=list)
    polls_24h: int = 0
    refusals_24h: int = 0
    days_without_answer: Annotated[list[date], "Of this month, as the vendor's"] = field(
        default_factory=list
    )
    unreadable: Annotated[UnreadableRows | None, "Of the newest answer, in the last week"] = None


@dataclass
class Status:
    """What `status` prints; as JSON its fields are named the same."""

    location: str
    working_folder: str
    dlt_command: str  # what shows the pipeline by dlt's own tools
    waiting: int  # answers in the spool that are in no table yet
    rows: list[Freshness]
    warnings: list[str]
    as_of: datetime | None = None
    # What is in the record and not in the settings, and by operation and report what is in them:
    # None where they cannot be read, such as by somebody without secrets.
    retired: list[str] = field(default_factory=list)
    meant: list[tuple[str, str]] | None = None
    calls: list[CallsOfDay] = field(default_factory=list)
    language: str = ENGLISH

    def stale(self, after: timedelta) -> list[str]:
        """Return a sentence for each operation and report that was not answered for so long, of
        those that the settings mean. Where nobody can tell, one that was not even asked in a week,
        while others were, is asked no more: it is not meant. Who rests after a spent quota, or
        waits for its token, is."""
        if self.as_of is None or not self.rows:
            text = N_("nothing is loaded in {location}: does the schedule run?")
            return [phrase(text, self.language, location=self.location)]
        since = self.as_of - after
        in_use = [row for row in self.rows if row.asked_at] or self.rows
        if self.meant is not None:
            known = {(row.operation_id, row.report): row for row in self.rows}
            in_use = [known.get(pair) or Freshness(*pair) for pair in self.meant]
        text = N_(
            "{whose}: {answered}, more than {after}: does the schedule run, and what does it say?"
        )
        return [
            phrase(
                text,
                self.language,
                whose=f"{row.operation_id} {row.report}",
                answered=_answered(self.as_of - row.answered_at if row.answered_at else None),
                after=format_rounded(after),
            )
            for row in in_use
            if not row.answered_at or row.answered_at < since
        ]


def status(
    *,
    destination: str = DESTINATION,
    dataset: str = DATASET,
    timezone: str | None = None,
    clock: Clock = utc_now,
) -> Status:
    """Return the Status; its `rows` are in the order of operation and report, and empty before a
    first load.

    timezone: the vendor's, where it shall not come from the configuration; a day without an answer
    counts from the month's start, or from the first poll if that came later, up to today there.
    The marts are refreshed first, where whoever asks may write there; who can only read sees them
    as they were made last.
    Raises WarehouseError where the destination cannot be read.
    """
    meaning = meaning_of(timezone)
    with opened(destination, dataset, reads=True) as pipeline:
        check_readable(pipeline)
        if engine_of(pipeline) not in REFRESHED:
            raise SettingsError(f"status reads {' and '.join(REFRESHED)}, not {destination}")
        location = location_of(pipeline)
        folder = folder_of(pipeline)
        spool = Spool(folder.spool)
        language = configured(read_policy).language
        state = Status(
            location, str(folder.path), folder.dlt_command, spool.count(), [], [], language=language
        )
        state.warnings += [*waiting_elsewhere(folder), *spool.told()]
        if engine_of(pipeline) == "duckdb" and not Path(location).exists():
            return state
        with reading(pipeline):
            state.as_of = now = clock()
            try:
                refresh(pipeline, None, now)
            except WarehouseError:  # there are no tables yet
                return state
            _tell_record(state, pipeline, ZoneInfo(meaning.timezone), now)
            state.warnings = [say_in(state.language, text) for text in state.warnings]
            state.retired = [say_in(state.language, text) for text in state.retired]
    return state


def _tell_record(state: Status, pipeline: dlt.Pipeline, zone: ZoneInfo, now: datetime) -> None:
    """Put in how fresh the record is, and what it warns of."""
    raw, policy = pipeline.dataset_name, configured(read_policy)
    with pipeline.sql_client() as client:
        settings = settings_if_any()
        identities = read_identities(client, f"{raw}_marts")
        state.meant = meant_pairs(settings, identities)
        state.warnings += undecided(identities, state.language)
        state.warnings += warn_of_settings(client, raw, identities, settings)
        zones = read_zones(client, raw)
        records = read_track_records(client, raw, now)
        if policy.cut_off == UNKNOWN:
            state.warnings += propose_cut_off(client, f"{raw}_marts")
    zone_of = {operation: zones.get(operation) or zone for (operation, _), _ in records}
    _tell_calls(state, records, zone_of, now)
    if state.meant is not None:
        state.warnings += _warn_of_unasked(state.meant, state.rows)
        state.retired = _tell_retired(state.meant, state.rows, now)
    state.warnings += warnings_of_closes(pipeline)
    with pipeline.sql_client() as client:
        state.warnings += warn_of_claims(client, raw, policy, now.astimezone(zone).date())
        state.warnings += warn_of_copies(client, raw, now, zone)
        state.warnings += warn_of_budgets(client, raw, policy)


def _tell_calls(
    state: Status,
    records: Sequence[tuple[tuple[str, str], TrackRecord]],
    zones: Mapping[str, ZoneInfo],
    now: datetime,
) -> None:
    """Put in how fresh each report is, and how many calls of the day are spent."""
    calls: Counter[str] = Counter()
    for (operation, report), record in records:
        local = now.astimezone(zones[operation])
        record.cover_until(local.date())
        state.rows.append(_freshness(operation, report, record, local))
        calls[operation] += calls_since_midnight(record, local)
        if state.meant is None or (operation, report) in state.meant:
            whose = f"{operation} {report}"
            state.warnings += [
                Sentence("{whose}: {says}", whose=whose, says=says)
                for says in _warnings(record, local)
            ]
    state.calls = calls_of_day(calls)
    text = N_("{operation}: {calls} of the day's {allowed} calls are spent")
    state.warnings += [
        Sentence(text, operation=own.operation_id, calls=own.calls, allowed=own.allowed)
        for own in state.calls
        if own.is_nearly_spent
    ]


def _answered(ago: timedelta | None) -> Sentence:
    if ago is None:
        return Sentence(N_("not answered in 40 days"))
    return Sentence(N_("last answered {time} ago"), time=format_rounded(ago))


def _warn_of_unasked(meant: Sequence[tuple[str, str]], rows: Iterable[Freshness]) -> Iterator[str]:
    """Yield a warning for what is in the settings and in no record."""
    known = {(row.operation_id, row.report) for row in rows}
    for operation, report in meant:
        if (operation, report) not in known:
            text = N_("{whose}: is in the settings, and was never asked: run `load`")
            yield Sentence(text, whose=f"{operation} {report}")


def _tell_retired(
    meant: Sequence[tuple[str, str]], rows: Sequence[Freshness], now: datetime
) -> list[str]:
    """Return a sentence for each operation, or report of one that is, that was asked and is not in
    the settings."""
    operations = {operation for operation, _ in meant}
    answers: dict[tuple[str, str], datetime | None] = {}
    for row in rows:
        if (row.operation_id, row.report) not in meant:
            own = row.operation_id, row.report if row.operation_id in operations else ""
            at = filter(None, (answers.get(own), row.answered_at))
            answers[own] = max(at, default=None)
    of_report = N_("not in the settings any more: {whose}, {answered}")
    of_operation = N_(
        "not in the settings any more: {whose}, {answered}; if it was never meant: "
        "`operations forget {whose}`"
    )
    return [
        Sentence(
            of_report if report else of_operation,
            whose=f"{operation} {report}".rstrip(),
            answered=_answered(now - at if at else None),
        )
        for (operation, report), at in answers.items()
    ]


def _freshness(operation: str, report: str, record: TrackRecord, now: datetime) -> Freshness:
    """`now` is on the vendor's clock, here and below."""
    today = now.date()
    row = Freshness(operation, report)
    if record.months:
        row.read_at = max(month.last_read_at for month in record.months).astimezone(timezone.utc)
        row.age = now - row.read_at
    row.answered_at = record.last_answer_at
    row.asked_at = max((poll.started_at for poll in record.polls), default=None)
    recent = [poll for poll in record.polls if now - poll.started_at <= DAY]
    row.polls_24h = len(recent)
    row.refusals_24h = sum(poll.outcome not in ANSWERS for poll in recent)
    row.days_without_answer = [
        day.poll_date
        for day in record.coverage
        if not day.polls_answered and day.poll_date >= today.replace(day=1)
    ]
    row.unreadable = record.unreadable
    quantities = record.quantities_of_month(today)
    has_names = len(record.names_of_month(today)) > 1
    for (name, product), days in record.days_of_products().items():
        if (name, product) in quantities:
            label = f"{product} ({name})" if has_names else product
            newest = days[-1]
            row.products.append(
                Product(
                    product=label,
                    measure=newest.measure,
                    so_far=newest.month_to_date_quantity,
                    last_quantity=quantities[name, product],
                    usage_date=newest.usage_date,
                    change=newest.consumed_quantity,
                    days_covered=newest.days_covered,
                )
            )
    return row


def _warnings(record: TrackRecord, now: datetime) -> list[str]:
    """Return what looks wrong; nothing of an operation that is asked no more."""
    if not any(day.polls for day in record.coverage):
        return []
    warnings: list[str] = []
    if len(names := record.names_of_month(now.date())) > 1:
        text = N_(
            "wolkvox shows it under {n} names this month ({names}) in the same answers: each is "
            "counted"
        )
        warnings.append(Sentence(text, n=len(names), names=names))
    for rename in record.renames:
        text = N_(
            "wolkvox called it {before} before and {now} now, never both in one answer: taken as "
            "the same, renamed"
        )
        before, after = repr(rename.operation_name), repr(rename.newest_name)
        warnings.append(Sentence(text, before=before, now=after))
    for (_, product), days in record.days_of_products().items():
        if since := _standstill(days, now.date()):
            text = N_(
                "{product} has not moved on working days since {since}: the vendor's nightly copy "
                "may be broken"
            )
            warnings.append(Sentence(text, product=product, since=Day(since)))
    if record.unreadable:
        text = N_(
            "in the newest answer {rows}, and their use is in no sum: see the table rejected_rows"
        )
        warnings.append(Sentence(text, rows=str(record.unreadable)))
    return warnings + _warnings_of_silence(record, now)


def _standstill(days: list[UsageDay], today: date) -> date | None:
    """Return the first of the last working days on which a count stood still, two at the least,
    while it moved on most of the five before; None where all is well, or it is no count."""
    working = [
        day
        for day in days
        if day.usage_date.weekday() < 5
        and day.usage_date < today
        and day.measure in ("month_to_date", "daily")
    ]
    still: list[UsageDay] = []
    while working and working[-1].consumed_quantity == 0:
        still.append(working.pop())
    moved = sum((day.consumed_quantity or 0) > 0 for day in working[-5:])
    return still[-1].usage_date if len(still) >= 2 and moved >= 3 else None


def _warnings_of_silence(record: TrackRecord, now: datetime) -> list[str]:
    """Return what to say of an operation that was not answered for longer than it usually is, or
    that the month's end may overtake."""
    if record.last_answer_at is None:
        return [Sentence(N_("was never answered in the last 40 days"))]
    warnings: list[str] = []
    age = now - record.last_answer_at
    answers = [poll.started_at for poll in record.polls if poll.outcome in ANSWERS]
    pause = usual_pause([(b - a).total_seconds() for a, b in pairwise(answers)]) or 0
    usual = timedelta(seconds=pause)
    if pause < MINUTE and age > 2 * DAY:  # what is usual shows in the last week only
        text = N_("last answered {time} ago: is the schedule running?")
        warnings.append(Sentence(text, time=format_rounded(age)))
    if pause >= MINUTE and age > max(USUAL_PAUSES * usual, LEAST_LATE):
        text = N_("last answered {time} ago, usually every {usual}: is the schedule running?")
        warnings.append(Sentence(text, time=format_rounded(age), usual=format_rounded(usual)))
    # In UTC, since clocks may change before.
    left = midnight(month_of(now.date()).end, now.tzinfo).astimezone(timezone.utc) - now
    if left <= DAY and age > LEAST_LATE:
        text = N_(
            "the month ends in {left}, and the last answer is {age} old: what is not read before "
            "is lost"
        )
        warnings.append(Sentence(text, left=format_rounded(left), age=format_rounded(age)))
    return warnings
