"""The verb `invoices`: files into the warehouse, once each, on DuckDB and on PostgreSQL."""

from __future__ import annotations

import json
import os
from datetime import date
from decimal import Decimal
from pathlib import Path
from typing import Any

import pytest
from click.testing import CliRunner

from builders.documents import PDF, attached, declared, line, period, ubl, zipped
from builders.loads import begin
from builders.project import NOON, Project
from builders.sheets import HEADINGS, ROW
from builders.sheets import csv as csv_of
from builders.worlds import once
from fake_wolkvox import Vendor
from wolkvox_billing.cli.listing import receipt_as_row
from wolkvox_billing.cli.main import main
from wolkvox_billing.errors import SettingsError, WarehouseError
from wolkvox_billing.verbs.invoices import Intake, Receipt, invoices
from wolkvox_billing.verbs.publish import publish
from wolkvox_billing.verbs.status import status

pytestmark = pytest.mark.usefixtures("kept_open")
TABLES = ("invoice_documents", "invoice_lines", "rejected_documents")


def read(project: Project, *paths: str, **how: Any) -> Intake:
    """The verb, by the stand-in vendor's clock, on paths in the project's folder."""
    return invoices(
        [project.folder / path for path in paths],
        destination=project.destination,
        clock=lambda: project.vendor.now,
        **how,
    )


def everything(project: Project) -> list[list[tuple[Any, ...]]]:
    """All rows of all tables of invoices, with dlt's own columns."""
    return [sorted(project.query(f"SELECT * FROM {table}"), key=str) for table in TABLES]


def fates(intake: Intake) -> dict[str, str]:
    """Return what was made of each file, by its name."""
    return {receipt.file_name: receipt.made for receipt in intake.receipts}


def inbox(project: Project, **files: bytes) -> Path:
    """A folder with files; `__` in a name is a dot."""
    folder = project.folder / "inbox"
    folder.mkdir(exist_ok=True)
    for name, data in files.items():
        (folder / name.replace("__", ".")).write_bytes(data)
    return folder


NASTY = "=1+1 'x' \"y\" \\ [31m; DROP TABLE polls; -- \u202e ñ 漢 \uf028"


@pytest.mark.many_rows
@pytest.mark.usefixtures("tables")
def test_documents_lines_and_rejected_ones_are_loaded(warehouse: Project) -> None:
    """Each document is a row with its lines, and what was refused one with its reason; the columns
    hold what the file says. Quotes, escapes, marks of other scripts and a formula are stored as
    they came; what no database can store is shown by its number."""
    two = ubl(
        line("100", "12500.00", number="1"),
        line("0.5", "0.25", number="B", code=None, price="0.50", tax=None, description=NASTY),
        net="12500.25",
        notes=["Consumo octubre 2026"],
    )
    inbox(warehouse, a__zip=zipped({"f.pdf": PDF, "ad.xml": declared(attached(two))}), b__xml=PDF)
    intake = read(warehouse, "inbox")
    assert fates(intake) == {"a.zip/ad.xml": "loaded", "b.xml": "rejected"}
    [document] = warehouse.query(
        "SELECT supplier_id, supplier_name, document_kind, document_number, document_uuid, "
        "issue_date, period_start, period_end, period_source, billing_currency, net_amount, "
        "tax_amount, payable_amount, is_test, corrects_number, format, file_name, warnings, "
        "read_at FROM invoice_documents"
    )
    values = [str(value) for value in document]
    assert values[:5] == ["900123456", "Nube de Voz SAS", "invoice", "F-1", "a" * 96]
    assert values[5:10] == ["2026-11-03", "2026-10-01", "2026-11-01", "text", "COP"]
    assert values[10:13] == ["12500.2500", "2375.0000", "14875.2500"]
    assert values[13:18] == ["False", "None", "ubl", "a.zip/ad.xml", "None"]
    assert document[18] == NOON
    lines = warehouse.query(
        "SELECT line_number, line_id, operation, description, item_code, quantity, unit_code, "
        "unit_price, net_amount, tax_amount, billing_currency, period_start, period_end "
        "FROM invoice_lines ORDER BY line_number"
    )
    assert lines == [
        (1, "1", None, "Grabaciones copiadas a S3", "RSYNC", Decimal(100), "94", Decimal(125),
         Decimal(12500), Decimal(2375), "COP", None, None),
        (2, "B", None, NASTY.replace("\uf028", "\\uf028"), None, Decimal("0.5"), "94",
         Decimal("0.5"), Decimal("0.25"), None, "COP", None, None),
    ]  # fmt: skip
    [(name, reason)] = warehouse.query("SELECT file_name, reason FROM rejected_documents")
    assert name == "b.xml" and "ask the supplier for the electronic invoice itself" in reason


