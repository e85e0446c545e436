"""Names that mean harm, through all that is kept and shown: stored as they came, shown as texts."""

from __future__ import annotations

import csv
import io
import json
import os
import zipfile
from html.parser import HTMLParser
from pathlib import Path
from typing import Any

import pytest
from click.testing import CliRunner

from builders.documents import declared, line, ubl
from builders.months import MAP, OCTOBER, ONE_PRICE, REPORT, local
from builders.project import SERVERS, TOKENS, Project
from wolkvox_billing.cli.main import main
from wolkvox_billing.reconciliation.contract.csv_file import RUNS_AS_FORMULA
from wolkvox_billing.verbs import explain, reconcile, status

OWN = "O'Brien \"&\" '); DROP TABLE readings; -- <b>{0} %s</b>"  # an operation of ours
NAMES = {
    "quotes": "it's \"so\" `called` \\ ''",
    "SQL": "'); DROP TABLE wolkvox_billing.readings; --",
    "HTML": "<script>alert(1)</script><img src=x onerror=alert(2)></td></table>",
    "markup": "[red]x[/red] **b** $y$ {z} %(n)s",
    "line breaks": "one\ntwo\r\nthree\u2028four",
    "terminal": "\x1b[31mred\x1b]0;owned\x07\x9b2J\x08",
    "right to left": "\u202egpj.exe\u202c\u2066\u200f",
    "formula": '=HYPERLINK("http://evil.example","x")',
    "a tab": "\t=1+1",
    "invisible": "\ufeff\u200b\u00a0",
    "long": "x" * 10_000,
    "another script": "Ñandú 中文 👩\u200d💻",
}
UNSTORABLE = {"NUL": "a\0b", "half a character": "a\ud800b", "a mark of dlt's": "\uf026x"}
MEASURES = {REPORT: "month_to_date"}
IN_XML = {  # which has no control characters
    kind: "".join(c for c in text if c >= " " or c in "\n\t").strip()[:200]
    for kind, text in NAMES.items()
}


def poll_names(project: Project, monkeypatch: pytest.MonkeyPatch) -> None:
    """Poll October, in which each name is an operation and a product, with a count of its own, and
    load it."""
    own = [{"name": OWN, "server": SERVERS["acme"], "token": TOKENS["acme"]}]
    monkeypatch.setenv("SOURCES__WOLKVOX_BILLING__OPERATIONS", json.dumps(own))
    for at, more in ((local(1), 0), (local(31, 23, 50), 100)):
        project.vendor.now = at
        rows = [
            {"operation": "ACME", "description": text, "items": str(n + more),
             "date": f"{at:%Y-%m-%d}"}
            for n, text in enumerate([*NAMES.values(), *UNSTORABLE.values()], 1)
        ]  # fmt: skip
        msg = "".join(NAMES.values())[:300] + "\0\ud800"
        body = {"code": 200, "error": None, "msg": msg, "data": rows}
        project.vendor.answer(TOKENS["acme"], REPORT, json.dumps(body).encode())
        report = project.load(measures=MEASURES, force=True) if more else project.poll(force=True)
        assert not report.problems
        [warning] = report.warnings
        assert f": {len(UNSTORABLE)} of {len(rows)} rows could not be read (the first: " in warning


def bill_names(project: Project) -> list[bytes]:
    """Write files with hostile names, and return these; each holds an invoice of one product."""
    inbox = os.fsencode(project.folder / "inbox")
    os.mkdir(inbox)
    files = [text.encode()[:200].replace(b"/", b"_").replace(b"\0", b"") for text in NAMES.values()]
    files += [b"\xff\xfe.xml"]
    for n, (file, text) in enumerate(zip(files, [*IN_XML.values(), "Ñ"], strict=True), 1):
        own = line(f"{100 + n}", "100.00", description=text, code=text[:50], price=None, tax=None)
        supplier = (
            "<cac:AccountingSupplierParty><cac:Party><cac:PartyTaxScheme><cbc:RegistrationName>"
            "&lt;script&gt;alert(3)&lt;/script&gt;\u202e'); --</cbc:RegistrationName>"
            "<cbc:CompanyID>900123456</cbc:CompanyID></cac:PartyTaxScheme></cac:Party>"
            "</cac:AccountingSupplierParty>"
        )
        invoice = ubl(own, number=f"{n}{text[:60]}", net="100.00", payable="100.00", tax=None,
                      periods=OCTOBER, supplier=supplier)  # fmt: skip
        with open(os.path.join(inbox, file), "wb") as opened:
            opened.write(declared(invoice))
    Path("line_map.csv").write_text(f"{MAP},,*,{REPORT},,,quantity\n")
    Path("rate_card.csv").write_text(ONE_PRICE)
    return files


def run(project: Project, *words: str) -> Any:
    """Return what a command prints: of `--json` what it holds, else harmless lines."""
    words = (*words, "--destination", project.destination)
    result = CliRunner().invoke(main, list(words))
    assert result.exception is None or isinstance(result.exception, SystemExit), result.exception
    assert result.exit_code in (0, 1), result.output
    text = result.stdout
    assert all(c.isprintable() or c in "\n\t" for c in result.output)
    return json.loads(text) if "--json" in words else text


