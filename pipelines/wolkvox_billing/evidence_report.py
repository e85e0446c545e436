"""The evidence's `report.html`: one page that needs nothing from outside, for eyes and for paper.

Its sections are the notebook's too. Colour says nothing that a pattern, a shape or a word does not
say too. Every text is escaped.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime, timezone
from decimal import Decimal
from typing import Any

from wolkvox_billing.chart import bridge_chart, has_bridge, usage_chart
from wolkvox_billing.markup import STYLE, Money, hours, moment, table, text
from wolkvox_billing.page import Counter, Page, Row, Usage, usages
from wolkvox_billing.terminal import shown_period

__all__ = ["Counter", "Page", "bridges", "report", "restatements", "usage", "verdicts"]

_PAPER = """
body { max-width: 64rem; margin: 2rem auto; padding: 0 1rem; }
@media print {
  body { margin: 0; max-width: none; } .billing { font-size: 11px; }
  tr, figure, .verdict { break-inside: avoid; }
  h2, h3 { break-after: avoid; }
}
"""


def report(page: Page) -> str:
    """The page as HTML."""
    title = f"Usage and invoices of {text(page.month)}"
    parts = [
        f"<h1>{title}</h1>",
        f"<p>As of {text(moment(page.as_of, page.zone('')))}. Every figure here comes from the "
        "files beside this page; <code>manifest.json</code> holds the SHA-256 of each.</p>",
        "<h2>Verdicts</h2>",
        *(sentence(one, page.language) for one in page.rows),
        verdicts(page.rows),
        "<h2>Totals</h2>",
        _totals(page.rows),
        *(f"<p>Warning: {text(one)}</p>" for one in page.warnings),
        "<h2>Volume and price</h2>",
        bridges(page.rows),
        "<h2>What was read</h2>",
        *(usage(one, number) for number, one in enumerate(usages(page))),
        "" if usages(page) else "<p>Nothing was asked in this month.</p>",
        "<h2>Values that changed after their day, or that fell</h2>",
        restatements(page),
        "<h2>Documents</h2>",
        _documents(page),
        "<h2>Policy</h2>",
        table(["setting", "value"], [[name, _plain(v)] for name, v in page.policy.items()]),
        "<h2>Versions</h2>",
        table(["what", "version"], [[name, value] for name, value in page.versions.items()]),
    ]
    return (
        '<!doctype html>\n<html lang="en">\n<head>\n<meta charset="utf-8">\n'
        # Nothing is fetched and nothing runs, even if a text were to get through.
        '<meta http-equiv="Content-Security-Policy" '
        "content=\"default-src 'none'; style-src 'unsafe-inline'\">\n"
        f"<title>{title}</title>\n<style>{STYLE}{_PAPER}</style>\n"
        '</head>\n<body class="billing">\n' + "\n".join(parts) + "\n</body>\n</html>\n"
    )


def sentence(row: Row, language: str) -> str:
    """A verdict in words."""
    kind, mark = ("verdict material", "Worth an alarm: ") if row["is_material"] else ("verdict", "")
    return (
        f'<p class="{kind}">{mark}<strong>{text(row["reconciliation_status"])}</strong>: '
        f'<span lang="{text(language)}">{text(row["explanation"])}</span></p>'
    )


def verdicts(rows: Sequence[Row]) -> str:
    """A table of them."""
    return table(
        ["operation", "report, product", "period", "measured", "billed", "difference", "status"],
        [
            [*_named(row), row["consumed_quantity"], row["billed_quantity"],
             row["quantity_variance"], row["reconciliation_status"]]
            for row in rows
        ],
    )  # fmt: skip


def bridges(rows: Sequence[Row]) -> str:
    """From contracted to billed cost: a table of all, and a chart of each that differs."""
    charts = [
        f"<figure><h3>{text(', '.join(filter(None, _named(row))))}</h3>"
        f"{bridge_chart(row, number)}</figure>"
        for number, row in enumerate(rows)
        if has_bridge(row)
    ]
    listed = table(
        ["operation", "report, product", "period", "contracted cost", "volume effect",
         "price effect", "billed cost"],
        [
            [*_named(row),
             *(Money(row[name], row["billing_currency"]) for name in
               ("contracted_cost", "volume_effect", "price_effect", "billed_cost"))]
            for row in rows
        ],
    )  # fmt: skip
    return "\n".join([*charts, listed])


def _named(row: Row) -> list[str]:
    """Operation, report with product, and period of a verdict."""
    start, end = row["billing_period_start"], row["billing_period_end"]
    return [
        row["operation_id"] or "",
        ", ".join(filter(None, (row["report"], row["product"]))),
        shown_period(start, end) if start else "",
    ]


@dataclass
class _Sum:
    keys: int = 0
    billed: Decimal = Decimal()
    contracted: Decimal = Decimal()
    unknown: int = 0


def _totals(rows: Sequence[Row]) -> str:
    """What each status comes to in each currency; a contract's cost that nobody knows is said."""
    sums: defaultdict[tuple[str, str], _Sum] = defaultdict(_Sum)
    for row in rows:
        for status in (row["reconciliation_status"], "all"):
            one = sums[status, row["billing_currency"] or ""]
            one.keys += 1
            one.billed += row["billed_cost"] or 0
            one.contracted += row["contracted_cost"] or 0
            one.unknown += row["contracted_cost"] is None
    ordered = sorted(sums.items(), key=lambda item: (item[0][0] == "all", item[0]))
    return table(
        ["status", "verdicts", "billed", "by contract", "without a known cost by contract"],
        [
            [status, Decimal(one.keys), Money(one.billed, currency),
             Money(one.contracted, currency), Decimal(one.unknown)]
            for (status, currency), one in ordered
        ],
    )  # fmt: skip


