"""The mart `invoice_reconciliation`: filled with verdicts that add up to all there is."""

from __future__ import annotations

import hashlib
import json
from collections import defaultdict
from collections.abc import Sequence
from dataclasses import astuple, replace
from datetime import datetime
from decimal import Decimal
from functools import partial
from pathlib import Path
from typing import Any, NamedTuple
from zoneinfo import ZoneInfo

import dlt
from dlt.destinations.sql_client import SqlClientBase

from wolkvox_billing.errors import SettingsError, WolkvoxError
from wolkvox_billing.invoices.period import Period
from wolkvox_billing.invoices.tables import INVOICE_TABLES
from wolkvox_billing.marts.reconciled import ReconciledRow
from wolkvox_billing.marts.refresh import alone, refresh
from wolkvox_billing.reconciliation.collect import read_facts
from wolkvox_billing.reconciliation.contract import rate_card
from wolkvox_billing.reconciliation.contract.line_map import read_line_map, warnings_of
from wolkvox_billing.reconciliation.contract.rate_card import FOREVER, read_rate_card
from wolkvox_billing.reconciliation.facts import Facts
from wolkvox_billing.reconciliation.keys import Comparison, compare
from wolkvox_billing.reconciliation.month import of_month
from wolkvox_billing.reconciliation.policy import Policy
from wolkvox_billing.reconciliation.verdicts import Verdict, judge
from wolkvox_billing.reconciliation.words import explanation
from wolkvox_billing.values.clock import epoch
from wolkvox_billing.vendor.reports import REPORTS
from wolkvox_billing.warehouse.sql import REFRESHED, engine_of, insert, literal, rows_of, tables_in

_PATHS = ("line_map", "rate_card")  # of a policy: where its files are


class Filled(NamedTuple):
    """The mart's rows of a month, or of all; what they come to, see `tie_out`; and warnings."""

    rows: list[ReconciledRow]
    totals: dict[str, Any]
    warnings: list[str]


class DoesNotTieOut(WolkvoxError):
    """The verdicts do not add up to what was measured and billed: nothing of them is shown."""


def refill(pipeline: dlt.Pipeline, policy: Policy, *, anew: bool) -> None:
    """Fills the mart, as of the marts' clock; if not `anew`, only where its `_inputs` are others,
    since on a long record that takes as long as ten polls. Raises SettingsError, DoesNotTieOut."""
    if anew or not _is_filled(pipeline, policy):
        fill(pipeline, policy)


def _is_filled(pipeline: dlt.Pipeline, policy: Policy) -> bool:
    with pipeline.sql_client() as client:
        marts = f"{pipeline.dataset_name}_marts"
        found = rows_of(client, f"SELECT inputs_digest FROM {marts}.reconciled_by")
        return found == [(_inputs(client, pipeline.dataset_name, policy),)]


def _inputs(client: SqlClientBase[Any], raw: str, policy: Policy) -> str:
    """A digest of what verdicts are made of: the rules, the vendor's days, the operations, the
    invoices, and what was read of months that are over, or read again. What is read in the running
    month changes its verdicts once a day."""

    rows = partial(rows_of, client)

    [(epoch, default, *digests)] = rows(
        f"SELECT as_of_epoch, timezone, views_digest, inputs_digest FROM {raw}_marts.refreshed"
    )
    zones = rows(f"SELECT operation_id, timezone FROM {raw}_marts.operations ORDER BY 1")
    days = [
        datetime.fromtimestamp(epoch, ZoneInfo(zone)).date()
        for zone in sorted({default, *(zone for _, zone in zones)})
    ]
    there = tables_in(client, raw)
    loaded = [
        rows(f"SELECT COUNT(*), MAX(_dlt_load_id) FROM {raw}.{table}")
        for table in sorted(INVOICE_TABLES.keys() & there)
    ]
    before = literal(max(days).replace(day=1))
    used = [
        rows(f"SELECT COUNT(*), MAX(read_at) FROM {raw}.{report} WHERE date < {before}")
        for report in sorted(REPORTS.keys() & there)
    ]
    parts = (policy.as_json(), digests, zones, days, loaded, used)
    return hashlib.sha256("\n".join(map(str, parts)).encode()).hexdigest()


def policy_digest(policy: Policy) -> str:
    """Return what tells whether another machine compares by the same rules, line map and rate card,
    wherever it has the two files."""
    rules = {name: value for name, value in policy.as_json().items() if name not in _PATHS}
    return hashlib.sha256(json.dumps(rules, sort_keys=True, default=str).encode()).hexdigest()


