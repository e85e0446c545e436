"""The report's tables: what is in no invoice is no 0, totals add up, marks are the locale's."""

from __future__ import annotations

import itertools
import re
from dataclasses import replace
from datetime import datetime, timezone
from decimal import Decimal
from typing import Any
from zoneinfo import ZoneInfo

import pytest

from builders.claims import blank
from builders.months import OCTOBER_PERIOD, REPORT
from wolkvox_billing.cli.listing import VERDICT_HEADINGS, captions, verdict_as_row
from wolkvox_billing.evidence.report.charts import draw_usage, has_bridge
from wolkvox_billing.evidence.report.month import Call, Counter, LoadedReading, Page, usages
from wolkvox_billing.evidence.report.report import Annex, render_report
from wolkvox_billing.evidence.report.sections import render_sentence, render_verdicts
from wolkvox_billing.marts.reconciled import ReconciledRow
from wolkvox_billing.marts.settled import SettledDocument

BILLED = ReconciledRow(
    supplier_id="900",
    operation_id="acme",
    operation_name="ACME",
    report=REPORT,
    product="AUDIOS",
    billing_period_start=OCTOBER_PERIOD.start,
    billing_period_end=OCTOBER_PERIOD.end,
    billing_currency="COP",
    consumed_quantity=Decimal(12_400),
    billed_quantity=Decimal(14_850),
    quantity_variance=Decimal(2450),
    contracted_unit_price=Decimal(100),
    contracted_cost=Decimal(1_240_000),
    billed_cost=Decimal(1_485_000),
    cost_variance=Decimal(245_000),
    volume_effect=Decimal(245_000),
    price_effect=Decimal(0),
    exchange_effect=Decimal(0),
    invoice_ids="d",
    hours_unread_at_end=Decimal(0),
    reconciliation_status="overbilled_quantity",
    is_material=True,
    explanation="acme, AUDIOS, F-1: +245,000.00 COP against the contract.",
    language="en",
)
UNBILLED = replace(
    BILLED,
    billed_quantity=Decimal(0),
    billed_cost=Decimal(0),
    quantity_variance=Decimal(-12_400),
    cost_variance=Decimal(-1_240_000),
    volume_effect=Decimal(-1_240_000),
    invoice_ids=None,
    reconciliation_status="usage_not_invoiced",
)
UNMAPPED = replace(
    BILLED,
    report=None,
    product=None,
    consumed_quantity=None,
    quantity_variance=None,
    contracted_cost=None,
    billed_cost=Decimal(180_000),
    cost_variance=None,
    volume_effect=None,
    price_effect=None,
    exchange_effect=None,
    reconciliation_status="unmapped_line",
)


def page_of(*rows: ReconciledRow, **fields: Any) -> Page:
    own = Page(
        period=OCTOBER_PERIOD,
        as_of=datetime(2026, 11, 30, tzinfo=timezone.utc),
        verdicts=rows,
        calls=[],
        readings=[],
        restatements=[],
        zones={"": "America/Bogota"},
        measures={},
    )
    return replace(own, **fields)


def cells_of(html: str) -> list[list[str]]:
    """The texts of a page's rows."""
    rows = re.findall(r"<tr>(.*?)</tr>", html, re.S)
    return [
        [re.sub("<.*?>", "", cell) for cell in re.findall(r"<t[dh].*?>.*?</t[dh]>", row)]
        for row in rows
    ]


def test_the_totals_add_up() -> None:
    """What nobody has a price for is no part of the difference: 1,665,000 were billed, which are
    1,240,000 by contract, 245,000 more, and 180,000 of which nobody knows. Use that no invoice
    bills stands beside; dollars are in a row of their own."""
    dollars = replace(UNMAPPED, billing_currency="USD", billed_cost=Decimal(10))
    page = page_of(BILLED, UNMAPPED, UNBILLED, dollars)
    html = render_report(page, Annex([], {}, {}, [], [], [], [], [], {}, {}, []))
    totals = {tuple(row[:2]): row[2:] for row in cells_of(html.split("<h2>Totals</h2>")[1])[1:7]}
    assert totals["all", "3"] == [
        "1,665,000.00 COP", "1,240,000.00 COP", "+245,000.00 COP", "180,000.00 COP",
        "1,240,000.00 COP",
    ]  # fmt: skip
    assert totals["all", "1"] == ["10.00 USD", "", "", "10.00 USD", ""]
    assert totals["unmapped_line", "1"][1:3] == ["", ""]
    assert totals["usage_not_invoiced", "1"] == ["", "", "", "", "1,240,000.00 COP"]


def test_without_an_invoice_nothing_is_billed_not_even_0() -> None:
    """In the table, on the terminal, in the chart, and in the bridge."""
    [_, row] = cells_of(render_verdicts([UNBILLED], "en"))
    assert row[3:] == ["12,400", "no invoice", "", "", "usage_not_invoiced"]
    assert verdict_as_row(UNBILLED)[3:] == ["12,400", "no invoice", "", "usage not invoiced"]
    assert verdict_as_row(UNBILLED, "es_CO")[3:5] == ["12.400", "sin factura"]
    [usage] = usages(page_of(UNBILLED))
    assert (usage.counter, usage.bills) == (Counter("acme", REPORT, ""), [])
    assert not has_bridge(UNBILLED) and has_bridge(BILLED)


def test_each_difference_says_of_what_it_is() -> None:
    """In units and in money; on the terminal it is money."""
    [headings, row] = cells_of(render_verdicts([BILLED], "en"))
    shown = dict(zip(headings, row, strict=True))
    assert shown["quantity difference"] == "+2,450"
    assert shown["cost difference"] == "+245,000.00 COP"
    terminal = dict(zip(VERDICT_HEADINGS, verdict_as_row(BILLED), strict=True))
    assert terminal["cost difference"] == "+245,000.00 COP"