@pytest.mark.usefixtures("tables")
def test_the_hash_is_that_of_the_bytes_that_the_name_names(project: Project) -> None:
    """file_sha256 is of the file, or of the zip's member, so that anybody can check it."""
    from hashlib import sha256

    bare, inner = declared(ubl()), declared(attached(ubl(number="F-2")))
    inbox(project, a__xml=bare, b__zip=zipped({"x.xml": inner}), c__xml=PDF)
    read(project, "inbox")
    hashes = project.query(
        "SELECT file_name, file_sha256 FROM invoice_documents "
        "UNION ALL SELECT file_name, file_sha256 FROM rejected_documents"
    )
    assert dict(hashes) == {
        "a.xml": sha256(bare).hexdigest(),
        "b.zip/x.xml": sha256(inner).hexdigest(),
        "c.xml": sha256(PDF).hexdigest(),
    }


@pytest.mark.usefixtures("tables")
def test_the_second_reading_changes_nothing(warehouse: Project) -> None:
    """The same files again, later and under other names: every row is as it was, to the byte."""
    inbox(warehouse, a__xml=declared(ubl()), b__csv=csv_of(HEADINGS, ROW).encode(), c__xml=PDF)
    read(warehouse, "inbox")
    before = everything(warehouse)
    assert [len(rows) for rows in before] == [2, 2, 1]
    warehouse.later(days=1)
    assert fates(read(warehouse, "inbox"))["a.xml"] == "loaded before"
    (warehouse.folder / "inbox" / "a.xml").rename(warehouse.folder / "inbox" / "z.xml")
    assert fates(read(warehouse, "inbox"))["z.xml"] == "loaded before"
    assert everything(warehouse) == before


@pytest.mark.parametrize("warehouse", ["postgres"], indirect=True)
@pytest.mark.usefixtures("tables")
def test_the_same_document_out_of_a_zip_and_bare_is_one(warehouse: Project) -> None:
    """Bare, attached, zipped, in another encoding: one document, in one run or in several. Which is
    one, no engine says; test_the_second_reading_changes_nothing asks each."""
    text = ubl(line(description="Grabación"))
    inbox(
        warehouse,
        a__xml=declared(text),
        b__xml=declared(attached(text), "ISO-8859-1"),
        c__zip=zipped({"x.xml": declared(text, "UTF-16")}),
    )
    intake = read(warehouse, "inbox")
    assert fates(intake) == {"a.xml": "loaded", "b.xml": "read twice", "c.zip/x.xml": "read twice"}
    assert read(warehouse, "inbox/c.zip").counts == {"loaded before": 1}
    assert warehouse.query("SELECT COUNT(*) FROM invoice_documents") == [(1,)]
    assert warehouse.query("SELECT COUNT(*) FROM invoice_lines") == [(1,)]


@pytest.mark.parametrize("warehouse", ["postgres"], indirect=True)
@pytest.mark.usefixtures("tables")
def test_the_same_number_with_other_content_is_kept_and_flagged(warehouse: Project) -> None:
    """Two contents of one supplier, kind and number, read in one run or in two, are both there, and
    the later one says so; the earlier one is not touched. What is known already each engine is
    asked in test_the_second_reading_changes_nothing."""
    inbox(warehouse, a__xml=declared(ubl(number="F-2")))
    read(warehouse, "inbox")
    before = warehouse.query("SELECT * FROM invoice_documents")
    inbox(
        warehouse,
        b__xml=declared(ubl(number="F-2", tax="2376.00")),
        c__xml=declared(ubl()),
        d__xml=declared(ubl(tax="2376.00")),
        e__xml=declared(ubl(kind="CreditNote", corrects="F-0")),
    )
    of_before, of_two, first, of_one, note = read(warehouse, "inbox").receipts
    assert of_before.warnings == first.warnings == note.warnings == ()
    for earlier, later in ((of_before, of_two), (first, of_one)):
        assert earlier.document_id is not None
        assert later.warnings == (
            "another document has this supplier, kind and number, and other content: "
            f"{earlier.document_id[:12]}; both are kept, and nobody knows which one counts",
        )
    stored = warehouse.query(
        "SELECT document_number, payable_amount, warnings FROM invoice_documents "
        "WHERE document_kind = 'invoice' ORDER BY 1, 2"
    )
    assert stored == [
        ("F-1", Decimal(14875), None),
        ("F-1", Decimal(14876), of_one.warnings[0]),
        ("F-2", Decimal(14875), None),
        ("F-2", Decimal(14876), of_two.warnings[0]),
    ]
    assert len(before) == 1 and set(before) <= set(
        warehouse.query("SELECT * FROM invoice_documents")
    )


