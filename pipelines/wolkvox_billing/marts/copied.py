"""The rows of `bucket_daily` and `copy_reconciliation`: nothing else knows their columns."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date
from decimal import Decimal
from typing import Annotated

from wolkvox_billing.marts.reconciled import Column, columns_of_row

# In the order of docs/bucket.md: the first that fits.
COPY_STATUSES = NOT_COUNTED, AGREES, COUNTER_ABOVE, BUCKET_ABOVE, STANDS_STILL, GONE = (
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

    operation_id: Annotated[str, Column("The operation's name in the settings")]
    upload_date: Annotated[date, Column("The day of the copy in the vendor's time zone")]
    objects: Annotated[int, Column("Audios that were copied on the day, and are there")]
    bytes: Annotated[int, Column("What these take")]
    audio_minutes: Annotated[
        Decimal | None, Column("How long they last; NULL where their sizes do not tell")
    ]
    empty_objects: Annotated[int, Column("Of the audios those without a byte")]
    gone_objects: Annotated[int, Column("Audios that were seen, and are there no more")]
    unread_objects: Annotated[
        int, Column("Files that may be copies, by sound or by name, and are not counted")
    ]
    chat_objects: Annotated[int, Column("Chats that were copied on the day")]
    other_objects: Annotated[int, Column("Whatever else lies in the operation's folders")]


@dataclass(frozen=True)
class CopiedPeriod:
    """The three-way match of a billing period: received, counted by the vendor, billed."""

    operation_id: Annotated[str, Column("The operation's name in the settings")]
    operation_name: Annotated[str | None, Column("The name as the vendor writes it")]
    report: Annotated[str, Column("The vendor's report: rsync_s3_mp3")]
    billing_period_start: Annotated[date, Column("The period's first day")]
    billing_period_end: Annotated[date, Column("The day after its last one")]
    counted_quantity: Annotated[
        Decimal | None, Column("Audios in the bucket that were copied in the period")
    ]
    measured_quantity: Annotated[
        Decimal | None, Column("The vendor's own count; NULL where it is not known")
    ]
    billed_quantity: Annotated[
        Decimal | None, Column("How much was billed; NULL where no line states a quantity")
    ]
    measured_variance: Annotated[Decimal | None, Column("measured_quantity less counted_quantity")]
    billed_variance: Annotated[Decimal | None, Column("billed_quantity less counted_quantity")]
    late_quantity: Annotated[
        Decimal | None, Column("Audios of calls of the period that were copied after it")
    ]
    gone_quantity: Annotated[
        Decimal | None, Column("Audios copied in it that were seen, and are there no more")
    ]
    missing_quantity: Annotated[
        Decimal | None, Column("Copies that the vendor counts and nothing explains; else 0")
    ]
    missing_days: Annotated[
        int | None, Column("Days with calls of which nothing was copied by the end of the next day")
    ]
    copy_status: Annotated[
        str,
        Column(
            "The first that fits: not_counted, agrees, counter_above_bucket, bucket_above_counter, "
            "copy_stands_still, objects_gone"
        ),
    ]
    explanation: Annotated[str, Column("The same in a sentence, by the setting language")]


COPIED_DAY_COLUMNS = columns_of_row(CopiedDay)
COPIED_PERIOD_COLUMNS = columns_of_row(CopiedPeriod)
