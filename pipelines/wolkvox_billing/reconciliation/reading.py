"""The Facts of a comparison, out of the marts and the tables of invoices."""

from __future__ import annotations

from collections import Counter, defaultdict
from datetime import date, datetime, timezone
from decimal import Decimal
from functools import lru_cache
from typing import Any
from zoneinfo import ZoneInfo

from dlt.destinations.sql_client import SqlClientBase

from wolkvox_billing.invoices.period import Period
from wolkvox_billing.marts.sql import literal
from wolkvox_billing.reconciliation.facts import BilledLine, DayUse, Facts, MonthUse, Product
from wolkvox_billing.reconciliation.policy import Policy
from wolkvox_billing.reconciliation.tail import Tail, tail_of

DAY = 86_400


def read_facts(client: SqlClientBase[Any], raw: str, marts: str, policy: Policy) -> Facts:
    """The Facts, as of the marts' clock. Invoices that are tests, and those of other suppliers than
    `supplier_ids` names, are not in them."""

    def rows(query: str) -> list[tuple[Any, ...]]:
        return [tuple(row) for row in client.execute_sql(query) or ()]

    [(epoch, default)] = rows(f"SELECT as_of_epoch, timezone FROM {marts}.refreshed")
    now = datetime.fromtimestamp(epoch, timezone.utc)
    zones = dict(rows(f"SELECT operation_id, timezone FROM {marts}.operations"))
    operations: dict[str, str | None] = {}
    for operation_id, name in rows(
        f"SELECT DISTINCT operation_id, operation_name FROM {marts}.poll_coverage"
    ):
        operations[operation_id] = name or operations.get(operation_id)
    months = [
        MonthUse(o, r, p, Period(start, end), measure, quantity, last, unit, read_at, hours)
        for o, r, p, start, end, measure, quantity, last, unit, read_at, hours in rows(
            "SELECT operation_id, report, product, billing_period_start, billing_period_end, "
            "measure, consumed_quantity, last_quantity, consumed_unit, last_read_at, "
            f"hours_unread_at_end FROM {marts}.usage_monthly "
            "ORDER BY operation_id, report, product, billing_period_start"
        )
    ]
    days: defaultdict[Product, list[DayUse]] = defaultdict(list)
    for operation_id, report, product, day, covers, quantity in rows(
        "SELECT operation_id, report, product, usage_date, days_covered, consumed_quantity "
        f"FROM {marts}.usage_daily WHERE consumed_quantity IS NOT NULL ORDER BY usage_date"
    ):
        days[operation_id, report, product].append(DayUse(day, covers, quantity))
    answered: defaultdict[tuple[str, str], set[date]] = defaultdict(set)
    for operation_id, report, day in rows(
        f"SELECT operation_id, report, poll_date FROM {marts}.poll_coverage "
        "WHERE polls_answered > 0"
    ):
        answered[operation_id, report].add(day)

    @lru_cache
    def zone(operation_id: str) -> ZoneInfo:
        return ZoneInfo(zones.get(operation_id) or default)

    def tail(use: MonthUse, period: Period) -> Tail | None:
        """Of a counter that is read to the month's end, by its readings; of days, by the days."""
        if use.measure == "daily":
            return _tail_of_days(use, period, days, answered, policy)
        if use.measure != "month_to_date" or period.end != use.period.end:
            return None
        read = rows(
            f"SELECT read_epoch, quantity FROM {marts}.stg_readings "
            f"WHERE operation_id = {literal(use.operation_id)} AND report = {literal(use.report)} "
            f"AND product = {literal(use.product)} AND usage_date >= {literal(use.period.start)} "
            f"AND usage_date < {literal(use.period.end)} ORDER BY read_epoch, poll_id"
        )
        start, end = (_epoch(day, zone(use.operation_id)) for day in use.period)
        return tail_of(read, start, end, policy.tail_factor)

    return Facts(
        now=now,
        today={one: now.astimezone(zone(one)).date() for one in operations},
        default_today=now.astimezone(ZoneInfo(default)).date(),
        operations=operations,
        months=months,
        days=dict(days),
        lines=_lines(rows, raw, policy),
        answered=dict(answered),
        tail_of=tail,
    )


def _epoch(day: date, zone: ZoneInfo) -> int:
    return int(datetime(day.year, day.month, day.day, tzinfo=zone).timestamp())


def _tail_of_days(
    use: MonthUse,
    period: Period,
    days: dict[Product, list[DayUse]],
    answered: dict[tuple[str, str], set[date]],
    policy: Policy,
) -> Tail:
    """Each day that was not read to its end can hold as much as the busiest one."""
    read = [
        one
        for one in days.get((use.operation_id, use.report, use.product), [])
        if period.start <= one.day < period.end
    ]
    busiest = max((one.quantity for one in read), default=Decimal())
    unread = (period.end - period.start).days - len({one.day for one in read})
    unread += 1  # the last day that was read may have gone on
    return Tail(busiest * unread * policy.tail_factor, unread * DAY, "busiest")


def _lines(rows: Any, raw: str, policy: Policy) -> list[BilledLine]:
    there = rows(
        "SELECT table_name FROM information_schema.tables "
        f"WHERE table_schema = {literal(raw)} AND table_name = 'invoice_lines'"
    )
    if not there:
        return []
    documents = {
        one[0]: one
        for one in rows(
            "SELECT document_id, supplier_id, document_kind, document_number, period_start, "
            "period_end, period_source, corrects_number, billing_currency "
            f"FROM {raw}.invoice_documents WHERE NOT is_test"
        )
        if not policy.supplier_ids or one[1] in policy.supplier_ids
    }
    numbers = Counter(one[1:4] for one in documents.values() if one[3])
    periods = {
        (one[1], one[3]): Period(one[4], one[5])
        for one in documents.values()
        if one[2] == "invoice" and one[3] and one[4]
    }
    found: list[BilledLine] = []
    for line in rows(
        "SELECT document_id, line_number, operation, description, item_code, quantity, net_amount, "
        f"billing_currency, period_start, period_end FROM {raw}.invoice_lines "
        "ORDER BY document_id, line_number"
    ):
        if line[0] not in documents:
            continue
        _, supplier, kind, number, start, end, source, corrects, currency = documents[line[0]]
        period = Period(start, end) if start else None
        # A note that names no period of its own is for that of the document that it corrects.
        if kind != "invoice" and source in ("rule", None):
            period = periods.get((supplier, corrects), period)
        sign = -1 if kind == "credit_note" else 1
        found.append(
            BilledLine(
                document_id=line[0],
                line_number=line[1],
                document_number=number,
                is_duplicate=numbers[supplier, kind, number] > 1,
                supplier_id=supplier,
                operation=line[2],
                description=line[3],
                item_code=line[4],
                quantity=None if line[5] is None else sign * line[5],
                amount=sign * (line[6] or Decimal()),
                currency=line[7] or currency,
                period=Period(line[8], line[9]) if line[8] else period,
            )
        )
    return found
