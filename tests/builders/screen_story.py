"""What the notebook's tests look at: three months of two operations, as a controller finds them.

September is paid and closed, in two currencies; October's documents are to be questioned and
claimed; November has begun. August has what somebody wrote who means no good.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from datetime import datetime, timezone
from typing import Any

from builders.documents import line, period, ubl
from builders.months import CARD, MAP, bill, judged, local
from builders.project import Project
from builders.record import REPORT, Call, write_polls
from wolkvox_billing.closing import close
from wolkvox_billing.reconciliation.policy import Policy
from wolkvox_billing.verbs.publish import publish

NOW = datetime(2026, 11, 4, 17, tzinfo=timezone.utc)  # a Wednesday, 12:00 in Bogotá
MARKUP = (
    "<script>alert(1)</script> **x** <img src='http://evil.example/x' onerror=alert(2)> $y$ "
    "'); DROP TABLE readings; -- \u202ex\x1b[31m"
)
PRINTED = MARKUP.replace("\u202e", "\\u202e").replace("\x1b", "\\x1b")  # what does not print
LINE_MAP = (
    f"{MAP},,*ventas*,{REPORT},acme,,quantity\n"
    f",,*soporte*,{REPORT},beta,,quantity\n"
    ",,*plataforma*,,acme,,fee\n"
)
RATE_CARD = (
    f"{CARD}{REPORT},acme,,0,100,COP,2026-01-01,\n"
    f"{REPORT},beta,,0,0.025,USD,2026-01-01,2026-10-01\n"
    f"{REPORT},beta,,0,100,COP,2026-10-01,\n"
)
# What each operation's counter shows at the month's end, and the days on which nobody asked it.
COUNTERS = {
    8: {"acme": (900, ()), "beta": (400, ())},
    9: {"acme": (11_300, ()), "beta": (3_000, ())},
    10: {"acme": (12_400, (12, 13, 14)), "beta": (3_100, (20,))},
    11: {"acme": (1_240, ()), "beta": (310, ())},
}
NAMES = {"acme": "Ventas Norte", "beta": "Soporte"}


def tell_story(project: Project) -> None:
    """Live through it."""
    write_polls(project, *_calls(), measures={REPORT: "month_to_date"})
    bill(
        project,
        _invoice("F-91", "acme", 9, "11300", "1130000.00"),
        _invoice("F-92", "beta", 9, "3000", "75.00", "USD"),
        _invoice("F-101", "acme", 10, "13400", "1340000.00", fee="350000.00"),
        _invoice("F-102", "beta", 10, "3100", "310000.00"),
    )
    judged(project, LINE_MAP, RATE_CARD, at=NOW)
    close("2026-09", by="Ana Torres", policy=Policy(), clock=lambda: NOW,
          destination=project.destination)  # fmt: skip
    if project.destination == "duckdb":
        publish(project.folder / "snapshot.duckdb", clock=lambda: NOW)


def _calls() -> Iterator[Call]:
    """Return a call a day and operation, ten minutes before midnight."""
    calls: list[Call] = []
    for month, counters in COUNTERS.items():
        for operation, (total, unread) in counters.items():
            days = 3 if month == 11 else 30 if month == 9 else 31
            product = MARKUP if (month, operation) == (8, "acme") else "AUDIOS COPIADOS"
            for day in range(1, days + 1):
                if day in unread:
                    continue
                row = {"operation": NAMES[operation], "description": product,
                       "items": str(total * day // days),
                       "date": f"2026-{month:02}-{day:02}"}  # fmt: skip
                calls.append(Call(local(day, 23, 50, month), [row], operation=operation))
    return iter(sorted(calls, key=lambda call: call.at))


_LINES: dict[str, str] = {"acme": "Consumo Ventas Norte", "beta": "Consumo Soporte"}


def _invoice(
    number: str,
    operation: str,
    month: int,
    quantity: str,
    net: str,
    currency: str = "COP",
    fee: str = "",
) -> str:
    own: dict[str, Any] = {"price": None, "tax": None, "currency": currency}
    lines: Sequence[str] = [line(quantity, net, description=_LINES[operation], **own)]
    total = net
    if fee:
        lines = [*lines, line("1", fee, number="2", description="Cargo plataforma", **own)]
        total = f"{float(net) + float(fee):.2f}"
    last = 30 if month == 9 else 31
    return ubl(
        *lines,
        number=number,
        uuid=f"{number:a<96}",
        issued=f"2026-{month + 1:02}-03",
        net=total,
        tax=None,
        currency=currency,
        periods=period(f"2026-{month:02}-01", f"2026-{month:02}-{last}"),
    )