def fill_anew(
    pipeline: dlt.Pipeline, policy: Policy, now: datetime, month: Period | None = None
) -> Filled:
    """As `fill`, as of `now`. Raises SettingsError where the destination has no marts."""
    if (name := engine_of(pipeline)) not in REFRESHED:
        raise SettingsError(f"verdicts are made on {' and '.join(REFRESHED)}, not on {name}")
    refresh(pipeline, None, now)
    return fill(pipeline, policy, month)


def fill(pipeline: dlt.Pipeline, policy: Policy, month: Period | None = None) -> Filled:
    """Fills the mart `invoice_reconciliation`; its rows, the totals and warnings, of a month or of
    all. Raises SettingsError, DoesNotTieOut, and WolkvoxError for a number too large to store."""
    raw, marts = pipeline.dataset_name, f"{pipeline.dataset_name}_marts"
    with pipeline.sql_client() as client:
        inputs = _inputs(client, raw, policy)  # first: what comes meanwhile makes the next one fill
        line_map = read_line_map(Path(policy.line_map), REPORTS)
        rates = read_rate_card(Path(policy.rate_card), REPORTS)
        facts = read_facts(client, raw, marts, policy)
        comparison = compare(facts, line_map, _supplier(facts, policy))
        verdicts = judge(facts, comparison, rates, policy)
        totals = tie_out(facts, comparison, verdicts, month)
        rows = [_storable(_row(verdict, facts, policy)) for verdict in verdicts]
        tables: dict[str, list[tuple[Any, ...]]] = {
            "line_map": [tuple(vars(one).values()) for one in line_map],
            "rate_card": [
                (*list(vars(one).values())[:-1], None if one.valid_to == FOREVER else one.valid_to)
                for one in rates
            ],
            "reconciled": [astuple(row) for row in rows],
            "reconciled_by": [(inputs, policy_digest(policy))],
        }
        with client.begin_transaction():
            alone(pipeline, client)
            for table, filled in tables.items():
                client.execute_sql(f"DELETE FROM {marts}.{table} WHERE TRUE")
                for statement in insert(f"{marts}.{table}", filled):
                    client.execute_sql(statement)
            moment = f"verdicts_epoch = {epoch(facts.now)}"
            client.execute_sql(f"UPDATE {marts}.refreshed SET {moment} WHERE TRUE")
    lines = [(one.supplier_id, one.item_code, one.description) for one in facts.lines]
    known = (facts.operations, facts.months)
    warnings = warnings_of(line_map, lines, Path(policy.line_map).name, *known)
    warnings += rate_card.warnings_of(rates, Path(policy.rate_card).name, *known)
    warnings += [*facts.warnings, *_without_a_month(facts), *_doubts(facts, month)]
    return Filled(of_month(month, rows) if month else rows, totals, warnings)


def tie_out(
    facts: Facts,
    comparison: Comparison,
    verdicts: Sequence[Verdict],
    month: Period | None = None,
) -> dict[str, Any]:
    """What each status comes to, by currency and unit, of a month or of all; all verdicts are
    checked against all that was billed and measured. Raises DoesNotTieOut."""
    all_billed = sum((one.billed_cost for one in verdicts), Decimal())
    all_billed += sum((line.amount for _, line in comparison.left_out), Decimal())
    lines = sum((line.amount for line in facts.lines), Decimal())
    if all_billed != lines:
        raise DoesNotTieOut(f"the verdicts bill {all_billed:f}, the lines {lines:f}: {_DEFECT}")
    counted = sum((one.measured.counted for one in verdicts if one.measured), Decimal())
    there = sum((use.quantity or Decimal() for use in facts.months if not use.is_gauge), Decimal())
    if counted != there:
        raise DoesNotTieOut(f"the verdicts count {counted:f}, the months {there:f}: {_DEFECT}")

    def is_in(period: Period | None) -> bool:
        return month is None or (period is not None and period.overlaps(month))

    billed: defaultdict[tuple[str, str], Decimal] = defaultdict(Decimal)
    measured: defaultdict[tuple[str, str], Decimal] = defaultdict(Decimal)
    left_out: defaultdict[tuple[str, str | None], Decimal] = defaultdict(Decimal)
    for one in verdicts:
        if is_in(one.key.period):
            billed[one.status, one.key.currency or ""] += one.billed_cost
            if found := one.measured:
                is_gauge = any(use.is_gauge for use in found.uses)
                counted = (found.quantity or Decimal()) if is_gauge else found.counted
                measured[one.status, found.uses[0].unit] += counted
    for role, line in comparison.left_out:
        if is_in(line.period):
            left_out[role, line.currency] += line.amount
    return {
        "billed_cost": [
            {"reconciliation_status": status, "billing_currency": currency, "billed_cost": amount}
            for (status, currency), amount in sorted(billed.items())
            if amount
        ],
        "consumed_quantity": [
            {"reconciliation_status": status, "consumed_unit": unit, "consumed_quantity": quantity}
            for (status, unit), quantity in sorted(measured.items())
        ],
        "left_out": [
            {"role": role, "billing_currency": currency, "billed_cost": amount}
            for (role, currency), amount in left_out.items()
        ],
        "billed_lines": sum([*billed.values(), *left_out.values()], Decimal()),
    }


