"""What counts as billed: each document once, by its kind, in whatever forms and spellings.

What is judged of papers is judged without a warehouse; some go the whole way, onto a record."""

from __future__ import annotations

from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest

from builders.documents import PDF, element, line, ubl
from builders.fuzzing import at_length
from builders.months import OCTOBER, READ, bill, invoice, judged, only, read, sheet
from builders.project import Project
from builders.settled_papers import judged_alone
from builders.sheets import HEADINGS, changed
from builders.sheets import csv as csv_of
from wolkvox_billing.invoices import tables
from wolkvox_billing.verbs import invoices as verb
from wolkvox_billing.verbs.reconcile import Reconciliation

pytestmark = pytest.mark.usefixtures("kept_open")


def coded(code: str, quantity: str, net: str, **more: Any) -> str:
    return invoice(quantity, net, periods=OCTOBER + element("cbc:InvoiceTypeCode", code), **more)


def listed(number: str, quantity: str = "1000", net: str = "100000.00", **cells: str) -> str:
    """A spreadsheet with this one invoice, without tax."""
    own = {"Factura": number, "Cantidad": quantity, "Unitario": "100", "Subtotal": net, "IVA": ""}
    return csv_of(HEADINGS, changed(**{**own, **cells}))


@pytest.mark.parametrize("code", ["381", "396", "91"])
def test_a_credit_by_its_code_takes_off(tmp_path: Path, code: str) -> None:
    """1,000 billed and 200 given back by an Invoice of a credit's code: 800 are billed."""
    credit = coded(code, "200", "20000.00", number="NC17", corrects="F-1")
    row = judged_alone(tmp_path, invoice("1000", "100000.00"), credit)
    assert (row.billed_quantity, row.billed_cost) == (800, 80000)


@pytest.mark.parametrize("code", ["325", "386"])
def test_what_comes_before_the_bill_is_not_billed(tmp_path: Path, code: str) -> None:
    """A pro forma or prepayment of the same month beside its invoice is no second bill."""
    before = coded(code, "1000", "100000.00", number="PRO-9")
    row = judged_alone(tmp_path, invoice("1000", "100000.00"), before)
    assert (row.reconciliation_status, row.billed_cost) == ("matched", 100000)


def test_a_corrected_invoice_and_what_it_corrects_accuse_nobody(tmp_path: Path) -> None:
    """Nobody knows whether all is replaced: two contents of one number. Alone, it is the bill."""
    corrected = coded("384", "1000", "100000.00", number="F-2", corrects="F-1")
    assert judged_alone(tmp_path, corrected).reconciliation_status == "matched"
    both = judged_alone(tmp_path, corrected, invoice("1200", "120000.00"))
    assert both.reconciliation_status == "duplicate_document"


def warnings_of(result: Reconciliation) -> str:
    return "\n".join(result.warnings)


SPELLINGS = {"FE-1001": "FE1001", "FE1002": "FE1002", "FE 1003": "FE1003", "fe1004": "FE1004",
             "FE/1005": "FE1005"}  # fmt: skip


def test_an_invoice_and_its_row_in_a_list_are_one(project: Project) -> None:
    """However a spreadsheet spells the number, with the same totals it is the XML, which counts:
    five of 200 each bill the 1,000."""
    read(project, *READ)
    for spelling, number in SPELLINGS.items():
        bill(project, invoice("200", "20000.00", number=number))
        sheet(project, spelling, "200", "20000.00", IVA="")
    result = judged(project)
    assert (only(result).reconciliation_status, only(result).billed_cost) == ("matched", 100000)
    for spelling, number in SPELLINGS.items():
        assert f"invoice {spelling} of a spreadsheet is {number}" in warnings_of(result)


def test_a_list_beside_two_contents_of_one_number_is_no_third_document(tmp_path: Path) -> None:
    """Two XMLs of one number and one total are two contents, and the spreadsheet is a copy: it
    bills nothing, and the other two 100,000 each."""
    again = element("cbc:Note", "again")
    row = judged_alone(tmp_path, invoice("1000", "100000.00", number="FE1001"),
                       invoice("1000", "100000.00", number="FE-1001", before=again),
                       listed("FE 1001"))  # fmt: skip
    assert (row.reconciliation_status, row.billed_cost) == ("duplicate_document", 200000)


def test_a_list_without_a_prefix_is_no_copy_of_two_invoices(tmp_path: Path) -> None:
    """FE1001 and FT1001 end in its number, with one total: nobody knows which one it is."""
    both = [invoice("1000", "100000.00", number=number) for number in ("FE1001", "FT1001")]
    assert judged_alone(tmp_path, *both, listed("1001")).billed_cost == 300000


def test_the_list_may_come_first_or_leave_out_the_supplier(project: Project) -> None:
    """Which one was read first does not matter, nor does a list without a NIT."""
    read(project, *READ)
    sheet(project, "FE-1001", "1000", "100000.00", IVA="", NIT="")
    bill(project, invoice("1000", "100000.00", number="FE1001"))
    assert only(judged(project)).reconciliation_status == "matched"


