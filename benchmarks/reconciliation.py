"""How well `reconcile` tells honest invoices from wrong ones: a simulation with a known truth.

    python benchmarks/reconciliation.py [months]

Each month has its own use (steady, by day, or in a nightly batch), is polled at random, with gaps
of minutes to days, and billed: half of the invoices are honest, the others are wrong by a random
share. Honest is to the unit what was used up to the last second, whether somebody read it or not.
"""

from __future__ import annotations

import random
import sys
import time
from collections import Counter
from datetime import date, datetime, timedelta, timezone
from decimal import Decimal
from zoneinfo import ZoneInfo

from wolkvox_billing.invoices.period import Period
from wolkvox_billing.reconciliation.contract.line_map import MapRow
from wolkvox_billing.reconciliation.contract.rate_card import FOREVER, Rate
from wolkvox_billing.reconciliation.facts import BilledLine, Facts, MonthUse
from wolkvox_billing.reconciliation.keys import compare
from wolkvox_billing.reconciliation.policy import Policy
from wolkvox_billing.reconciliation.unread import Unread, tail_of
from wolkvox_billing.reconciliation.verdicts import judge

OCTOBER = Period(date(2026, 10, 1), date(2026, 11, 1))
SECONDS = 31 * 86_400
MAP = [MapRow(2, "", "", "", "rsync_s3_mp3", "", "", "quantity")]
RATES = [Rate(2, "rsync_s3_mp3", "", "", Decimal(), Decimal(100), "COP", date(2026, 1, 1), FOREVER)]


def truth(rng: random.Random) -> list[int]:
    """What the counter shows at the end of each of the month's 8,928 pieces of 5 minutes."""
    kind, scale = rng.choice(["steady", "office", "nightly"]), rng.randint(5, 2000)
    shown, total = [], 0
    for piece in range(SECONDS // 300):
        day, minute = divmod(piece * 5, 1440)
        if kind == "nightly":
            total += rng.randint(scale // 2, scale) if minute == 180 and day % 7 != 6 else 0
        elif kind == "steady" or (480 <= minute < 1080 and day % 7 < 5):
            total += rng.random() < scale / 288 and rng.randint(1, 2 * max(scale // 288, 1))
        shown.append(total)
    return shown


def polls(rng: random.Random, shown: list[int]) -> list[tuple[int, Decimal]]:
    """Readings at a pause of 5 minutes to a day, with gaps, the last of them before the end."""
    pause = rng.choice([1, 3, 12, 72, 288])
    read, piece = [], rng.randint(0, pause)
    while piece < len(shown):
        read.append((piece * 300 + 299, Decimal(shown[piece])))
        gap = rng.random() < 0.02
        piece += pause + (rng.randint(1, 6 * 288) if gap else 0)
    return read


def verdict(read: list[tuple[int, Decimal]], billed: int) -> tuple[str, Decimal | None]:
    """The status of an invoice over so much, and what the unread time can hold at most."""
    last = datetime(2026, 10, 1, tzinfo=timezone.utc) + timedelta(seconds=read[-1][0])
    use = MonthUse("acme", "rsync_s3_mp3", "X", OCTOBER, "month_to_date", read[-1][1], read[-1][1],
                   "audios", last, None)  # fmt: skip
    line = BilledLine("d", 1, "F-1", False, "900", None, "audios", None, Decimal(billed),
                      Decimal(billed * 100), "COP", OCTOBER)  # fmt: skip
    policy = Policy()
    today = date(2026, 12, 31)
    facts = Facts(
        now=datetime(2026, 12, 31, tzinfo=timezone.utc),
        today={"acme": today},
        default_today=today,
        operations={"acme": "ACME"},
        months=[use],
        days={},
        lines=[line],
        answered={},
        unread_of=lambda *_: Unread(tail_of(read, 0, SECONDS, policy.tail_factor)),
        zone_of=lambda _: ZoneInfo("UTC"),
    )
    [one] = judge(facts, compare(facts, MAP, None), RATES, policy)
    return one.status, one.unread.missing.quantity if one.unread else None


def main() -> None:
    months = int(sys.argv[1]) if len(sys.argv) > 1 else 2000
    rng = random.Random(6)  # noqa: S311  # the same months each time, and nobody's secret
    honest: Counter[str] = Counter()
    beyond: Counter[str] = Counter()
    within: Counter[str] = Counter()
    began = time.perf_counter()
    for n in range(months):
        shown = truth(rng)
        read = polls(rng, shown)
        if not read:
            continue
        if n % 2:
            status, _ = verdict(read, shown[-1])
            honest[status] += 1
            continue
        error = max(1, round(shown[-1] * rng.choice([0.001, 0.01, 0.05, 0.2]) * rng.random()))
        status, tail = verdict(read, shown[-1] + error)
        hidden = tail is not None and shown[-1] + error - read[-1][1] <= tail
        (within if hidden else beyond)[status] += 1
    for what, counted in (
        ("honest invoices", honest),
        ("too much, and more than the unread time can hold", beyond),
        ("too much, and no more than that", within),
    ):
        print(f"{what}: {sum(counted.values())}")
        for status, count in counted.most_common():
            print(f"    {status:28} {count:6}")
    false = honest["overbilled_quantity"]
    print(f"false alarms: {false} of {sum(honest.values())} honest months")
    print(f"found: {beyond['overbilled_quantity']} of {sum(beyond.values())} that can be told")
    print(f"{months} months in {time.perf_counter() - began:.1f} s")


if __name__ == "__main__":
    main()