@pytest.mark.parametrize("warehouse", ["duckdb", "postgres"], indirect=True)
@pytest.mark.usefixtures("tables")
def test_names_are_stored_as_they_came_and_shown_as_texts(
    warehouse: Project, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    """Quotes, SQL, HTML, line breaks, terminal escapes, marks of direction, formulas and 10,000
    characters: as they came in tables and JSON, harmless on a terminal, in the evidence's page and
    in its CSV; what a database cannot store is rejected with the reason."""
    poll_names(warehouse, monkeypatch)
    stored = warehouse.query("SELECT DISTINCT description, operation_id FROM readings")
    assert sorted(stored) == sorted((text, OWN) for text in NAMES.values())
    reasons = warehouse.query("SELECT DISTINCT reason FROM rejected_rows")
    assert reasons == [("description holds a character that databases cannot store",)]
    assert len(warehouse.query("SELECT * FROM rejected_rows")) == 2 * len(UNSTORABLE)
    [(msg,)] = warehouse.query("SELECT DISTINCT msg FROM polls")
    assert msg == "".join(NAMES.values())[:300] + "\ufffd\ufffd"

    files = bill_names(warehouse)
    result = run(warehouse, "invoices", "inbox", "--json")
    assert result["counts"] == {"loaded": len(files)} and not result["warnings"]
    lines = warehouse.query("SELECT description FROM invoice_lines")
    assert sorted(description for (description,) in lines) == sorted([*IN_XML.values(), "Ñ"])
    names = warehouse.query("SELECT file_name FROM invoice_documents")
    assert {name for (name,) in names} == {
        *(os.fsdecode(name).strip() for name in files[:-1]),
        "\\udcff\\udcfe.xml",  # bytes that are no text, by their numbers
    }
    if warehouse.destination != "duckdb":
        return  # what is shown does not depend on where it is stored
    assert "script" in run(warehouse, "invoices", "inbox")
    in_october, in_november = local(31, 23, 55), local(30, month=11)
    for verb in (explain.explain, reconcile.reconcile):
        monkeypatch.setitem(verb.__kwdefaults__, "clock", lambda: in_november)
    monkeypatch.setitem(status.status.__kwdefaults__, "clock", lambda: in_october)
    assert "DROP TABLE" in run(warehouse, "status")
    products = run(warehouse, "status", "--json")["rows"][0]["products"]
    assert {product["product"] for product in products} == set(NAMES.values())
    october = ("--month", "2026-10")
    run(warehouse, "reconcile", *october)
    reconciliation = run(warehouse, "reconcile", *october, "--evidence", "evidence", "--json")
    assert {row["operation_id"] for row in reconciliation["rows"]} == {OWN}
    explanation = run(warehouse, "explain", "2026-10")
    assert NAMES["markup"] in explanation
    assert "\\x1b[31mred" in explanation and "\\u202egpj.exe" in explanation
    check_evidence(Path(reconciliation["evidence"]))


class Elements(HTMLParser):
    """The elements and attributes of a page, and its texts."""

    def __init__(self, page: str) -> None:
        super().__init__()
        self.tags: set[str] = set()
        self.attributes: set[str] = set()
        self.text = ""
        self.feed(page)

    def handle_starttag(self, tag: str, attributes: list[tuple[str, str | None]]) -> None:
        self.tags.add(tag)
        self.attributes |= {name for name, _ in attributes}

    def handle_data(self, data: str) -> None:
        self.text += data


def check_evidence(file: Path) -> None:
    """Fail unless its page has no element but its own, and shows no text but what prints, and its
    CSV runs nothing and has each name in one cell."""
    with zipfile.ZipFile(file) as archive:
        members = {name: archive.read(name).decode("utf-8-sig", "replace") for name in
                   archive.namelist() if name.endswith((".html", ".csv"))}  # fmt: skip
    page = Elements(members["report.html"])
    assert not page.tags & {"script", "img", "b", "a", "iframe", "object", "link", "form", "base"}
    assert not page.attributes & {"src", "href"}
    assert not [attribute for attribute in page.attributes if attribute.startswith("on")]
    assert all(c.isprintable() or c == "\n" for c in page.text)
    assert NAMES["HTML"] in page.text and NAMES["SQL"] in page.text and OWN in page.text
    for text in (members["readings.csv"], members["invoice_lines.csv"]):
        rows = list(csv.DictReader(io.StringIO(text, newline="")))
        assert not [
            cell for row in rows for cell in row.values() if cell.startswith(RUNS_AS_FORMULA)
        ]
    descriptions = [row["description"] for row in csv.DictReader(
        io.StringIO(members["readings.csv"], newline=""))]  # fmt: skip
    formulas = {NAMES["formula"], NAMES["a tab"]}
    assert set(descriptions) == set(NAMES.values()) - formulas | {f"'{text}" for text in formulas}
