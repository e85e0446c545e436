"""The Facts of a comparison, out of the marts and the tables of invoices."""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Iterable
from dataclasses import replace
from datetime import date, datetime, timezone
from decimal import Decimal
from functools import lru_cache, partial
from typing import Any
from zoneinfo import ZoneInfo

from dlt.destinations.sql_client import SqlClientBase

from wolkvox_billing.invoices.period import DAY, Period
from wolkvox_billing.reconciliation.contract.names import listed
from wolkvox_billing.reconciliation.facts import BilledLine, DayUse, Facts, MonthUse, Product
from wolkvox_billing.reconciliation.policy import Policy
from wolkvox_billing.reconciliation.tax import Taxed, doubt
from wolkvox_billing.reconciliation.unread import (
    Day,
    Point,
    Unread,
    added,
    unread_of_counter,
    unread_of_days,
    unread_of_gauge,
)
from wolkvox_billing.values.clock import day_start
from wolkvox_billing.vendor.answer import ANSWERS
from wolkvox_billing.warehouse.sql import among, literal, rows_of, tables_in


def read_facts(client: SqlClientBase[Any], raw: str, marts: str, policy: Policy) -> Facts:
    """The Facts, as of the marts' clock. Invoices that are tests, and those of other suppliers than
    `supplier_ids` names, are not in them."""

    rows = partial(rows_of, client)

    [(epoch, default, gauge_month)] = rows(
        f"SELECT as_of_epoch, timezone, gauge_month FROM {marts}.refreshed"
    )
    now = datetime.fromtimestamp(epoch, timezone.utc)
    zones = dict(rows(f"SELECT operation_id, timezone FROM {marts}.operations"))
    # From the polls themselves: the mart `poll_coverage` knows it too, and takes seconds for ten
    # million of them, since it looks for gaps. A load asks each time.
    asked = rows(f"SELECT DISTINCT operation_id FROM {raw}.polls")
    operations: dict[str, str | None] = dict.fromkeys(operation_id for (operation_id,) in asked)
    operations |= rows(
        f"SELECT operation_id, operation_name FROM {marts}.usage_monthly "
        "GROUP BY operation_id, operation_name ORDER BY MAX(last_read_at), operation_name"
    )  # so that the name that the vendor gave last stays
    months = _merged(
        MonthUse(o, r, p, Period(start, end), measure, quantity, last, unit, read_at, hours)
        for o, r, p, start, end, measure, quantity, last, unit, read_at, hours in rows(
            "SELECT operation_id, report, product, billing_period_start, billing_period_end, "
            "measure, consumed_quantity, last_quantity, consumed_unit, last_read_at, "
            f"hours_unread_at_end FROM {marts}.usage_monthly "
            "ORDER BY operation_id, report, product, billing_period_start, operation_name"
        )
    )
    days: defaultdict[Product, dict[date, DayUse]] = defaultdict(dict)
    for operation_id, report, product, day, covers, quantity in rows(
        "SELECT operation_id, report, product, usage_date, days_covered, consumed_quantity "
        f"FROM {marts}.usage_daily WHERE consumed_quantity IS NOT NULL "
        "ORDER BY usage_date, operation_name"
    ):
        listed, one = days[operation_id, report, product], DayUse(day, covers, quantity)
        if other := listed.get(day):  # the same product under another name of the operation
            one = DayUse(day, max(covers, other.covers), quantity + other.quantity)
        listed[day] = one
    answered: defaultdict[tuple[str, str], set[date]] = defaultdict(set)
    for operation_id, report, day in rows(
        f"SELECT DISTINCT operation_id, report, poll_date FROM {raw}.polls "
        f"WHERE {among('outcome', ANSWERS)}"
    ):
        answered[operation_id, report].add(day)

    @lru_cache
    def zone(operation_id: str | None) -> ZoneInfo:
        return ZoneInfo(zones.get(operation_id or "") or default)

    @lru_cache
    def readings_of(use: MonthUse) -> dict[str, list[tuple[date, Point]]]:
        """What was read in a month, for each name of its operation: of which day, when and what. A
        day that was read after it was over stands at its end."""
        found: defaultdict[str, list[tuple[date, Point]]] = defaultdict(list)
        for name, day, read_epoch, quantity in rows(
            f"SELECT operation_name, usage_date, read_epoch, quantity FROM {marts}.stg_readings "
            f"WHERE operation_id = {literal(use.operation_id)} AND report = {literal(use.report)} "
            f"AND product = {literal(use.product)} AND usage_date >= {literal(use.period.start)} "
            f"AND usage_date < {literal(use.period.end)} ORDER BY read_epoch, poll_id"
        ):
            at = min(read_epoch, day_start(day + DAY, zone(use.operation_id)))
            found[name].append((day, (at, quantity)))
        return {name: sorted(one, key=lambda of: of[1][0]) for name, one in found.items()}

    def unread(use: MonthUse, period: Period) -> Unread:
        where = zone(use.operation_id)
        if use.measure == "month_to_date":
            month = day_start(use.period.start, where), day_start(use.period.end, where)
            start, end = (day_start(day, where) for day in period)
            return added(
                [
                    unread_of_counter([p for _, p in one], month, start, end, policy.tail_factor)
                    for one in readings_of(use).values()
                ]
            )
        parts: list[Unread] = []
        for read in readings_of(use).values():
            by_day: defaultdict[date, list[Point]] = defaultdict(list)
            for day, point in read:
                by_day[day].append(point)
            listed = [
                Day(day_start(day, where), day_start(day + DAY, where), tuple(by_day[day]))
                for day in _days_of(period)
            ]
            parts.append(
                unread_of_gauge(listed, gauge_month)
                if use.is_gauge
                else unread_of_days(listed, policy.tail_factor)
            )
        return added(parts)

    warnings: list[str] = []
    doubts: dict[str, str] = {}
    has_invoices = "invoice_lines" in tables_in(client, raw)
    return Facts(
        now=now,
        today={one: now.astimezone(zone(one)).date() for one in operations},
        default_today=now.astimezone(ZoneInfo(default)).date(),
        operations=operations,
        months=months,
        days={product: list(listed.values()) for product, listed in days.items()},
        lines=_lines(rows, raw, policy, warnings, doubts) if has_invoices else [],
        answered=dict(answered),
        unread_of=unread,
        zone_of=zone,
        gauge_month=gauge_month,
        warnings=warnings,
        doubts=doubts,
    )


