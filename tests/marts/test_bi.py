"""What a BI author finds in the marts: money, labels, months and keys beside each verdict."""

from __future__ import annotations

from datetime import date, datetime, timedelta, timezone
from typing import Any

import pytest

from builders.documents import line, period, ubl
from builders.months import MAP, OCTOBER, READ, bill, invoice, judged, read
from builders.project import Project
from wolkvox_billing.marts.columns import comment_of
from wolkvox_billing.marts.engine import MARTS as ALL_MARTS
from wolkvox_billing.marts.engine import STAR
from wolkvox_billing.marts.transpile import describe_columns
from wolkvox_billing.reconciliation.captions import label
from wolkvox_billing.reconciliation.verdicts import STATUSES, severity_of
from wolkvox_billing.values.periods import Period, label_period, month_of

pytestmark = pytest.mark.usefixtures("kept_open")
MARTS = "wolkvox_billing_marts"


def verdicts(project: Project) -> list[dict[str, Any]]:
    return project.query_dicts(f"SELECT * FROM {MARTS}.invoice_reconciliation")


def test_a_verdict_says_what_is_questioned_and_claimed(warehouse: Project) -> None:
    """1,450 billed of 1,000 at 100 COP: 45,000 of it, before tax, with labels in two languages."""
    read(warehouse, *READ, product="AUDIOS  S3")
    bill(warehouse, invoice("1450", "145000.00"))
    judged(warehouse)
    [row] = verdicts(warehouse)
    assert (row["questioned_cost"], row["claimed_cost"]) == (45_000, 45_000)
    assert (row["status_label"], row["status_label_es"], row["severity"]) == (
        "Overbilled quantity", "Cantidad facturada de más", 6,
    )  # fmt: skip
    # No product is named in the line map: the verdict is on the whole report.
    assert (row["month_label"], row["product_label"]) == ("2026-10", "rsync s3 mp3")
    assert (row["consumed_unit"], row["is_invoiced"]) == ("audios", True)
    assert row["verdicts_as_of"] == datetime(2026, 11, 30, 17, tzinfo=timezone.utc)
    assert len(row["verdict_key"]) == 32
    query = f"SELECT settlement_label, settlement_label_es, month_label FROM {MARTS}."
    assert warehouse.query(f"{query}invoice_settlement") == [("Claim", "Reclamar", "2026-10")]
    months = warehouse.query(f"SELECT month_label FROM {MARTS}.usage_monthly")
    assert months == [("2026-10",)]


def test_what_nobody_billed_is_no_invoice(project: Project) -> None:
    """Nothing is questioned of it, and it says that no invoice is in it."""
    read(project, *READ)
    judged(project)
    [row] = verdicts(project)
    assert (row["is_invoiced"], row["questioned_cost"], row["claimed_cost"]) == (False, 0, 0)
    assert (row["status_label"], row["severity"]) == ("Usage not invoiced", 4)


def test_a_verdict_claims_what_its_documents_do(project: Project) -> None:
    """A credit note that says that it is of November gives 20,000 of the 45,000 back: 25,000 are
    claimed in the verdict, as in the settlement, and 45,000 stay questioned."""
    read(project, *READ)
    back = line("200", "20000.00", kind="CreditNote", description="Grabaciones en S3", price=None,
                tax=None)  # fmt: skip
    note = ubl(back, kind="CreditNote", number="NC-1", net="20000.00", tax=None, corrects="F-1",
               periods=period("2026-11-01", "2026-11-30"))  # fmt: skip
    bill(project, invoice("1450", "145000.00"), note)
    judged(project)
    [row] = [row for row in verdicts(project) if row["month_label"] == "2026-10"]
    assert (row["questioned_cost"], row["claimed_cost"]) == (45_000, 25_000)
    claimed = f"SELECT claimed_amount FROM {MARTS}.invoice_settlement WHERE document_number = 'F-1'"
    assert project.query(claimed) == [(25_000,)]


def test_each_verdict_has_a_key_of_its_own(project: Project) -> None:
    """Two currencies and two months are four verdicts, each with another key."""
    read(project, *READ)
    dollars = line("10", "10.00", description="Grabaciones en S3", price=None, tax=None,
                   currency="USD")  # fmt: skip
    other = ubl(dollars, number="F-2", net="10.00", tax=None, currency="USD", periods=OCTOBER)
    bill(project, invoice("1000", "100000.00"), other)
    judged(project)
    rows = verdicts(project)
    assert len(rows) > 1
    assert len({row["verdict_key"] for row in rows}) == len(rows)


@pytest.mark.parametrize("status", [status for status, _ in STATUSES])
def test_each_status_has_labels(status: str) -> None:
    """In both languages, in words, and another one in each."""
    english, spanish = label(status, "en"), label(status, "es")
    assert "_" not in english + spanish and english != spanish
    assert english[0].isupper() and spanish[0].isupper()
    assert 0 <= severity_of(status) <= 6


def test_labels_of_periods_sort_as_time_does() -> None:
    """A calendar month, a cycle from the 26th, and no period at all."""
    october = month_of(READ[0][0].date())
    cycle = Period(october.start.replace(month=9, day=26), october.start.replace(day=26))
    assert label_period(*october) == "2026-10"
    assert label_period(*cycle) == "2026-09-26/2026-10-25"
    assert label_period(None, None) is None
    assert label("inconclusive_low_coverage", "en") == ("Inconclusive: low coverage")