def test_two_lists_in_two_spellings_are_one(tmp_path: Path) -> None:
    """Without an XML the list that was read first counts."""
    row = judged_alone(tmp_path, listed("FE-1001"), listed("FE1001"))
    assert (row.reconciliation_status, row.billed_cost) == ("matched", 100000)


def test_other_totals_in_another_spelling_are_two_contents_of_one_number(
    tmp_path: Path,
) -> None:
    """A list that says another sum is no copy: nobody knows which one counts."""
    papers = invoice("1000", "100000.00", number="FE1001"), listed("FE-1001", "900", "90000.00")
    assert judged_alone(tmp_path, *papers).reconciliation_status == "duplicate_document"


def test_another_kind_or_number_is_another_document(tmp_path: Path) -> None:
    """FE-1002 of the same totals is a second invoice."""
    papers = invoice("500", "50000.00", number="FE1001"), listed("FE-1002", "500", "50000.00")
    row = judged_alone(tmp_path, *papers)
    assert (row.reconciliation_status, row.billed_cost) == ("matched", 100000)


def test_a_copy_is_told_when_it_is_read(project: Project) -> None:
    """A list with an XML's number and totals says that one of the two counts; with others, that
    nobody knows."""
    read(project, *READ)
    folder = project.folder / "inbox"
    folder.mkdir()
    (folder / "a.xml").write_text(invoice("1000", "100000.00"))
    for name, net in (("b.csv", "100000.00"), ("c.csv", "90000.00")):
        (folder / name).write_text(csv_of(HEADINGS, changed(Subtotal=net, IVA="")))
    intake = verb.invoices([folder], destination=project.destination,
                           clock=lambda: project.vendor.now)  # fmt: skip
    _, copy, other = (" ".join(receipt.warnings) for receipt in intake.receipts)
    assert "and the same totals" in copy and "nobody knows" not in copy
    assert "nobody knows which one counts" in other


def test_what_was_refused_is_told_until_it_is_read(project: Project) -> None:
    """A paper that nobody could read may be the invoice that is missing; its PDF beside the XML is
    none, and what was mended and read is told no more."""
    read(project, *READ)
    folder = project.folder / "inbox"
    folder.mkdir()
    (folder / "a.xml").write_text(invoice("1000", "100000.00"))
    (folder / "a.pdf").write_bytes(PDF)
    (folder / "b.csv").write_text(csv_of(HEADINGS, changed(Fecha="2026-31-31")))

    def refusals() -> list[str]:
        verb.invoices([folder], destination=project.destination, clock=lambda: project.vendor.now)
        now, result = project.vendor.now, judged(project)
        project.vendor.now = now + timedelta(hours=1)
        return [warning for warning in result.warnings if "refused" in warning]

    [told] = refusals()
    assert told.startswith(
        "1 paper was refused when read, and no verdict knows of it; the last one, b.csv: the "
        "document F-1: C2 (Fecha) is '2026-31-31'"
    )
    (folder / "b.csv").write_text(csv_of(HEADINGS, changed(Factura="F-9")))
    assert refusals() == []


_NEW = ("allowance_amount", "charge_amount", "rounding_amount", "prepaid_amount",
        "withheld_amount", "due_date", "exchange_rate", "exchange_currency",
        "exchange_in_currency", "exchange_rate_date")  # fmt: skip


@pytest.mark.parametrize(
    "warehouse", at_length(["duckdb-files", "postgres"], "duckdb"), indirect=True
)
def test_a_record_without_the_new_columns_goes_on_working(
    warehouse: Project, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A record of an earlier release is compared as it is, and takes the columns with the next
    document; what was there has none of them."""
    documents = tables.INVOICE_TABLES["invoice_documents"]
    columns = {name: kind for name, kind in documents.columns.items() if name not in _NEW}

    def take(number: str, **more: Any) -> None:
        file = warehouse.folder / f"{number}.xml"
        file.write_text(ubl(line("1000", "100000.00", tax=None, description="Grabaciones"),
                            number=number, tax=None, net="100000.00", periods=OCTOBER,
                            payable=None, **more))  # fmt: skip
        verb.invoices([file], destination=warehouse.destination, clock=lambda: warehouse.vendor.now)

    with monkeypatch.context() as old:
        old.setitem(tables.INVOICE_TABLES, "invoice_documents", documents._replace(columns=columns))
        take("F-1")
    names = (
        "SELECT column_name FROM information_schema.columns WHERE table_name = 'invoice_documents'"
    )
    assert not {name for (name,) in warehouse.query(names)} & {*_NEW}
    read(warehouse, *READ)
    assert judged(warehouse).rows
    more_total = element("cbc:AllowanceTotalAmount", "500.25", currencyID="COP")
    take("F-2", more_total=more_total, before=element("cbc:DueDate", "2026-12-03"))
    documents = warehouse.query(
        "SELECT document_number, allowance_amount, due_date FROM invoice_documents ORDER BY 1"
    )
    assert [[str(value) for value in row] for row in documents] == [
        ["F-1", "None", "None"],
        ["F-2", "500.2500", "2026-12-03"],
    ]
    assert judged(warehouse).rows