def _merged(uses: Iterable[MonthUse]) -> list[MonthUse]:
    """One for each operation, report, product and month: several names of one operation that come
    in the same answer are added up. What they mean together is not known if they differ in it."""
    found: dict[tuple[Any, ...], MonthUse] = {}
    for one in uses:
        key = one.operation_id, one.report, one.product, one.period
        if other := found.get(key):
            known = other.quantity is not None and one.quantity is not None
            known = known and other.measure == one.measure
            hours = [use.hours_unread for use in (other, one) if use.hours_unread is not None]
            one = replace(
                one,
                measure=one.measure if known else None,
                quantity=_sum(other.quantity, one.quantity) if known else None,
                last_quantity=other.last_quantity + one.last_quantity,
                last_read_at=max(other.last_read_at, one.last_read_at),
                hours_unread=max(hours, default=None),
            )
        found[key] = one
    return list(found.values())


def _sum(*quantities: Decimal | None) -> Decimal:
    return sum((one for one in quantities if one is not None), Decimal())


def _days_of(period: Period) -> list[date]:
    return [period.start + n * DAY for n in range((period.end - period.start).days)]


def _lines(
    rows: Any, raw: str, policy: Policy, warnings: list[str], doubts: dict[str, str]
) -> list[BilledLine]:
    every = rows(
        "SELECT document_id, supplier_id, document_kind, document_number, period_start, "
        "period_end, period_source, corrects_number, billing_currency, tax_amount, is_test "
        f"FROM {raw}.invoice_documents"
    )
    warnings += _unknown_suppliers({str(one[1] or "none") for one in every}, policy)
    documents = {
        one[0]: one[:-1]
        for one in every
        if one[-1] is False and (not policy.supplier_ids or one[1] in policy.supplier_ids)
    }
    numbers = Counter(one[1:4] for one in documents.values() if one[3])
    periods = {
        (one[1], _bare(one[3])): Period(one[4], one[5])
        for one in documents.values()
        if one[2] == "invoice" and one[3] and one[4]
    }
    for _, supplier, kind, number, _, _, source, corrects, *_ in documents.values():
        if kind != "invoice" and source in ("rule", None):
            known = (supplier, _bare(corrects)) in periods
            if not known:
                warnings.append(
                    f"{kind.replace('_', ' ')} {number}: names no period, and corrects "
                    f"{corrects or 'nothing that it names'}, which is not loaded: its month is by "
                    "the setting `period_rule`"
                )
    found: list[BilledLine] = []
    taxed: defaultdict[str, list[Taxed]] = defaultdict(list)
    for line in rows(
        "SELECT document_id, line_number, operation, description, item_code, quantity, net_amount, "
        f"billing_currency, period_start, period_end, tax_amount FROM {raw}.invoice_lines "
        "ORDER BY document_id, line_number"
    ):
        if line[0] not in documents:
            continue
        taxed[line[0]].append(Taxed(line[1], line[6], line[10]))
        _, supplier, kind, number, start, end, source, corrects, currency, _ = documents[line[0]]
        period = Period(start, end) if start else None
        # A note that names no period of its own is for that of the document that it corrects.
        if kind != "invoice" and source in ("rule", None):
            period = periods.get((supplier, _bare(corrects)), period)
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
    for document_id, lines in taxed.items():
        _, _, kind, number, *_, tax = documents[document_id]
        if said := doubt(tax, lines):
            doubts[document_id] = f"{kind.replace('_', ' ')} {number or 'without a number'}: {said}"
    return found


def _unknown_suppliers(names: set[str], policy: Policy) -> list[str]:
    """A warning where `supplier_ids` names one of whom no document is, though there are some."""
    return [
        f"the setting `supplier_ids` under [reconciliation] has {one}, and no document is of that "
        f"supplier; there is {listed(names)}"
        for one in policy.supplier_ids
        if names and one not in names
    ]


def _bare(number: str | None) -> str:
    """A document's number without what people write between its parts: F-1 is F1."""
    return "".join(filter(str.isalnum, number or "")).casefold()