def orphans(project: Project, fact: str, key: str, dimension: str, own: str) -> list[Any]:
    """Keys of a fact that its dimension does not have."""
    bi = "wolkvox_billing_bi"
    return project.query(
        f"SELECT DISTINCT f.{key} FROM {bi}.{fact} f LEFT JOIN {bi}.{dimension} d "
        f"ON d.{own} = f.{key} WHERE d.{own} IS NULL AND f.{key} IS NOT NULL"
    )


KEYS = [
    (fact, key, f"dim_{key.removesuffix('_key')}", key)
    for fact, keys in {
        "fact_verdict": "operation product date status",
        "fact_usage": "operation product date",
        "fact_coverage": "operation product date",
        "fact_component": "operation product date status document",
        "bridge_verdict_document": "document",
    }.items()
    for key in (f"{name}_key" for name in keys.split())
]


def test_the_star_holds_together(warehouse: Project) -> None:
    """An invoice, a fee that is compared with nothing and a credit note: each key of a fact is in
    its dimension, once; documents come to what a verdict bills, facts to what the marts have."""
    read(warehouse, *READ)
    fee = line("1", "350000.00", description="Soporte", number="2", tax=None, price=None)
    own = line("1450", "145000.00", description="Grabaciones en S3", price=None, tax=None)
    note = invoice("450", "45000.00", kind="CreditNote", number="NC-1", corrects="F-1")
    bill(warehouse, ubl(own, fee, net="495000.00", tax=None, periods=OCTOBER), note)
    line_map = f"{MAP},,*soporte*,,,,fee\n,,*,rsync_s3_mp3,,,quantity\n"
    judged(warehouse, line_map)
    for key in [*KEYS, ("bridge_verdict_document", "verdict_key", "fact_verdict", "verdict_key")]:
        assert orphans(warehouse, *key) == [], key
    for dimension in ("operation", "product", "date", "status", "document"):
        query = f"SELECT COUNT(*) - COUNT(DISTINCT {dimension}_key) FROM wolkvox_billing_bi."
        assert warehouse.query(f"{query}dim_{dimension}") == [(0,)], dimension
    documents = warehouse.query(
        f"SELECT document_number, document_kind, amount FROM {MARTS}.verdict_documents ORDER BY 1"
    )
    assert documents == [("F-1", "invoice", 145_000), ("NC-1", "credit_note", -45_000)]
    assert warehouse.query(
        "SELECT SUM(b.amount), MAX(v.billed_cost) FROM wolkvox_billing_bi.fact_verdict v "
        "JOIN wolkvox_billing_bi.bridge_verdict_document b ON b.verdict_key = v.verdict_key "
        "JOIN wolkvox_billing_bi.dim_status s ON s.status_key = v.status_key "
        "WHERE s.status_label = 'Matched'"
    ) == [(100_000, 100_000)]
    assert warehouse.query(
        "SELECT d.document_number, SUM(c.amount) FROM wolkvox_billing_bi.fact_component c "
        "JOIN wolkvox_billing_bi.dim_document d ON d.document_key = c.document_key "
        "GROUP BY 1 ORDER BY 1"
    ) == [("F-1", 495_000), ("NC-1", -45_000)]
    assert warehouse.query("SELECT SUM(consumed_quantity) FROM wolkvox_billing_bi.fact_usage") == [
        (1000,)
    ]


def test_the_days_are_whole(warehouse: Project) -> None:
    """From the year before the first poll to the end of next year, none missing and none twice, and
    each with its weekday: 1 October 2026 is a Thursday."""
    read(warehouse, *READ)
    days = warehouse.query(
        "SELECT date_key, weekday_number, calendar_quarter, month_label "
        "FROM wolkvox_billing_bi.dim_date ORDER BY 1"
    )
    assert [day for day, *_ in days] == [
        date(2025, 1, 1) + timedelta(days=n) for n in range(len(days))
    ]
    assert days[-1][0] == date(2027, 12, 31)
    assert all(day.isoweekday() == weekday for day, weekday, *_ in days)
    assert (date(2026, 10, 1), 4, 4, "2026-10") in days


def test_older_invoices_are_on_days_too(project: Project) -> None:
    """An invoice for a month of 2019 begins the days in that year's January."""
    read(project, *READ)
    old = period("2019-05-01", "2019-05-31")
    bill(project, invoice("10", "1000.00", periods=old))
    judged(project)
    first = project.query("SELECT MIN(date_key) FROM wolkvox_billing_bi.dim_date")
    assert first == [(date(2019, 1, 1),)]
    assert orphans(project, "fact_verdict", "date_key", "dim_date", "date_key") == []


@pytest.mark.parametrize("view", [*ALL_MARTS, *STAR])
def test_each_column_is_told_in_both_languages(view: str) -> None:
    """What a database is told of a column to be read is English, and then Spanish."""
    names = ("wolkvox", "Business Applications", "The first that fits: ")  # of FOCUS, and a list
    for column, says in describe_columns(view):
        english, *spanish = comment_of(column).split(" / ")
        assert english == says
        assert spanish or any(name in says for name in names), column
