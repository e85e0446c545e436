"""How much days' own numbers may be raised once they are over, by hand-written readings."""

from __future__ import annotations

from decimal import Decimal

import pytest

from wolkvox_billing.reconciliation.restated import Raises, raises_of
from wolkvox_billing.reconciliation.unread import Point

HOUR = 3600


def day(*readings: tuple[float, int]) -> list[Point]:
    """A day's readings as (hours since it was over, quantity)."""
    return [Point(int(age * HOUR), Decimal(quantity)) for age, quantity in readings]


@pytest.mark.parametrize(
    "readings",
    [
        [(9, 20)],  # once, on the morning after
        [(23.5, 20)],  # once, a day later
        [(-0.2, 20)],  # before it was over
        [(-0.02, 20), (0.02, 20)],  # around its end
        [(-11, 8), (13, 20)],  # yesterday's and today's, once a day
        [(0.1, 20), (5, 20)],  # in its night
    ],
)
def test_days_at_which_nobody_looked_again(readings: list[tuple[float, int]]) -> None:
    """A quarter of an hour of 20 on each of 31 days: 620 / 96 is 7 at most."""
    assert raises_of([day(*readings)] * 31) == Raises(Decimal(0), Decimal(7))


@pytest.mark.parametrize(
    "readings",
    [
        [(24 * 8, 20)],  # a week later
        [(0.1, 20), (6.2, 20)],  # hours apart
        [(-0.1, 19), (0.5, 20), (23, 20)],  # yesterday's, by the hour
    ],
)
def test_days_that_were_read_again_without_a_change(readings: list[tuple[float, int]]) -> None:
    assert raises_of([day(*readings)] * 31) == Raises()


def test_what_others_grew_may_be_added() -> None:
    """Three were read again and grew by 2, 3 and 1: a day that was read no later may by 3. Two of
    them are too few to show it, and then it is the more of both."""
    raised = [day((1, 20), (9, 20 + more)) for more in (2, 3, 1)]
    once = [day((2, 20))] * 10
    assert raises_of(once, raised) == Raises(Decimal(30))
    assert raises_of(once, raised[:2]) == Raises(Decimal(0), Decimal(30))
    flat = [day((1, 20), (9, 20))] * 2
    assert raises_of(once, flat) == Raises(Decimal(0), Decimal(3))  # 200 / 96


def test_the_rest_of_a_day_is_told_from_what_is_raised_when_it_is_over() -> None:
    """Others went from 12 at noon to 20 in the evening, and to 21 on the next day: of a day that
    was read at noon 9 may be missing, of which 8 are its afternoon; of one in the evening 1."""
    others = [day((-12, 12), (0.1, 20), (12, 21))] * 3
    assert raises_of([day((-12, 12))], others) == Raises(rest=Decimal(9))
    assert raises_of([day((0.2, 20))], others) == Raises(Decimal(1))


def test_days_that_were_read_later_than_others_show_nothing_of_them() -> None:
    """What was read from the ninth hour on does not tell what came before it."""
    later = [day((9, 22), (20, 22))] * 5
    assert raises_of([day((0.1, 20))] * 31, later) == Raises(Decimal(0), Decimal(7))


def test_no_day_is_lowered() -> None:
    """Others fell by 5 after hours: nothing is added to what was read."""
    fallen = [day((1, 20), (9, 15))] * 3
    assert raises_of([day((1, 20))] * 2, fallen) == Raises()
