"""The rows of `bucket_daily` and `copy_reconciliation`: nothing else knows their columns."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date
from decimal import Decimal
from typing import Annotated

from wolkvox_billing.marts.reconciled import (
    AMOUNT,
    COUNT,
    DATE,
    TEXT,
    Column,
    columns_of_row,
    kinds_of,
)

# In the order of docs/bucket.md: the first that fits.
COPY_STATUSES = (
    NOT_COUNTED,
    AGREES,
    COUNTER_ABOVE,
    BUCKET_ABOVE,
    STANDS_STILL,
    GONE,
) = (
    "not_counted",
    "agrees",
    "counter_above_bucket",
    "bucket_above_counter",
    "copy_stands_still",
    "objects_gone",
)


@dataclass(frozen=True)
class CopiedDay:
    """What was copied on a day, by the vendor's clock, as the last look has it."""

    operation_id: Annotated[str, Column(TEXT, "The operation's name in the settings")]
    upload_date: Annotated[date, Column(DATE, "The day of the copy in the vendor's time zone")]
    objects: Annotated[int, Column(COUNT, "Audios that were copied on the day, and are there")]
    bytes: Annotated[int, Column(COUNT, "What these take")]
    audio_minutes: Annotated[
        Decimal | None, Column(AMOUNT, "How long they last; NULL where their sizes do not tell")
    ]
    empty_objects: Annotated[int, Column(COUNT, "Of the audios those without a byte")]
    gone_objects: Annotated[int, Column(COUNT, "Audios that were seen, and are there no more")]
    unread_objects: Annotated[
        int, Column(COUNT, "Files that may be copies, by sound or by name, and are not counted")
    ]
    chat_objects: Annotated[int, Column(COUNT, "Chats that were copied on the day")]
    other_objects: Annotated[int, Column(COUNT, "Whatever else lies in the operation's folders")]


@dataclass(frozen=True)
class CopiedPeriod:
    """The three-way match of a billing period: received, counted by the vendor, billed."""

    operation_id: Annotated[str, Column(TEXT, "The operation's name in the settings")]
    operation_name: Annotated[str | None, Column(TEXT, "The name as the vendor writes it")]
    report: Annotated[str, Column(TEXT, "The vendor's report: rsync_s3_mp3")]
    billing_period_start: Annotated[date, Column(DATE, "The period's first day")]
    billing_period_end: Annotated[date, Column(DATE, "The day after its last one")]
    counted_quantity: Annotated[
        Decimal | None, Column(AMOUNT, "Audios in the bucket that were copied in the period")
    ]
    measured_quantity: Annotated[
        Decimal | None, Column(AMOUNT, "The vendor's own count; NULL where it is not known")
    ]
    billed_quantity: Annotated[
        Decimal | None, Column(AMOUNT, "How much was billed; NULL where no line states a quantity")
    ]
    measured_variance: Annotated[
        Decimal | None, Column(AMOUNT, "measured_quantity less counted_quantity")
    ]
    billed_variance: Annotated[
        Decimal | None, Column(AMOUNT, "billed_quantity less counted_quantity")
    ]
    late_quantity: Annotated[
        Decimal | None, Column(AMOUNT, "Audios of calls of the period that were copied after it")
    ]
    gone_quantity: Annotated[
        Decimal | None, Column(AMOUNT, "Audios copied in it that were seen, and are there no more")
    ]
    missing_quantity: Annotated[
        Decimal | None,
        Column(AMOUNT, "Copies that the vendor counts and nothing explains; else 0"),
    ]
    missing_days: Annotated[
        int | None,
        Column(COUNT, "Days with calls of which nothing was copied by the end of the next day"),
    ]
    copy_status: Annotated[
        str,
        Column(
            TEXT,
            "The first that fits: not_counted, agrees, counter_above_bucket, bucket_above_counter, "
            "copy_stands_still, objects_gone",
        ),
    ]
    explanation: Annotated[str, Column(TEXT, "The same in a sentence, by the setting language")]


COPIED_DAY_COLUMNS = columns_of_row(CopiedDay)
COPIED_PERIOD_COLUMNS = columns_of_row(CopiedPeriod)
COPIED_DAYS_KINDS = kinds_of(COPIED_DAY_COLUMNS)
COPIED_PERIODS_KINDS = kinds_of(COPIED_PERIOD_COLUMNS)
COPIED_COMMENTS = {
    name: column.says
    for columns in (COPIED_DAY_COLUMNS, COPIED_PERIOD_COLUMNS)
    for name, column in columns.items()
}