def test_the_tables_are_in_the_language_of_the_settings() -> None:
    """Headings, marks, and statuses, whose meaning stands beside the contract's word."""
    html = render_verdicts([BILLED], "es_CO")
    headings, row = cells_of(html)
    assert headings == [
        "operación", "reporte, producto", "período", "medido", "facturado",
        "diferencia en cantidad", "diferencia en dinero", "estado",
    ]  # fmt: skip
    assert row[3:7] == ["12.400", "14.850", "+2.450", "+245.000,00 COP"]
    assert row[7] == "cantidad facturada de más"
    assert captions(VERDICT_HEADINGS, "es")[-2:] == ["diferencia en dinero", "estado"]
    page = page_of(BILLED, UNBILLED, language="es_CO")
    report = render_report(page, Annex([], {}, {}, [], [], [], [], [], {}, {}, []))
    assert "1.240.000,00 COP" in report and "1,240,000.00 COP" not in report
    assert "<dt>cantidad facturada de más</dt><dd>se facturó más de lo medido, y no queda" in report
    assert "(overbilled_quantity)</dd>" in report


@pytest.mark.parametrize(("language", "tag"), [("en", "en"), ("es_CO", "es-CO"), (None, "")])
def test_a_sentence_is_marked_as_of_its_own_language(language: str | None, tag: str) -> None:
    """English verdicts on a page that is Spanish by now are English; of an older version nobody
    knows."""
    doubted = replace(BILLED, language=language, doubts_excluded="another clock: none")
    html = render_sentence(doubted)
    assert re.findall('lang="(.*?)"', html) == [tag, tag]


NOTHING = Annex([], {}, {}, [], [], [], [], [], {}, {}, [])


def reading(day: int, hour: int, minute: int, items: int, **fields: Any) -> LoadedReading:
    """A reading of Bogotá's clock in October."""
    at = datetime(2026, 10, day, hour, minute, tzinfo=ZoneInfo("America/Bogota"))
    own = LoadedReading("acme", REPORT, "ACME", "AUDIOS", at.date(), False, Decimal(items), at,
                        int(at.timestamp()), f"p{day}")  # fmt: skip
    return own._replace(**fields)


def test_the_report_is_for_phone_and_paper_and_leads_with_the_sums() -> None:
    """A page of its own width, numbered; asked, agreed, questioned and claimed before anything
    else."""
    settled = blank(SettledDocument, document_kind="invoice", document_number="F-1",
                    billing_currency="COP", payable_amount=Decimal(172_550),
                    agreed_amount=Decimal(119_000), questioned_amount=Decimal(53_550),
                    claimed_amount=Decimal(53_550), settlement="claim",
                    explanation="one sentence", is_material=True)  # fmt: skip
    html = render_report(page_of(BILLED, settled=[settled]), NOTHING)
    assert 'name="viewport" content="width=device-width' in html
    assert "size: A4;" in html and 'content: counter(page) " / " counter(pages)' in html
    body = html.partition("<body")[2]
    cards = re.findall("<dt>(.*?)</dt><dd>(.*?)</dd>", body.partition("</dl>")[0])
    assert cards == [("asked", "172,550.00 COP"), ("agreed", "119,000.00 COP"),
                     ("questioned", "53,550.00 COP"), ("claimed", "53,550.00 COP")]  # fmt: skip
    assert body.index("<dt>asked") < body.index("one sentence") < body.index("<h2>Verdicts")


def test_the_same_month_is_the_same_bytes() -> None:
    page = page_of(BILLED, UNMAPPED, readings=[reading(7, 23, 50, 100)], language="es_CO")
    assert render_report(page, NOTHING) == render_report(page, NOTHING)


def test_a_reading_stands_over_its_own_day() -> None:
    """23:50 of the 7th is between the ticks of the 7th, whose number stands in the middle; the last
    day has its number; the axis says what is counted, and the point what it is."""
    page = page_of(BILLED, readings=[reading(7, 23, 50, 1234)])
    [usage] = usages(page)
    svg = str(draw_usage(usage, 0))
    [(x, title)] = re.findall(r'<circle cx="([\d.]+)".*?<title>(.*?)</title>', svg)
    numbers = {
        day: float(at) for at, day in re.findall(r'<text x="([\d.]+)"[^>]*>(\d+)</text>', svg)
    }
    width = (numbers["31"] - numbers["1"]) / 30
    seventh = numbers["1"] + 6 * width
    assert seventh < float(x) <= seventh + width / 2
    assert title == "2026-10-07 23:50 -05: 1,234 audios, p7"
    assert ">audios</text>" in svg and "31" in numbers


def test_a_level_is_drawn_as_steps() -> None:
    """It holds until another one was seen: no line is slanted."""
    readings = [reading(day, 12, 0, items) for day, items in ((1, 10), (2, 30), (3, 20))]
    calls = [Call("acme", REPORT, row.date, "ok", row.read_epoch, row.poll_id) for row in readings]
    measures = {Counter("acme", REPORT, "AUDIOS"): "gauge"}
    page = page_of(readings=readings, measures=measures, calls=calls)
    [usage] = usages(page)
    [line] = re.findall(r'<polyline points="(.*?)"', str(draw_usage(usage, 0)))
    points = [tuple(map(float, point.split(","))) for point in line.split()]
    assert len(points) == 5
    assert all(a[0] == b[0] or a[1] == b[1] for a, b in itertools.pairwise(points))
