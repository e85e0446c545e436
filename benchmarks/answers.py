"""Answers of an honest vendor: the rows in which it shows a Counter when it is asked.

A Face makes of a counter what is answered at a moment. All of them show the same use; what differs
is how it is written, and into which rows it is divided.
"""

from __future__ import annotations

import random
from collections.abc import Callable
from datetime import date
from typing import Any

from counters import DAY, HOUR, MINUTE, NIGHT, Counter, date_of, fixed, month_of

Row = dict[str, Any]  # as JSON has it: texts, or a number
Responder = Callable[[int], list[Row]]
Face = Callable[[Counter, random.Random], Responder]

PRODUCT = "CONSUMO"


def row(items: object, day: date, product: str = PRODUCT) -> Row:
    return {"operation": "ACME", "description": product, "items": items, "date": day.isoformat()}


def plain(counter: Counter, rng: random.Random) -> Responder:
    """One row, dated today."""
    return lambda at: [row(counter.text(counter.shows(at)), date_of(counter.dated(at)))]


def written(text: Callable[[int], object]) -> Face:
    """One row, with the number written so."""
    return lambda counter, rng: lambda at: [row(text(counter.shows(at)), date_of(at))]


def dotted(number: int) -> str:
    """With dots between thousands: 8.369.000."""
    return f"{number:,}".replace(",", ".")


def unread_part(share: float) -> Face:
    """Now and then a number with a word behind it, which cannot be read."""

    def face(counter: Counter, rng: random.Random) -> Responder:
        def answer(at: int) -> list[Row]:
            number = str(counter.shows(at))
            return [row(f"{number} uds" if rng.random() < share else number, date_of(at))]

        return answer

    return face


def unread_since(day: int) -> Face:
    """From one day of each month on, a number that cannot be read."""

    def face(counter: Counter, rng: random.Random) -> Responder:
        def answer(at: int) -> list[Row]:
            number, is_late = str(counter.shows(at)), at >= month_of(at).start + (day - 1) * DAY
            return [row(f"{number} uds" if is_late else number, date_of(at))]

        return answer

    return face


def separator_changed(counter: Counter, rng: random.Random) -> Responder:
    """Thousands have a comma before them, and from the 15th on a dot: 7.369 is read as seven."""

    def answer(at: int) -> list[Row]:
        number, is_late = f"{counter.shows(at):,}", at >= month_of(at).start + 14 * DAY
        return [row(number.replace(",", ".") if is_late else number, date_of(at))]

    return answer


def total_row(counter: Counter, rng: random.Random) -> Responder:
    """A single row, which is named TOTAL."""
    return lambda at: [row(str(counter.shows(at)), date_of(at), "TOTAL")]


def two_products(first: str, second: str, unread: Callable[[int], str] = str) -> Face:
    """Two rows; the second one's number is written in a way of its own."""

    def face(counter: Counter, rng: random.Random) -> Responder:
        def answer(at: int) -> list[Row]:
            number, day = counter.shows(at), date_of(at)
            part = number * 6 // 10
            return [row(str(part), day, first), row(unread(number - part), day, second)]

        return answer

    return face


def respelled(*names: str) -> Face:
    """The product's name comes in several spellings, in turn or at random."""

    def face(counter: Counter, rng: random.Random) -> Responder:
        return lambda at: [row(counter.text(counter.shows(at)), date_of(at), rng.choice(names))]

    return face


def _middle(rng: random.Random) -> Callable[[int], bool]:
    """Whether a moment is in the second part of its month."""
    when = fixed(rng, lambda r, month: month.start + r.randrange(10, 21) * DAY + 9 * HOUR)
    return lambda at: at >= when(month_of(at))


def renamed(counter: Counter, rng: random.Random) -> Responder:
    """The product has another name from the middle of the last judged month on."""
    when = month_of(300 * DAY).start + rng.randrange(10, 21) * DAY + 9 * HOUR  # in October

    def answer(at: int) -> list[Row]:
        name = "Grabaciones en la nube" if at >= when else "RSYNC S3 MP3"
        return [row(counter.text(counter.shows(at)), date_of(at), name)]

    return answer


def divided(counter: Counter, rng: random.Random) -> Responder:
    """One sum, and from the middle of the last judged month on its parts by queue."""
    when = month_of(300 * DAY).start + rng.randrange(10, 21) * DAY + 9 * HOUR
    parts = two_products("Cola ventas", "Cola soporte")(counter, rng)
    return lambda at: parts(at) if at >= when else plain(counter, rng)(at)


def with_sum(name: str) -> Face:
    """Two rows, and one that is their sum and has a name of its own."""

    def face(counter: Counter, rng: random.Random) -> Responder:
        parts = two_products("Cola ventas", "Cola soporte")(counter, rng)
        return lambda at: [*parts(at), row(str(counter.shows(at)), date_of(at), name)]

    return face


def with_percent(counter: Counter, rng: random.Random) -> Responder:
    """One row, and one that says how much of the plan is used."""

    def answer(at: int) -> list[Row]:
        share = f"{min(at - month_of(at).start, 31 * DAY) * 81 // (31 * DAY)}%"
        return [row(str(counter.shows(at)), date_of(at)), row(share, date_of(at), "Uso del plan")]

    return answer


def repeated(counter: Counter, rng: random.Random) -> Responder:
    """Two rows with one name, which add up to the whole."""
    return two_products(PRODUCT, PRODUCT)(counter, rng)


def vanishing(counter: Counter, rng: random.Random) -> Responder:
    """From one day of each month on there is no row."""
    is_late = _middle(rng)
    return lambda at: [] if is_late(at) else plain(counter, rng)(at)


# Answers that list days.


def listed(counter: Counter, rng: random.Random) -> Responder:
    """Each day of the month so far, with its own number."""

    def answer(at: int) -> list[Row]:
        days = range(month_of(at).start, at + 1, DAY)
        return [row(str(counter.shows(min(at, day + DAY - 1))), date_of(day)) for day in days]

    return answer


def listed_late(counter: Counter, rng: random.Random) -> Responder:
    """The same, with a day 1 % short until 03:00 of the next one: at the turn that is not seen."""

    def answer(at: int) -> list[Row]:
        rows = []
        for day in range(month_of(at).start, at + 1, DAY):
            number = counter.shows(min(at, day + DAY - 1))
            is_settled = at >= day + DAY + NIGHT
            rows.append(row(str(number if is_settled else number * 99 // 100), date_of(day)))
        return rows

    return answer


def yesterday(counter: Counter, rng: random.Random) -> Responder:
    """Yesterday alone, with its whole number, its last second's too."""

    def answer(at: int) -> list[Row]:
        end = at // DAY * DAY
        return [row(str(counter.bills(end - DAY, end)), date_of(at - DAY))]

    return answer


def two_days(counter: Counter, rng: random.Random) -> Responder:
    """Yesterday and today, each with what it showed at its end, or shows now."""

    def answer(at: int) -> list[Row]:
        before = at // DAY * DAY - MINUTE
        return [
            row(str(counter.shows(before)), date_of(before)),
            row(str(counter.shows(at)), date_of(at)),
        ]

    return answer
