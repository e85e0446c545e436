"""Papers settled without a warehouse: read from files, and held against use that is written down.

What a warehouse adds to it other tests of settlement have; this costs milliseconds a month.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import date, datetime, timezone
from decimal import Decimal
from pathlib import Path
from typing import Any

from builders.facts import known, unseen_everywhere, use
from builders.months import OCTOBER_PERIOD, ONE_LINE, ONE_PRICE
from wolkvox_billing.invoices import Rejected, read_invoices
from wolkvox_billing.invoices.tables import document_rows, line_rows
from wolkvox_billing.marts.reconciled import ReconciledRow
from wolkvox_billing.reconciliation.allowances import place_allowances
from wolkvox_billing.reconciliation.billed_documents import (
    BilledDocument,
    StatedDocument,
    StatedLine,
)
from wolkvox_billing.reconciliation.billed_lines import bill_lines, share_out_lines
from wolkvox_billing.reconciliation.case import Case, Oddities
from wolkvox_billing.reconciliation.contract.exchange_rates import read_exchange_rates
from wolkvox_billing.reconciliation.contract.line_map import read_line_map
from wolkvox_billing.reconciliation.contract.rate_card import read_rate_card
from wolkvox_billing.reconciliation.copied_verdicts import CopiedVerdicts
from wolkvox_billing.reconciliation.counting import find_standings
from wolkvox_billing.reconciliation.doubts import judge_again
from wolkvox_billing.reconciliation.facts import DayUse, Facts, Meter, MonthUse
from wolkvox_billing.reconciliation.judging import judge
from wolkvox_billing.reconciliation.keys import Comparison, compare
from wolkvox_billing.reconciliation.mart import row_of
from wolkvox_billing.reconciliation.policy import Policy
from wolkvox_billing.reconciliation.rules import Rules
from wolkvox_billing.reconciliation.settlement import Settled, settle
from wolkvox_billing.reconciliation.totals import tie_out
from wolkvox_billing.reconciliation.unread import Tail, Unread
from wolkvox_billing.reconciliation.verdicts import ACCUSING, Verdict
from wolkvox_billing.vendor.reports import REPORTS

READ_ALL = Unread(Tail(Decimal(), 0, "busiest"))
NOW = datetime(2027, 1, 31, tzinfo=timezone.utc)
# Where the columns of a row have other names than the fields of what is billed by it.
_FIELDS = {"supplier_id": "supplier_id", "document_kind": "kind", "document_number": "number",
           "billing_currency": "currency", "tax_amount": "tax", "issue_date": "issued",
           "net_amount": "net", "payable_amount": "payable", "allowance_amount": "allowance",
           "charge_amount": "charge", "rounding_amount": "rounding", "prepaid_amount": "prepaid",
           "withheld_amount": "withheld", "due_date": "due", "document_uuid": "uuid"}  # fmt: skip
_FIELDS_OF_LINES = {"net_amount": "amount", "billing_currency": "currency", "tax_amount": "tax"}


@dataclass(frozen=True)
class Used:
    """What was measured: acme's use of each month, and its days where a price turns within one."""

    months: Sequence[MonthUse] = (use(OCTOBER_PERIOD, 1000),)
    days: Mapping[Meter, list[DayUse]] = field(default_factory=dict)

    @classmethod
    def of_days(cls, quantities: Mapping[date, int]) -> Used:
        """October's use by its days, each of which was read."""
        days = [DayUse(day, 1, Decimal(quantity)) for day, quantity in quantities.items()]
        month = use(OCTOBER_PERIOD, sum(quantities.values()))
        return cls((month,), {month.meter: days})


@dataclass(frozen=True)
class Paid:
    """What became of papers: each document settled, by its number, and the verdicts' rows."""

    settled: list[Settled]
    rows: list[ReconciledRow]

    def __getitem__(self, number: str) -> Settled:
        [own] = [each for each in self.settled if each.document.document_number == number]
        return own


