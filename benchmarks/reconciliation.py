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

from wolkvox_billing.reconciliation.contract.line_map import MapRow
from wolkvox_billing.reconciliation.contract.rate import FOREVER, Rate
from wolkvox_billing.reconciliation.facts import BilledLine, Facts, MonthUse
from wolkvox_billing.reconciliation.judging import judge
from wolkvox_billing.reconciliation.keys import compare
from wolkvox_billing.reconciliation.observed import Observed
from wolkvox_billing.reconciliation.policy import Policy
from wolkvox_billing.reconciliation.rules import Rules
from wolkvox_billing.reconciliation.unread import Point, unread_of_counter
from wolkvox_billing.values.periods import Period

OCTOBER = Period(date(2026, 10, 1), date(2026, 11, 1))
SECONDS = 31 * 86_400
MAP = [MapRow(2, "", "", "", "rsync_s3_mp3", "", "", "quantity")]
RATES = [Rate(2, "rsync_s3_mp3", "", "", Decimal(), Decimal(100), "COP", date(2026, 1, 1), FOREVER)]


def truth(rng: random.Random) -> list[int]:
    """What the counter shows at the end of each of the month's 8,928 pieces of 5 minutes."""
    kind, scale = rng.choice(["steady", "office", "nightly"]), rng.randint(5, 2000)
    counts, total = [], 0
    for piece in range(SECONDS // 300):
        day, minute = divmod(piece * 5, 1440)
        if kind == "nightly":
            total += rng.randint(scale // 2, scale) if minute == 180 and day % 7 != 6 else 0
        elif kind == "steady" or (480 <= minute < 1080 and day % 7 < 5):
            total += rng.random() < scale / 288 and rng.randint(1, 2 * max(scale // 288, 1))
        counts.append(total)
    return counts


def polls(rng: random.Random, counts: list[int]) -> list[Point]:
    """Readings at a pause of 5 minutes to a day, with gaps, the last of them before the end."""
    pause = rng.choice([1, 3, 12, 72, 288])
    read, piece = [], rng.randint(0, pause)
    while piece < len(counts):
        read.append(Point(piece * 300 + 299, Decimal(counts[piece])))
        gap = rng.random() < 0.02
        piece += pause + (rng.randint(1, 6 * 288) if gap else 0)
    return read


def verdict(read: list[Point], billed: int) -> tuple[str, Decimal | None]:
    """The status of an invoice over so much, and what the unread time can hold at most."""
    at, quantity = read[-1]
    last = datetime(2026, 10, 1, tzinfo=timezone.utc) + timedelta(seconds=at)
    use = MonthUse("acme", "rsync_s3_mp3", "X", OCTOBER, "month_to_date", quantity, quantity,
                   "audios", last, None)  # fmt: skip
    line = BilledLine("d", 1, "F-1", False, "900", None, "audios", None, Decimal(billed),
                      Decimal(billed * 100), "COP", OCTOBER)  # fmt: skip
    policy = Policy()
    facts = Facts(
        now=datetime(2026, 12, 31, tzinfo=timezone.utc),
        operations={"acme": "ACME"},
        months=[use],
        days={},
        lines=[line],
        answered={},
        default_zone=ZoneInfo("UTC"),
    )
    unread = unread_of_counter(read, 0, 0, SECONDS, policy.tail_factor)
    observed = Observed({(use, OCTOBER): unread}, {})
    [judged] = judge(facts, compare(facts, MAP, None), observed, Rules(policy, RATES))
    return judged.status, judged.unread.missing.quantity if judged.unread else None


def main() -> None:
    months = int(sys.argv[1]) if len(sys.argv) > 1 else 2000
    rng = random.Random(6)  # noqa: S311  # the same months each time, and nobody's secret
    honest: Counter[str] = Counter()
    beyond: Counter[str] = Counter()
    within: Counter[str] = Counter()
    began = time.perf_counter()
    for n in range(months):
        counts = truth(rng)
        read = polls(rng, counts)
        used = counts[-1]
        if not read:
            continue
        if n % 2:
            status, _ = verdict(read, used)
            honest[status] += 1
            continue
        error = max(1, round(used * rng.choice([0.001, 0.01, 0.05, 0.2]) * rng.random()))
        status, tail = verdict(read, used + error)
        hidden = tail is not None and used + error - read[-1].quantity <= tail
        (within if hidden else beyond)[status] += 1
    for kind, counted in (
        ("honest invoices", honest),
        ("too much, and more than the unread time can hold", beyond),
        ("too much, and no more than that", within),
    ):
        print(f"{kind}: {sum(counted.values())}")
        for status, count in counted.most_common():
            print(f"    {status:28} {count:6}")
    false = honest["overbilled_quantity"]
    print(f"false alarms: {false} of {sum(honest.values())} honest months")
    print(f"found: {beyond['overbilled_quantity']} of {sum(beyond.values())} that can be told")
    print(f"{months} months in {time.perf_counter() - began:.1f} s")


if __name__ == "__main__":
    main()
