"""What `status` says of the copies: whether anybody looks at the bucket, and whether anything is
copied there."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from datetime import date, datetime, timedelta
from itertools import groupby
from operator import itemgetter
from zoneinfo import ZoneInfo

from wolkvox_billing.bucket.storing import read_last_listing
from wolkvox_billing.bucket.tables import LISTINGS
from wolkvox_billing.values.durations import format_rounded
from wolkvox_billing.values.periods import DAY
from wolkvox_billing.values.translation import N_, Day, Sentence
from wolkvox_billing.warehouse.sql import Client, literal, rows_of, tables_in

_LATE = timedelta(days=2)  # of a look; they are taken after each night
_SATURDAY = 5
_COMPARED = 5  # days that follow on a working day, on most of which something was copied
_LEAST_STILL = 2
_LATELY = timedelta(days=40)


def warn_of_copies(client: Client, raw: str, now: datetime, zone: ZoneInfo) -> Iterator[str]:
    """Yield what is odd of the copies in the bucket; nothing where nobody ever looked."""
    if LISTINGS not in tables_in(client, raw):
        return
    newest = rows_of(
        client,
        f"SELECT is_complete, reason FROM {raw}.{LISTINGS} "
        "ORDER BY started_at DESC, listing_id DESC LIMIT 1",
    )
    if newest and not newest[0][0]:
        yield Sentence(N_("the last look at the bucket broke off: {reason}"), reason=newest[0][1])
    last = read_last_listing(client, raw)
    if not last:
        return
    if now - last.seen_at > _LATE:
        text = N_(
            "the bucket was last looked at {span} ago: does `wolkvox-billing bucket` run each day?"
        )
        yield Sentence(text, span=format_rounded(now - last.seen_at))
    looked_on = last.seen_at.astimezone(zone).date()
    copied = rows_of(
        client,
        f"SELECT operation_id, upload_date FROM {raw}_marts.bucket_daily WHERE objects > 0 "
        f"AND upload_date > {literal(looked_on - _LATELY)} ORDER BY operation_id, upload_date",
    )
    for operation_id, rows in groupby(copied, key=itemgetter(0)):
        days = [day for _, day in rows]
        if stands_still(days, looked_on):
            text = N_(
                "{operation}: no audio was copied since {day}, by the bucket: the vendor's nightly "
                "copy may be broken"
            )
            yield Sentence(text, operation=operation_id, day=Day(days[-1]))


def stands_still(copied: Sequence[date], looked_on: date) -> bool:
    """Return whether nothing was copied on the last two days that follow on working ones, or more,
    though something was on most of the five before. copied: days with a copy, in their order; the
    day of the look is not over."""
    last = copied[-1]
    since = _after_working_days(last + DAY, looked_on)
    before = _after_working_days(last - 14 * DAY, last + DAY)[-_COMPARED:]
    moved = sum(day in copied for day in before)
    return len(since) >= _LEAST_STILL and 2 * moved > len(before)


def _after_working_days(start: date, end: date) -> list[date]:
    """Return the days from `start` to before `end` on whose day before people work."""
    days = [start + n * DAY for n in range((end - start).days)]
    return [day for day in days if (day - DAY).weekday() < _SATURDAY]