_DEFECT = "a defect of this program; please report it, with the line map and the rate card"


def _storable(row: ReconciledRow) -> ReconciledRow:
    """Return a row without costs that DECIMAL(18, 4) does not hold, since one absurd reading must
    not stop all verdicts. Raises WolkvoxError for an amount or quantity that was billed."""
    large = {
        name: value
        for name, value in vars(row).items()
        if isinstance(value, Decimal) and abs(value) >= _TOO_LARGE
    }
    for name, value in large.items():
        if name.startswith("billed_"):
            what = row.product or row.report or "what no row of the line map fits"
            raise WolkvoxError(
                f"{name} of {row.operation_id or 'no operation'}, {what}, period from "
                f"{row.billing_period_start}, is {value:,f}: expected less than "
                f"{_TOO_LARGE:,}; look for a wrong number in the invoices"
            )
    nothing: dict[str, Any] = dict.fromkeys(large)
    return replace(row, **nothing)


_TOO_LARGE = 10**14


def _without_a_month(facts: Facts) -> list[str]:
    """A warning where lines name no period: no month shows them."""
    amounts: defaultdict[str, Decimal] = defaultdict(Decimal)
    lines = [line for line in facts.lines if not line.period]
    for line in lines:
        amounts[line.currency or "no currency"] += line.amount
    told = ", ".join(f"{amount:,.2f} {currency}" for currency, amount in sorted(amounts.items()))
    if not lines:
        return []
    return [f"{len(lines)} invoice lines over {told} name no period: they are in no month"]


def _doubts(facts: Facts, month: Period | None) -> list[str]:
    """The warnings of the taxes of documents that are for the month, or of all."""
    ids = dict.fromkeys(
        line.document_id
        for line in facts.lines
        if month is None or (line.period and line.period.overlaps(month))
    )
    return [facts.doubts[one] for one in ids if one in facts.doubts]


def _row(one: Verdict, facts: Facts, policy: Policy) -> ReconciledRow:
    key, uses = one.key, one.measured.uses if one.measured else []
    hours = [
        use.hours_unread
        for use in uses
        if use.hours_unread is not None and key.period and use.period.end == key.period.end
    ]
    return ReconciledRow(
        supplier_id=key.supplier_id,
        operation_id=key.operation_id,
        operation_name=facts.operations.get(key.operation_id or ""),
        report=key.report,
        product=key.product,
        billing_period_start=key.period.start if key.period else None,
        billing_period_end=key.period.end if key.period else None,
        billing_currency=key.currency,
        consumed_quantity=one.consumed,
        billed_quantity=one.billed_quantity,
        quantity_variance=one.quantity_variance,
        contracted_unit_price=one.priced.unit_price,
        contracted_cost=one.contracted_cost,
        billed_cost=one.billed_cost,
        cost_variance=one.cost_variance,
        volume_effect=one.volume_effect,
        price_effect=one.price_effect,
        invoice_ids=",".join(sorted({line.document_id for line in one.lines})) or None,
        hours_unread_at_end=max(hours, default=None),
        reconciliation_status=one.status,
        is_material=one.is_material,
        explanation=explanation(one, facts, policy.language),
    )


def _supplier(facts: Facts, policy: Policy) -> str | None:
    """Whose key use gets that nobody billed: the only supplier that there is."""
    known: set[str | None] = {line.supplier_id for line in facts.lines}
    known = set(policy.supplier_ids) or known
    return known.pop() if len(known) == 1 else None
