"""What the notebook shows, without a browser: where a reading stands, what a bridge adds up to, how
a table is written, what a status looks like."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from datetime import date, datetime, timedelta, timezone
from decimal import Decimal
from typing import Any
from zoneinfo import ZoneInfo

import pytest

from builders.claims import blank
from wolkvox_billing.evidence.report.month import Asked, Bill, Counter, LoadedReading, Usage
from wolkvox_billing.marts.reconciled import ReconciledRow
from wolkvox_billing.marts.settled import SETTLEMENTS
from wolkvox_billing.reconciliation.verdicts import STATUSES
from wolkvox_billing.screen.charts import (
    MonthCost,
    bridges_of,
    costs_by_month,
    draw_counter,
    draw_months,
)
from wolkvox_billing.screen.listings import list_verdicts
from wolkvox_billing.screen.marks import mark_of, say_status
from wolkvox_billing.screen.pages import render_note
from wolkvox_billing.values.clock import epoch
from wolkvox_billing.values.periods import Period
from wolkvox_billing.verbs.notebook import MonthlyCost

BOGOTA = ZoneInfo("America/Bogota")
OCTOBER = Period(date(2026, 10, 1), date(2026, 11, 1))
COUNTER = Counter("acme", "rsync_s3_mp3", "AUDIOS")


def usage_of(*readings: tuple[datetime, str], measure: str = "month_to_date") -> Usage:
    """What was read at these moments, which are all that were asked."""
    rows = [
        LoadedReading(
            operation_id="acme",
            report="rsync_s3_mp3",
            operation="ACME",
            description="AUDIOS",
            date=at.date(),
            is_repeated=False,
            items=Decimal(items),
            read_at=at.astimezone(timezone.utc),
            read_epoch=epoch(at),
            poll_id=f"poll-{at:%d}",
        )
        for at, items in readings
    ]
    asked = Asked([row.read_epoch for row in rows], [], {row.date for row in rows})
    bills = [Bill(Decimal(900), "billed: 900")]
    as_of = datetime(2026, 12, 1, tzinfo=timezone.utc)
    return Usage(COUNTER, OCTOBER, as_of, BOGOTA, measure, rows, asked, bills)


def october(day: int, hour: int = 23, minute: int = 50) -> datetime:
    return datetime(2026, 10, day, hour, minute, tzinfo=BOGOTA)


def layers_of(chart: Any) -> list[dict[str, Any]]:
    whole = chart.to_dict()
    layers: list[dict[str, Any]] = whole["layer"]
    for layer in layers:
        if name := layer["data"].get("name"):
            layer["data"] = {"values": whole["datasets"][name]}
    return layers


def data_of(layer: dict[str, Any]) -> list[dict[str, Any]]:
    values: list[dict[str, Any]] = layer["data"]["values"]
    return values


def drawn(chart: Any, kind: str) -> Iterator[dict[str, Any]]:
    return (layer for layer in layers_of(chart) if layer["mark"]["type"] == kind)


def test_a_reading_stands_on_its_day() -> None:
    """23:50 of the 7th is ten minutes before the line of the 8th, and each day's number stands in
    its middle."""
    chart = draw_counter(usage_of((october(7), "300"), (october(8), "350")))
    [points] = drawn(chart, "point")
    shown = datetime.fromtimestamp(data_of(points)[0]["at"] / 1000, timezone.utc)
    assert f"{shown:%d %H:%M}" == "07 23:50"
    seventh = points["encoding"]["x"]["axis"]["values"][6]
    assert datetime.fromtimestamp(seventh / 1000, timezone.utc).hour == 12
    tooltip = {entry["title"]: data_of(points)[0][entry["field"]]
               for entry in points["encoding"]["tooltip"]}  # fmt: skip
    assert tooltip == {"value": "300 audios", "moment": "7 Oct 2026, 23:50 -05", "call": "poll-07"}
    assert points["encoding"]["y"]["title"] == "audios"


@pytest.mark.parametrize(
    ("measure", "shape"), [("month_to_date", "linear"), ("gauge", "step-after")]
)
def test_a_gauge_is_steps(measure: str, shape: str) -> None:
    """It holds its value until somebody reads another; a counter grows on the way."""
    [line] = drawn(draw_counter(usage_of((october(7), "3"), (october(8), "5"), measure=measure)),
                   "line")  # fmt: skip
    assert line["mark"]["interpolate"] == shape


def test_a_day_of_its_own_is_a_bar() -> None:
    """Of a counter that begins anew each day; what was billed of a month is no line in it."""
    chart = draw_counter(usage_of((october(7), "3"), measure="daily"))
    bars = [layer for layer in drawn(chart, "rect") if "y" in layer["encoding"]]
    [bar] = data_of(bars[0])
    assert bar["until"] - bar["at"] == timedelta(days=1) / timedelta(milliseconds=1)
    assert [layer for layer in drawn(chart, "rule") if "y" in layer["encoding"]] == []


def test_nobody_knows_how_it_went_in_a_gap() -> None:
    """Where nobody was answered for long, the way is dotted, and the time is marked in words."""
    readings = [(october(day), str(day)) for day in (1, 2, 3, 12, 13, 14)]
    chart = draw_counter(usage_of(*readings))
    [line] = drawn(chart, "line")
    unread = [row["value"] for row in data_of(line) if row["kind"] == "unread"]
    assert unread == [3, 12]
    [band] = drawn(chart, "rect")
    assert "no answer for 9 days" in [row["says"] for row in data_of(band)]


def row_of(**values: Any) -> ReconciledRow:
    """A verdict that is billed: 100 contracted, 130 billed, by 20 of volume and 10 of price."""
    costs = {"contracted_cost": 100, "volume_effect": 20, "price_effect": 10, "billed_cost": 130,
             "exchange_effect": 0, "cost_variance": 30}  # fmt: skip
    own = {name: Decimal(cost) for name, cost in costs.items()}
    own |= {"invoice_ids": "a", "billing_currency": "COP", "product": "AUDIOS",
            "reconciliation_status": "price_difference", "operation_id": "acme"}  # fmt: skip
    row: ReconciledRow = blank(ReconciledRow, **{**own, **values})
    return row


def test_a_bridge_is_of_one_currency() -> None:
    """Its steps are sums of the verdicts that have both ends; nothing is added up over two."""
    rows = [row_of(), row_of(), row_of(billing_currency="USD"), row_of(contracted_cost=None),
            row_of(invoice_ids=None)]  # fmt: skip
    in_cop, in_usd = bridges_of(rows, "en")
    assert [(step.name, step.amount) for step in in_cop.steps] == [
        ("contracted cost", 200), ("volume effect", 40), ("price effect", 20), ("billed cost", 260),
    ]  # fmt: skip
    assert (in_cop.currency, in_cop.verdicts) == ("COP", 2)
    assert (in_usd.currency, in_usd.verdicts, in_usd.steps[-1].amount) == ("USD", 1, 130)


def test_months_stand_beside_each_other() -> None:
    """Each currency by itself, of one operation or of all, without a hole between two months."""

    def cost(month: int, operation: str, currency: str, billed: int) -> MonthlyCost:
        return MonthlyCost(date(2026, month, 1), operation, currency, Decimal(billed),
                           Decimal(7), 0)  # fmt: skip

    costs = [cost(8, "acme", "COP", 9), cost(10, "acme", "COP", 10), cost(10, "beta", "COP", 20),
             cost(10, "beta", "USD", 1)]  # fmt: skip
    of_all = costs_by_month(costs, None)
    assert of_all["COP"][-1] == MonthCost(date(2026, 10, 1), Decimal(30), Decimal(14), 0)
    assert [*of_all] == ["COP", "USD"] and [*costs_by_month(costs, "acme")] == ["COP"]
    chart = draw_months("COP", of_all["COP"], "en").to_dict()
    assert chart["encoding"]["x"]["scale"]["domain"] == [
        "2026-05", "2026-06", "2026-07", "2026-08", "2026-09", "2026-10",
    ]  # fmt: skip


def test_a_sheet_is_the_locales() -> None:
    """Decimal commas and semicolons where Excel expects them, numbers without marks between
    thousands, and nothing that it takes for a formula."""
    row = row_of(product="=1+1", billed_cost=Decimal("12912.5"), operation_name=None)
    text = list_verdicts([row], "es_CO").as_csv().decode("utf-8-sig")
    head, cells = (line.split(";") for line in text.splitlines())
    assert cells[head.index("costo facturado")] == "12912,50"
    assert cells[head.index("producto")] == "'=1+1"
    in_english = list_verdicts([row], "en")
    assert "12912.50" in in_english.as_csv().decode("utf-8-sig")
    assert in_english.formats["cost difference"](30.0) == "+30.00"


def test_what_nobody_billed_is_no_nothing() -> None:
    """Without an invoice there is neither a quantity nor an amount, and no column for them."""
    listing = list_verdicts([row_of(invoice_ids=None, contracted_cost=Decimal(5))], "en")
    names = [column.name for column in listing.columns]
    assert "contracted cost" in names and not {"billed", "billed cost"} & {*names}


def test_each_status_is_a_word_and_a_shape() -> None:
    """No two kinds of verdict share a shape, so that nobody has to see the colour."""
    statuses = [*(status for status, _ in STATUSES), *SETTLEMENTS]
    marks = {mark_of(status) for status in statuses}
    assert len({mark.shape for mark in marks}) == len({mark.tint for mark in marks}) == len(marks)
    assert say_status("overbilled_quantity", "en") == "▲ overbilled quantity"
    assert say_status("inconclusive_reset", "en").startswith("◇")
    assert mark_of("what nobody knows").name == "waiting"


def test_what_is_typed_is_told_apart() -> None:
    """What stands between backticks is code, and all of it is text."""
    assert render_note("run `a <b>` now") == (
        '<div class="wb"><p class="quiet">run <code>a &lt;b&gt;</code> now</p></div>'
    )
    row = replace(row_of(), operation_name="<b>x</b>")
    assert list_verdicts([row], "en").as_table().column("operation").to_pylist() == ["<b>x</b>"]