def usage(one: Usage, number: int) -> str:
    """A counter's chart, and tables of its gaps and of each day's last value."""
    return "\n".join(
        [
            f"<h3>{text(one.title)}</h3>",
            f"<figure>{usage_chart(one, number)}",
            f"<figcaption>{text(_caption(one))}</figcaption></figure>",
            f"<p>{text(_coverage(one))}</p>",
            *gap_and_day_tables(one),
        ]
    )


def gap_and_day_tables(one: Usage) -> Iterable[str]:
    """What the chart shows, in numbers."""
    gaps, _ = one.gaps()
    yield table(
        ["no answer from", "to", "for"],
        [
            [*(moment(datetime.fromtimestamp(e, timezone.utc), one.zone) for e in pair),
             hours(pair[1] - pair[0])]
            for pair in gaps
        ],
    )  # fmt: skip
    last_of_day = {row["date"]: row for row in sorted(one.read, key=lambda row: row["read_epoch"])}
    yield table(
        ["day", "last value read", "read at", "call"],
        [
            [day, row["items"], moment(row["read_at"], one.zone), row["poll_id"]]
            for day, row in sorted(last_of_day.items())
        ],
    )


def _caption(one: Usage) -> str:
    _, least = one.gaps()
    said = (
        f"Line: what was read{f' ({one.measure})' if one.measure else ''}, dotted where nobody "
        f"knows how it went. Hatched: more than {hours(least)} without an answer, and what was "
        "left at the end. Below, a tick for each call that was answered, and a cross for each "
        "that was refused or not answered."
    )
    if not one.billed:
        return said
    if one.measure == "daily":
        return f"{said} Each value is a day's own; for the whole month: {one.billed[0][1]}."
    return f"{said} Dashed: what was billed."


def _coverage(one: Usage) -> str:
    gaps, _ = one.gaps()
    return (
        f"Coverage: {len(one.asked.days)} of {(one.end - one.start).days} days answered; "
        f"{len(one.asked.answered)} calls answered, {len(one.asked.refused)} refused or not "
        "answered; longest time without an answer that stands out: "
        f"{hours(max((b - a for a, b in gaps), default=0))}."
    )


def restatements(page: Page) -> str:
    """A table of values that changed after their day, or that fell."""
    return table(
        ["operation", "report", "product", "day", "before", "then", "read at"],
        [
            [one["operation_id"], one["report"], one["product"], one["usage_date"],
             one["previous_quantity"], one["quantity"],
             moment(one["read_at"], page.zone(one["operation_id"]))]
            for one in page.tables["usage_restatements"]
        ],
    )  # fmt: skip


def _documents(page: Page) -> str:
    return table(
        ["kind", "number", "supplier", "issued", "net", "file", "SHA-256 of the file", "in here"],
        [
            [str(one["document_kind"]).replace("_", " ") + (" (a test)" if one["is_test"] else ""),
             one["document_number"], one["supplier_id"], one["issue_date"],
             Money(one["net_amount"], one["billing_currency"]), one["file_name"],
             one["file_sha256"], page.given[one["document_id"]] or "not given"]
            for one in page.tables["invoice_documents"]
        ],
    )  # fmt: skip


def _plain(value: Any) -> str:
    return ", ".join(map(str, value)) if isinstance(value, (list, tuple)) else str(value)