def settle_papers(
    folder: Path,
    *papers: str,
    used: Used = Used(),
    line_map: str = ONE_LINE,
    rate_card: str = ONE_PRICE,
    exchange_rates: str | None = None,
    **policy: str,
) -> Paid:
    """Return what is to be paid of these documents, late enough for each to be due."""
    settings = Policy(**policy)
    for name, text in (("map.csv", line_map), ("card.csv", rate_card)):
        (folder / name).write_text(text)
    rates = read_rate_card(folder / "card.csv", REPORTS)
    fx_file = folder / "exchange_rates.csv"
    fx_file.unlink(missing_ok=True)
    if exchange_rates:
        fx_file.write_text(exchange_rates)
    fx = read_exchange_rates(fx_file)
    own_map = read_line_map(folder / "map.csv", REPORTS)
    facts = place_allowances(_facts(folder, papers, used), own_map, rates, settings)
    comparison = compare(facts, own_map, None)
    observed, rules = unseen_everywhere(comparison, READ_ALL), Rules(settings, rates, fx)
    verdicts = [
        _doubted(verdict, facts, comparison)
        for verdict in judge(facts, comparison, observed, rules)
    ]
    tie_out(facts, comparison, verdicts)
    copied = CopiedVerdicts(verdicts, (), settings)  # nothing was counted in a bucket
    rows = [row_of(verdict, facts, settings, copied) for verdict in verdicts]
    judged = [*zip(verdicts, rows, strict=True)]
    return Paid(settle(facts, comparison, judged, rules).documents, rows)


def judged_alone(folder: Path, *papers: str, **how: Any) -> ReconciledRow:
    """Return the only verdict on these papers."""
    [row] = settle_papers(folder, *papers, **how).rows
    return row


def _doubted(verdict: Verdict, facts: Facts, comparison: Comparison) -> Verdict:
    """Return a verdict that accuses with its doubts, where nothing was odd in the answers."""
    if verdict.status in ACCUSING and verdict.key.report and verdict.key.period:
        return judge_again(Case(verdict, [], Oddities(), facts, comparison))
    return verdict


def _facts(folder: Path, papers: Sequence[str], used: Used) -> Facts:
    stated = state_papers(folder, papers)
    operations = {month.operation_id: month.operation_id.upper() for month in used.months}
    return known(
        [*used.months], bill_lines(stated), now=NOW, operations=operations or {"acme": "ACME"},
        stated=stated, days=dict(used.days),
        answered={(month.operation_id, month.report): _days_of(month) for month in used.months},
    )  # fmt: skip


def state_papers(folder: Path, papers: Sequence[str]) -> list[StatedDocument]:
    """Return those of these papers that count, as a record would have them."""
    documents, lines = _read(folder, papers)
    standings = find_standings(documents, {})
    counting = {each.document.document_id: each.document for each in standings if each.counts}
    own = [line for line in lines if line.document_id in counting]
    return share_out_lines(counting, own)


def _days_of(month: MonthUse) -> set[date]:
    start, end = month.period
    return {start.fromordinal(n) for n in range(start.toordinal(), end.toordinal())}


def _read(folder: Path, papers: Sequence[str]) -> tuple[list[BilledDocument], list[StatedLine]]:
    inbox = folder / "inbox"
    inbox.mkdir(exist_ok=True)
    for file in inbox.iterdir():
        file.unlink()
    files = []
    for n, text in enumerate(papers):
        suffix = "xml" if text.startswith("<") else "csv"
        files.append(inbox / f"{n}.{suffix}")
        files[-1].write_text(text, encoding="utf-8")
    documents: list[BilledDocument] = []
    lines: list[StatedLine] = []
    for paper in read_invoices(files, rule="month_before_issue"):
        assert not isinstance(paper.content, Rejected), str(paper.content)
        for row in document_rows(paper, NOW):
            documents.append(BilledDocument(**_named(row, _FIELDS, BilledDocument._fields)))
        for line in line_rows(paper):
            lines.append(StatedLine(**_named(line, _FIELDS_OF_LINES, StatedLine._fields)))
    return documents, lines


def _named(
    row: Mapping[str, object], names: Mapping[str, str], fields: Sequence[str]
) -> dict[str, object]:
    named = {names.get(name, name): value for name, value in row.items()}
    return {name: value for name, value in named.items() if name in fields}
