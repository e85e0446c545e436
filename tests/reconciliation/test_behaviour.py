"""How a counter or level behaved, by hand-written readings: falls, the turn, stillness, nights."""

from __future__ import annotations

from decimal import Decimal
from typing import Any

from wolkvox_billing.reconciliation.behaviour import (
    DAY,
    HOUR,
    Span,
    behaviour_of,
    is_night_copy,
    widen,
    without_slips,
)
from wolkvox_billing.reconciliation.policy import Policy
from wolkvox_billing.reconciliation.unread import Behind, Point, Tail, Unread

END = 30 * DAY  # of a month that begins at 0


def points(*readings: tuple[float, int]) -> list[Point]:
    """Readings as (hours since the month began, quantity)."""
    return [Point(int(hours * HOUR), Decimal(quantity)) for hours, quantity in readings]


def at_night(days: int, a_night: int, first_hour: int = 3) -> list[Point]:
    """A counter that a job raises each night, read every hour."""
    return points(
        *[
            (hour, a_night * (hour // 24 + (hour % 24 >= first_hour)))
            for hour in range(1, 24 * days)
        ]
    )


def test_a_restart_takes_away_what_stood_there() -> None:
    """600 before it restarts on the 15th, 400 after: 600 may be missing, and 4 of the hour in which
    nobody read, by twice the 560 in 312 hours before."""
    read = points((24, 40), (14 * 24, 600), (14 * 24 + 1, 0), (29 * 24, 400))
    behaviour = behaviour_of(read, [], 0, END)
    assert (behaviour.missing, behaviour.largest_fall) == (604, 600)


def test_a_recomputation_takes_away_what_the_peak_had_more() -> None:
    """970 after a peak of 1,000: 30 may be missing; once it has grown over it, none."""
    fallen = points((24, 40), (29 * 24, 1000), (29 * 24 + 1, 970))
    assert behaviour_of(fallen, [], 0, END).missing == 30
    grown = [*fallen, *points((29 * 24 + 20, 1010))]
    assert behaviour_of(grown, [], 0, END).missing == 0


def test_a_fall_on_the_first_day_is_a_turn_that_is_late() -> None:
    """What the month before had counted stands there until 03:00."""
    read = points((1, 7000), (3, 0), (29 * 24, 400))
    assert behaviour_of(read, [], 0, END).missing == 0


def test_a_fall_to_nothing_within_hours_of_the_turn_is_the_turn() -> None:
    """Before the month's end by a clock that is fast, behind it by one that is slow; and a fall by
    a half is none. Of the slow one 10 more were counted by 721 h, and the first four hours of the
    month can hold 81: twice 6,960 in 695.5 hours."""
    early = points((24, 40), (719.5, 7000), (719.9, 1))
    assert behaviour_of(early, [], 0, END).at_turn == (7000, 7000)
    late = points((24, 40), (719.5, 7000)), points((721, 7010), (724, 2))
    assert behaviour_of(*late, 0, END).at_turn == (7010, 10 + 81)
    half = points((24, 40), (719.5, 7000), (719.9, 3500))
    assert behaviour_of(half, [], 0, END).at_turn is None


def test_a_counter_that_moves_seldom_may_be_behind_since_before_its_last_change() -> None:
    """It changes each 12 hours, last seen at 24 hours before the end: unread since the reading
    before, an hour earlier."""
    read = points(*[(hour, hour // 12) for hour in range(1, 720)])
    behaviour = behaviour_of(read, [], 0, END)
    assert behaviour.still_seconds == 13 * HOUR  # its last change was seen 12 hours before the end


def test_a_counter_that_stands_still_longer_than_ever_may_be_behind() -> None:
    """It moved each hour, and not in the last 36."""
    read = points(*[(hour, min(hour, 684)) for hour in range(1, 720)])
    assert behaviour_of(read, [], 0, END).still_seconds == 37 * HOUR
    live = points(*[(hour, hour) for hour in range(1, 720)])
    assert behaviour_of(live, [], 0, END).still_seconds == 0


def test_what_is_shown_for_a_moment_is_a_slip() -> None:
    """Nothing at one reading, and far more at another one: neither is a fall. A restart does not
    come back so soon; and what is shown for three hours is no slip."""
    hours = [(hour / 2, 5 * hour) for hour in range(1, 400)]
    read = points(*hours)
    shows = dict(hours)
    slips = points(*[*shows.items()][:100], (50.25, 0), (50.3, 9000), *[*shows.items()][100:])
    assert without_slips(slips) == read
    behaviour = behaviour_of(without_slips(slips), [], 0, END)
    assert (behaviour.missing, behaviour.largest_fall) == (0, 0)
    restarted = points(*hours[:100], *[(hour, 10 * (hour - 50)) for hour in range(51, 100)])
    assert without_slips(restarted) == restarted
    long = points(*hours[:100], (50.25, 0), (53.5, 0), *hours[108:])
    assert without_slips(long) == long


def test_a_days_own_number_falls_at_midnights_by_summer_time_too() -> None:
    """Ten days of 23 units; from the sixth on midnight is an hour later, as when clocks go back. No
    fall is one, but that of 5 units in the evening of the last day."""
    moved = [(day * 24 + hour + (day > 5), hour) for day in range(10) for hour in range(1, 24)]
    behaviour = behaviour_of(points(*moved, (241, 18)), [], 0, END, is_daily=True)
    assert (behaviour.missing, behaviour.largest_fall) == (0, 0)
    assert behaviour.falls_each_midnight
    corrected = points(*moved[:-1], (238, 23), (238.5, 18))
    behaviour = behaviour_of(corrected, [], 0, END, is_daily=True)
    assert (behaviour.missing, behaviour.largest_fall) == (5, 5)


def test_the_levels_of_a_month() -> None:
    """10 for 10 days, 40 for an hour, 20 until the end: highest 40, last 20, first 10; by time
    10 x 240 h + 40 + 20 x 479 h = 12,020 of 720 h."""
    levels = behaviour_of(points((0, 10), (240, 40), (241, 20)), [], 0, END).levels
    assert levels[:4] == (40, 20, 10, Decimal("16.6944"))
    # a row that nobody sent again is nothing after a day: 240 + 40 + 480 of 720 hours
    assert levels.pro_rata == Decimal("1.0556")


def test_a_nightly_copy_shows_itself() -> None:
    """Ten nights, read by the hour; a counter that grows all day is none, and three readings do not
    tell."""
    assert is_night_copy(at_night(10, 50), 0) is True
    assert is_night_copy(points(*[(hour, hour) for hour in range(1, 240)]), 0) is False
    assert is_night_copy(points((12, 5), (100, 50), (200, 100)), 0) is None


def test_the_nights_of_the_turn() -> None:
    """50 a night: the first night of this month, and of the next one, which was read at noon."""
    read = at_night(30, 50)
    following = [Point(END + 12 * HOUR, Decimal(70))]
    nights = behaviour_of(read, following, 0, END).nights
    assert nights
    assert nights.first == Span(Decimal(50), Decimal(50))
    assert nights.following == Span(Decimal(70), Decimal(70))
    assert (nights.most, nights.missed, nights.are_shown) == (70, 0, True)


def test_nights_that_nobody_read() -> None:
    """By its name alone: three readings of 10, 490 in 14 nights and 500 in 16. One night holds 105
    at most, three of the average; the first night was read at noon."""
    read = points((12, 10), (14 * 24 + 12, 500), (29 * 24 + 23.8, 1000))
    nights = behaviour_of(read, [], 0, END, is_nightly=True).nights
    assert nights
    assert (nights.most, nights.first) == (105, Span(Decimal(10), Decimal(10)))
    assert nights.following == Span(Decimal(0), Decimal(105))
    assert (nights.missed, nights.are_shown) == (0, False)


def test_a_number_that_falls_each_midnight_is_a_days_own() -> None:
    """It rises within ten days and is nothing at each midnight; a level that is nothing at night
    does not fall there."""
    daily = points(*[(day * 24 + hour, hour) for day in range(10) for hour in range(1, 24)])
    assert behaviour_of(daily, [], 0, END).falls_each_midnight
    licences = points(
        *[(day * 24 + hour, 40 * (8 <= hour < 18)) for day in range(10) for hour in range(24)]
    )
    assert not behaviour_of(licences, [], 0, END).falls_each_midnight


def test_a_known_lag_is_unread_time() -> None:
    """10 an hour, read until the end: with a lag of 3 hours 60 may be missing by twice the rate;
    without one nothing."""
    read = points(*[(hour, 10 * hour) for hour in range(1, 721)])
    unread = Unread(Tail(Decimal(), 0, "busiest"))
    behaviour = behaviour_of(read, [], 0, END)
    for hours, missing in ((0, 0), (3, 60)):
        policy = Policy(vendor_lag_hours=Decimal(hours))
        assert widen(unread, read, behaviour, 0, END, policy).missing.quantity == missing


def test_what_more_than_unread_time_counts_as_unread() -> None:
    """Read until ten minutes before the end. It changes each 12 hours; stands still from the 684th
    hour on; or is counted by the hour, where it is read twice an hour; lags by the setting; or is
    filled at night. One that moves at each reading is not behind."""
    hours = [hour / 2 for hour in range(2, 1440)] + [720 - 1 / 6]
    seldom = points(*[(hour, int(hour) // 12) for hour in hours])
    still = points(*[(hour, int(min(hour, 684) * 2)) for hour in hours])
    hourly = points(*[(hour, int(hour)) for hour in hours])
    live = points(*[(hour, int(hour * 6)) for hour in hours])
    night = [*at_night(30, 50), *points((720 - 1 / 6, 1500))]
    assert behind(seldom) == ("seldom", 600, 708 * HOUR, 12 * HOUR)
    assert behind(still) == ("still", 600, 684 * HOUR, 0)
    assert behind(hourly) == ("step", 600, 719 * HOUR, HOUR)
    assert behind(live) is None
    assert behind(live, vendor_lag_hours=Decimal(3)) == ("lag", 600, END - 600, 3 * HOUR)
    assert behind(night) == ("night", 600, 29 * DAY + 3 * HOUR, 0)


def test_an_outage_of_the_last_days_counts_as_unread() -> None:
    """100 an hour, but for six of the last day, in which it stands still."""
    hours = [(hour, 100 * (hour if hour <= 700 else max(hour - 6, 700))) for hour in range(1, 721)]
    because = behind(points(*hours))
    assert because
    assert because[:2] == ("outage", 0)


def behind(read: list[Point], **policy: Any) -> Behind | None:
    unread = Unread(Tail(Decimal(), 600, "busiest"))
    behaviour = behaviour_of(read, [], 0, END)
    return widen(unread, read, behaviour, 0, END, Policy(**policy)).behind