def test_what_another_run_has_loaded_meanwhile_is_not_changed(
    warehouse: Project, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Where another machine loads a document after this run has looked, its row stays as it is."""
    from wolkvox_billing.verbs.invoices import KnownDocuments

    inbox(warehouse, a__xml=declared(ubl()))
    once(warehouse, read, "inbox")
    before = everything(warehouse)
    warehouse.later(days=1)
    monkeypatch.setattr(KnownDocuments, "look_up", lambda *_: None)  # it looked too early
    assert read(warehouse, "inbox").counts == {"loaded": 1}
    assert everything(warehouse) == before


def test_every_table_exists_while_it_is_empty(warehouse: Project) -> None:
    """A first run without a document, or without a refusal, makes all three tables."""
    inbox(warehouse, a__xml=declared(ubl()))
    once(warehouse, read, "inbox")
    assert warehouse.query("SELECT * FROM rejected_documents") == []


def test_tables_and_columns_carry_comments(warehouse: Project) -> None:
    """What a column holds is said in the warehouse, beside it."""
    inbox(warehouse, a__xml=declared(ubl()))
    once(warehouse, read, "inbox")
    if warehouse.destination == "duckdb":
        comment = (
            "SELECT comment FROM duckdb_columns() WHERE table_name = '{}' AND column_name = '{}' "
        )
        comment += "AND schema_name = 'wolkvox_billing'"
    else:
        comment = ("SELECT col_description('wolkvox_billing.{0}'::regclass, ordinal_position::int) "
                "FROM information_schema.columns WHERE table_name = '{0}' "
                "AND column_name = '{1}' AND table_schema = 'wolkvox_billing'")  # fmt: skip
    comments = warehouse.query(comment.format("invoice_documents", "is_test"))
    assert comments == [("A test document (DIAN profile 2), which is never reconciled",)]


def test_polls_and_invoices_share_a_dataset(warehouse: Project) -> None:
    """Before and after a load, invoices go into the same dataset, and `status` and `publish` work
    with either alone."""
    inbox(warehouse, a__xml=declared(ubl()))
    once(warehouse, read, "inbox")
    assert status(destination=warehouse.destination, clock=lambda: NOON).rows == []
    assert warehouse.load().is_good
    inbox(warehouse, b__xml=declared(ubl(number="F-2")))
    read(warehouse, "inbox")
    if warehouse.destination == "postgres":  # of DuckDB, tests of the copy publish both together
        copy = publish("copy.duckdb", destination=warehouse.destination, clock=lambda: NOON)
        assert copy.rows["wolkvox_billing.invoice_documents"] == 2
        assert copy.rows["wolkvox_billing.polls"] == 1
    assert warehouse.query("SELECT count(*) FROM invoice_documents") == [(2,)]
    assert warehouse.query("SELECT count(*) FROM polls") == [(1,)]


@pytest.mark.usefixtures("tables")
def test_the_rule_is_a_setting(project: Project, monkeypatch: pytest.MonkeyPatch) -> None:
    """`period_rule` under [reconciliation] decides where no document says; a wrong one is refused
    before anything is read."""
    inbox(project, a__xml=declared(ubl()))
    monkeypatch.setenv("RECONCILIATION__PERIOD_RULE", "issue_month")
    [receipt] = read(project, "inbox").receipts
    assert (str(receipt.period_start), receipt.period_source) == ("2026-11-01", "rule")
    monkeypatch.setenv("RECONCILIATION__PERIOD_RULE", "next_month")
    with pytest.raises(SettingsError, match=r"period_rule.*'next_month'.*issue_month"):
        read(project, "inbox")


def test_a_path_that_is_not_there_is_a_wrong_word(project: Project) -> None:
    """Nothing is read where one of the paths does not exist."""
    inbox(project, a__xml=declared(ubl()))
    with pytest.raises(SettingsError, match=r"there is no .*nowhere"):
        read(project, "inbox", "nowhere")
    assert not (project.folder / "wolkvox.duckdb").exists()


def test_while_the_destination_is_away_nothing_is_lost(warehouse: Project) -> None:
    """With the destination away the verb says so, and the next run loads the files."""
    inbox(warehouse, a__xml=declared(ubl()))
    once(warehouse, read, "inbox")
    inbox(warehouse, b__xml=declared(ubl(number="F-2")))
    with (
        warehouse.away(),
        pytest.raises(WarehouseError, match="not loaded, so read the files again"),
    ):
        read(warehouse, "inbox")
    assert read(warehouse, "inbox").counts == {"loaded before": 1, "loaded": 1}


@pytest.mark.usefixtures("tables")
def test_what_cannot_be_loaded_holds_up_nothing(
    warehouse: Project, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Where a row cannot be loaded, the run says so, nothing of it waits before the polls, and the
    next reading of the same files loads what is missing."""
    import wolkvox_billing.verbs.invoices as verb

    inbox(warehouse, a__xml=declared(ubl()))
    with monkeypatch.context() as broken:
        too_large = Decimal(10) ** 17
        rows_of = verb.line_rows
        broken.setattr(
            verb, "line_rows", lambda p: [{**row, "quantity": too_large} for row in rows_of(p)]
        )
        with pytest.raises(WarehouseError, match="not loaded, so read the files again"):
            read(warehouse, "inbox")
    assert warehouse.load().is_good
    read(warehouse, "inbox")
    assert warehouse.query("SELECT COUNT(*) FROM invoice_documents") == [(1,)]
    assert warehouse.query("SELECT quantity FROM invoice_lines") == [(Decimal(100),)]


@pytest.mark.parametrize("warehouse", ["postgres"], indirect=True)
def test_invoices_whose_first_load_failed_find_their_tables(warehouse: Project) -> None:
    """The tables of invoices are made by the first load that gets through, whatever dlt noted of
    one that did not: on PostgreSQL, since its notes are the same of each engine."""
    begin(warehouse)
    folder = inbox(warehouse, a__xml=declared(ubl(line("1", "1.00"), net="1.00")))
    with warehouse.away(), pytest.raises(WarehouseError):
        read(warehouse, folder.name)
    assert fates(read(warehouse, folder.name)) == {"a.xml": "loaded"}
    for table, count in zip(TABLES, (1, 1, 0), strict=True):
        assert warehouse.query(f"SELECT count(*) FROM {table}") == [(count,)]


@pytest.mark.usefixtures("tables")
def test_lines_that_a_broken_run_left_out_are_added(warehouse: Project) -> None:
    """A document whose lines are not all there is loaded again, and only they are added."""
    inbox(warehouse, a__xml=declared(ubl(line(), line(number="2"), net="25000.00")))
    read(warehouse, "inbox")
    before = everything(warehouse)
    warehouse.execute("DELETE FROM wolkvox_billing.invoice_lines WHERE line_number = 2")
    assert read(warehouse, "inbox").counts == {"loaded": 1}
    after = everything(warehouse)
    assert (after[0], len(after[1])) == (before[0], 2)


@pytest.mark.parametrize("warehouse", ["postgres"], indirect=True)
@pytest.mark.usefixtures("tables")
def test_the_same_refusal_twice_is_one_row(warehouse: Project) -> None:
    """Two copies of a file that is no invoice, in one run and in two, are refused by one row. Each
    engine is asked for that in test_the_second_reading_changes_nothing."""
    for name in ("f", "g"):
        (warehouse.folder / name).mkdir()
        (warehouse.folder / name / "x.pdf").write_bytes(PDF)
    for _ in range(2):
        assert read(warehouse, "f", "g").counts == {"rejected": 2}
    assert warehouse.query("SELECT COUNT(*) FROM rejected_documents") == [(1,)]


@pytest.mark.usefixtures("tables")
def test_copies_count_once_in_the_sum(project: Project) -> None:
    """Three copies of a document are one in the net of all, in a first run and in a second."""
    inbox(project, **{f"{n}__xml": declared(ubl()) for n in "abc"})
    for first in ("loaded", "loaded before"):
        intake = read(project, "inbox")
        assert intake.counts == {first: 1, "read twice": 2}
        assert intake.net_amounts == {"COP": Decimal(12500)}


LOOKS_LIKE = (
    "2026-11-10T10:00:00",
    "10:00",
    "E4EAAAF2-D142-11E1-B3E4-080027620CDD",
    '{"a": 1, "a": 2}',
)


@pytest.mark.parametrize(
    ("warehouse", "text"),
    [*(("duckdb", text) for text in LOOKS_LIKE), ("postgres", LOOKS_LIKE[0])],
    indirect=["warehouse"],
)
@pytest.mark.usefixtures("tables")
def test_a_text_that_looks_like_another_type_stays_as_it_is(warehouse: Project, text: str) -> None:
    """A number, an identifier or a description that reads like a time, a number, a UUID or JSON is
    the text that the document holds, though each document of a run has such a one. What a text is
    is told before an engine has it: PostgreSQL is asked of one."""
    bill = ubl(line(number="1", description=text, code=text), number=text, uuid=text)
    inbox(warehouse, a__xml=declared(bill))
    read(warehouse, "inbox")
    documents = "SELECT document_number, document_uuid FROM invoice_documents"
    assert warehouse.query(documents) == [(text, text)]
    assert warehouse.query("SELECT description, item_code FROM invoice_lines") == [(text, text)]


# The command line.


def run(*words: str) -> Any:
    return CliRunner().invoke(main, ["invoices", *words])


@pytest.mark.usefixtures("tables")
def test_one_line_per_document_and_a_sum(project: Project) -> None:
    """The command prints each document with its number, supplier, period, net and lines, then what
    it warns of, what it refused and why, and the sums; refused files end in 1."""
    inbox(
        project,
        a__xml=declared(ubl(notes=["Consumo octubre 2026"])),
        b__xml=declared(
            ubl(kind="CreditNote", corrects="F-1", number="N-1", net="500", profile="2")
        ),
        c__xml=declared(ubl(kind="CreditNote", corrects="F-1", number="N-2")),
        d__xml=PDF,
        e__xml=b'<X xmlns="urn:oasis:names:specification:ubl:schema:xsd:X-2"/>',
    )
    done = run("inbox")
    assert done.exit_code == 1
    assert done.output.splitlines()[0].split("\t")[:6] == [
        "F-1", "Nube de Voz SAS", "2026-10 (by text)", "12,500.00 COP", "1", "loaded"
    ]  # fmt: skip
    assert "warning: N-1: a test document: it is never reconciled" in done.output
    assert "rejected: d.xml: a PDF, which cannot be read" in done.output
    assert "no invoices, passed over: 1 x X" in done.output
    # 12,500 of F-1, less 12,500 of N-2; the test document does not count
    assert "net of all, credit notes taken off: 0 COP" in done.output
    assert "3 loaded, 1 rejected, 1 no invoice" in done.output
    assert run("inbox/a.xml").exit_code == 0


@pytest.mark.usefixtures("tables")
def test_json_is_for_machines(project: Project) -> None:
    """With --json numbers are texts, dates ISO, and each file says what was made of it."""
    inbox(project, a__xml=declared(ubl()), b__xml=PDF)
    done = run("inbox", "--json")
    assert done.exit_code == 1
    printed = json.loads(done.stdout)
    assert printed["counts"] == {"loaded": 1, "rejected": 1}
    assert printed["net_amounts"] == {"COP": "12500.0000"}
    first, second = printed["documents"]
    assert (first["document_number"], first["net_amount"]) == ("F-1", "12500.0000")
    assert (first["period_start"], first["lines"]) == ("2026-10-01", 1)
    assert second["made"] == "rejected" and second["reason"].startswith("a PDF")


@pytest.mark.usefixtures("tables")
def test_the_decimal_can_be_said(project: Project) -> None:
    """--decimal settles what a file leaves open."""
    row = [*ROW[:5], "6.660", "", "10", "", "COP"]
    inbox(project, a__csv=csv_of(HEADINGS, row).encode())
    assert run("inbox").exit_code == 1
    assert run("inbox", "--decimal", ",").exit_code == 0
    assert project.query("SELECT quantity FROM invoice_lines") == [(Decimal(6660),)]


@pytest.mark.parametrize("words", [[], ["nowhere"], ["inbox", "--decimal", ";"]])
def test_wrong_words_end_in_2(project: Project, words: list[str]) -> None:
    """Without a path, with one that is not there, or an unknown decimal: 2, and nothing is read."""
    inbox(project, a__xml=declared(ubl()))
    assert run(*words).exit_code == 2
    assert not (project.folder / "wolkvox.duckdb").exists()


@pytest.mark.usefixtures("tables")
def test_hostile_names_are_harmless_on_a_terminal(project: Project) -> None:
    """Escapes in a file's name, a number or a description do not reach the terminal."""
    folder = inbox(project, a__xml=declared(ubl(number="F\u202e\u009b31m")))
    (folder / "b\x1b[31m.xml").write_bytes(PDF)
    (folder / os.fsdecode(b"c\xff.xml")).write_bytes(PDF)
    output = run("inbox").output
    assert not any(mark in output for mark in ("\x1b", "\u202e", "\u009b"))
    assert "b\\x1b[31m.xml" in output


@pytest.mark.usefixtures("tables")
def test_a_mails_zip_of_the_stand_in_is_read(project: Project, vendor: Vendor) -> None:
    """What the stand-in vendor sends as its invoice is one document without a warning."""
    vendor.add_operation(name="Ventas  Norte", server="0010", token="d4" * 32)
    data = vendor.invoice("d4" * 32, "2026-10", extra=450)
    inbox(project, mail__zip=data)
    [receipt] = read(project, "inbox").receipts
    assert receipt.made == "loaded" and receipt.warnings == ()
    assert (str(receipt.period_start), receipt.period_source) == ("2026-10-01", "document")
    assert receipt.net_amount == Decimal(1_414_600)  # 13,696 and 450 more, at 100
    assert project.query("SELECT quantity, unit_price FROM invoice_lines") == [(14146, 100)]


@pytest.mark.usefixtures("tables")
def test_a_list_gets_its_currency_and_supplier_by_hand(project: Project) -> None:
    """`--currency` and `--supplier` fill what a list does not state; what is no code or tax id is a
    settings error before anything is read."""
    inbox(project, a__csv=b"Factura,Fecha,Concepto,Subtotal\nF-1,2026-11-03,Audios,100\n")
    for wrong in ({"currency": "pesos"}, {"supplier": "Nube de Voz"}):
        with pytest.raises(SettingsError):
            read(project, "inbox", **wrong)
    assert fates(read(project, "inbox")) == {"a.csv": "rejected"}
    read(project, "inbox", currency="cop", supplier="900.123.456-8")
    assert project.query("SELECT billing_currency, supplier_id FROM invoice_documents") == [
        ("COP", "900123456")
    ]


@pytest.mark.usefixtures("tables")
def test_a_note_is_listed_in_the_month_in_which_it_is_judged(project: Project) -> None:
    """A note of December corrects October's invoice, and names no month: it is October's, in
    whatever order the two come, in one run or in two. Each order is an invoice of its own. Of one
    that corrects nobody knows what the month is the rule's, and is said to be."""
    orders = {"an": ("a", "n"), "na": ("n", "a"), "a n": ("a", " n"), "n a": ("n", " a")}
    for number, papers in enumerate(orders.values(), 1):
        invoice = ubl(number=f"F-{number}", uuid=f"{number:a>96}",
                      periods=period("2026-10-01", "2026-10-31"))  # fmt: skip
        note = ubl(kind="CreditNote", number=f"NC-{number}", uuid=f"{number:c>96}",
                   corrects=f"F {number}", issued="2026-12-05")  # fmt: skip
        for place, name in enumerate(papers):
            folder = project.folder / ("second" if name[0] == " " else "first")
            folder.mkdir(exist_ok=True)
            text = invoice if name.strip() == "a" else note
            (folder / f"{number}-{place}.xml").write_bytes(declared(text))
    alone = ubl(kind="CreditNote", number="NC-5", uuid="5" * 96, corrects="F-77",
                issued="2026-12-05")  # fmt: skip
    (project.folder / "first" / "5.xml").write_bytes(declared(alone))
    notes: dict[str, Receipt] = {}
    # What was read before that which it corrects was there is read again.
    for folder_name in ("first", "second", "first/4-0.xml"):
        for receipt in read(project, folder_name).receipts:
            if receipt.document_kind != "invoice":
                notes[str(receipt.document_number)] = receipt
    assert sorted(notes) == ["NC-1", "NC-2", "NC-3", "NC-4", "NC-5"]
    assert receipt_as_row(notes.pop("NC-5"))[2] == "2026-11 (by rule)"
    for note in notes.values():
        assert (note.period_start, note.period_end) == (date(2026, 10, 1), date(2026, 11, 1))
        assert receipt_as_row(note)[2] == "2026-10"
