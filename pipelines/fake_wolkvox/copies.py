"""The nightly copy: recordings without a sound, in a folder that stands for a bucket."""

import os
from collections.abc import Collection, Iterator
from datetime import date, datetime, timedelta, timezone
from pathlib import Path
from zoneinfo import ZoneInfo

from . import world
from .world import NIGHTLY_COPY_HOUR, Operation

REPORT = "rsync_s3_mp3"
_NO_SOUND = b"\xff\xfb"  # how an MP3 begins


def copy(
    operation: Operation,
    month: str,
    folder: Path,
    zone: ZoneInfo,
    *,
    failed: Collection[int] = (),
    kept_back: int = 0,
) -> int:
    """Write what the nights of a month copy, as many as the counter shows, a folder for each day's
    calls; return how many. failed: days of the month whose night did not work, and was made good
    the night after. kept_back: so many are counted, and not copied."""
    left = kept_back
    copied = 0
    for night in _nights(month):
        number = _audios(operation, night)
        held = min(left, number)
        left -= held
        delay = timedelta(days=1 if night.day in failed else 0)
        at = datetime(night.year, night.month, night.day, NIGHTLY_COPY_HOUR, tzinfo=zone) + delay
        day = night - timedelta(days=1)  # of the calls
        own = folder / day.isoformat()
        own.mkdir(parents=True, exist_ok=True)
        names = [f"{own}/{_name(operation, day.isoformat(), n)}" for n in range(number - held)]
        for file in names[:1]:
            Path(file).write_bytes(_NO_SOUND)
            os.utime(file, (at.timestamp(), at.timestamp()))
        for file in names[1:]:  # one content and one time: fifty thousand files would take long
            os.link(names[0], file)
        copied += len(names)
    return copied


def _nights(month: str) -> Iterator[date]:
    day = date.fromisoformat(f"{month}-01")
    while f"{day:%Y-%m}" == month:
        yield day
        day += timedelta(days=1)


def _audios(operation: Operation, night: date) -> int:
    """Return how many the counter has more in the morning than before the night."""
    [product] = world.products(REPORT)

    def shown_on(day: date) -> int:
        noon = datetime(day.year, day.month, day.day, 12, tzinfo=timezone.utc)
        return world.amount(operation.name, REPORT, product, noon)

    return shown_on(night) - (shown_on(night - timedelta(days=1)) if night.day > 1 else 0)


def _name(operation: Operation, day: str, number: int) -> str:
    """Return a name as the vendor's help centre has it; the phone number is nobody's."""
    at = f"{day}-{8 + number % 12:02}-{number % 60:02}-{number // 60 % 60:02}"
    return (
        f"customer.{operation.server}.agent.{number % 30}.date.{at}.cod.1.cod2.2."
        f"tel.300555{number % 10000:04}.id.{number}.mp3"
    )
