"""The workbook of a month: what `reconcile` said, as Excel has it.

A record of October shows 1,000 audios of 100 COP; one invoice bills 1,450, and a fee that nobody
knows, and another one dollars.
"""

from __future__ import annotations

import hashlib
import io
import json
import re
import shutil
import subprocess
import zipfile
from collections.abc import Sequence
from datetime import date, datetime, timezone
from decimal import Decimal
from pathlib import Path
from typing import Any
from zoneinfo import ZoneInfo

import openpyxl
import pytest
from click.testing import CliRunner
from hypothesis import given, settings
from hypothesis import strategies as st

from builders.documents import line, ubl
from builders.months import MAP, OCTOBER, READ, REPORT, bill, local, read, write_maps
from builders.project import Project
from builders.worlds import once
from wolkvox_billing.cli.main import main
from wolkvox_billing.evidence.report.html import Money
from wolkvox_billing.evidence.workbook import order_workbook
from wolkvox_billing.evidence.workbook.cells import Sheet, Value
from wolkvox_billing.evidence.workbook.xlsx import MOST_CHARACTERS, Book, pack_book
from wolkvox_billing.marts.reconciled import ReconciledRow
from wolkvox_billing.marts.settled import InvoiceComponent, SettledDocument
from wolkvox_billing.reconciliation.policy import Policy
from wolkvox_billing.verbs.reconcile import Reconciliation, reconcile

pytestmark = pytest.mark.usefixtures("kept_open")
FORMULA = '=HYPERLINK("http://evil.example";"a")'
SPANISH = ["Liquidación", "Veredictos", "Componentes", "Uso por mes", "Días sin lectura",
           "Acerca de"]  # fmt: skip
LOCALE = """<?xml version="1.0" encoding="UTF-8"?>
<oor:items xmlns:oor="http://openoffice.org/2001/registry">
<item oor:path="/org.openoffice.Setup/L10N">
<prop oor:name="ooSetupSystemLocale" oor:op="fuse"><value>es-CO</value></prop></item>
</oor:items>"""


def october(project: Project) -> None:
    once(project, _october)


def _october(project: Project) -> None:
    read(project, *READ)
    own = line("1450", "145000.00", description="Grabaciones en S3", price=None, tax=None)
    fee = line("1", "350000.75", description=FORMULA, number="2", tax=None, price=None)
    dollars = line("3", "1234.50", description="Licencias", price=None, tax=None, currency="USD")
    bill(
        project,
        ubl(own, fee, net="495000.75", tax=None, periods=OCTOBER),
        ubl(dollars, net="1234.50", tax=None, periods=OCTOBER, currency="USD", number="+F-2"),
    )
    write_maps(f"{MAP},,*grabaciones*,{REPORT},,,quantity\n,,*hyper*,,,,fee\n")


def write_october(
    project: Project, file: str = "october.xlsx", month: str = "2026-10", **policy: Any
) -> Reconciliation:
    """Reconcile October, as of 30 November, into a workbook."""
    project.vendor.now = local(30, month=11)
    return reconcile(
        month,
        destination=project.destination,
        policy=Policy(**{"language": "es_CO", **policy}),
        workbook=order_workbook(file, month),
        clock=lambda: project.vendor.now,
    )


def october_written(project: Project) -> Path:
    """October's workbook."""
    once(project, _october_written)
    return project.folder / "october.xlsx"


def _october_written(project: Project) -> None:
    october(project)
    write_october(project)


def table(file: Path, title: str) -> tuple[list[list[Any]], list[dict[str, Any]]]:
    """The sums of a sheet, and its rows by heading, as cells."""
    page = openpyxl.load_workbook(file)[title]
    heading = int(page.auto_filter.ref[1:].split(":")[0])
    names = [str(cell.value) for cell in page[heading]]
    sums = [[cell.value for cell in row] for row in page.iter_rows(min_row=2, max_row=heading - 1)]
    rows = page.iter_rows(min_row=heading + 1)
    return sums, [dict(zip(names, row, strict=True)) for row in rows]


def pack(*values: Value, locale: str = "es_CO") -> bytes:
    """A workbook with a sheet of these values, one a row."""
    sheet = Sheet("S", {"value": "value"}, [{"value": value} for value in values])
    at = datetime(2026, 11, 30, 17, tzinfo=timezone.utc)
    file = io.BytesIO()
    pack_book(Book(date(2026, 10, 1), at, ZoneInfo("America/Bogota"), locale, [sheet]), file)
    return file.getvalue()


def unpack(data: bytes) -> list[Any]:
    """The cells of such a workbook."""
    page = openpyxl.load_workbook(io.BytesIO(data))["S"]
    return [page.cell(row, 1) for row in range(3, page.max_row + 1)]


def parts_of(data: bytes) -> dict[str, str]:
    with zipfile.ZipFile(io.BytesIO(data)) as archive:
        return {name: archive.read(name).decode() for name in archive.namelist()}


def test_what_to_pay_leads_with_a_sum_of_each_currency(project: Project) -> None:
    """Asked, agreed, questioned, claimed, as numbers; pesos and dollars are never one sum."""
    file = october_written(project)
    book = openpyxl.load_workbook(file)
    assert book.sheetnames == SPANISH
    sums, rows = table(file, "Liquidación")
    assert [total[:7] for total in sums] == [
        ["todos: 1", None, "COP", 495_000.75, 100_000, 395_000.75, 45_000],
        ["todos: 1", None, "USD", 1234.5, 0, 1234.5, 0],
    ]
    by_number = {row["número"].value: row for row in rows}
    pesos = by_number["F-1"]
    assert [*pesos][2:8] == [
        "moneda", "cobrado", "de acuerdo", "en cuestión", "reclamado", "qué hacer",
    ]  # fmt: skip
    assert pesos["cobrado"].number_format == '#,##0.00" COP"'
    assert (pesos["emitido"].is_date, f"{pesos['emitido'].value:%Y-%m-%d}") == (True, "2026-11-03")
    assert (pesos["qué hacer"].value, by_number["+F-2"]["qué hacer"].value) == (
        "reclamar", "preguntar",
    )  # fmt: skip
    tones = {row["qué hacer"].fill.start_color.rgb for row in rows}
    assert len(tones) == 2
    page = book["Liquidación"]
    assert (page.freeze_panes, page.print_title_rows) == ("C5", "$4:$4")
    assert page.page_setup.orientation == "landscape"


def test_sums_of_verdicts_tie_out(project: Project) -> None:
    """What has a cost by contract, what has none, and what nobody billed are sums of their own:
    contracted cost and difference come to what is billed."""
    file = october_written(project)
    sums, rows = table(file, "Veredictos")
    names = [*rows[0]]
    cost, billed, difference = map(
        names.index, ("costo según contrato", "costo facturado", "diferencia en dinero")
    )
    assert [(total[0], total[cost], total[billed], total[difference]) for total in sums] == [
        ("facturado con costo según contrato: 1", 100_000, 145_000, 45_000),
        ("facturado sin costo conocido según contrato: 1", None, 1234.5, None),
    ]
    [overbilled] = [row for row in rows if row["estado"].value == "cantidad facturada de más"]
    assert overbilled["documentos"].value == "F-1"
    assert overbilled["efecto de cantidad"].value == 45_000
    assert overbilled["hasta antes de"].is_date
    assert overbilled["diferencia en cantidad"].number_format == "+#,##0;-#,##0;#,##0"


def test_each_column_of_the_rows_is_there_once(project: Project) -> None:
    """Whatever columns the marts have, a filter can tell them from each other."""
    file = october_written(project)
    kinds: Sequence[type] = (SettledDocument, ReconciledRow, InvoiceComponent)
    for title, kind, more in zip(SPANISH, kinds, (0, 1, 1), strict=False):
        names = [*table(file, title)[1][0]]
        assert len(names) == len(kind.__annotations__) + more  # and which document


def test_nothing_in_it_runs(project: Project) -> None:
    """Texts of papers that look like formulas stay texts, also when somebody edits the cell; no
    part of the file leads out of it."""
    file = october_written(project)
    parts = parts_of(file.read_bytes())
    assert not any("<f>" in text or "<f " in text for text in parts.values())
    assert not any("externalLink" in name or "TargetMode" in text for name, text in parts.items())
    _, rows = table(file, "Componentes")
    [fee] = [row["descripción"] for row in rows if row["descripción"].value == FORMULA]
    assert (fee.data_type, bool(fee.quotePrefix)) == ("s", True)


HOSTILE = ["=1+1", "+1", "-1", "@SUM(A1)", "\t=1", "\r=1", "#REF!", "=", "_x0041_", "a\0b",
           "\ud800", "\x1b[31m", "\u202eabc", "\ufffe"]  # fmt: skip


@settings(max_examples=20, deadline=None)
@given(st.lists(st.text(st.characters(exclude_categories=())), max_size=5))
def test_any_text_is_kept_or_shown_by_its_number(texts: list[str]) -> None:
    """No text is a formula or an error, and none keeps the workbook from being written."""
    values = [*HOSTILE, *texts]
    cells = unpack(pack(*values))
    assert {cell.data_type for cell in cells if cell.value is not None} == {"s"}
    shown = [cell.value for cell in cells[: len(HOSTILE)]]
    assert shown == [
        "=1+1", "+1", "-1", "@SUM(A1)", "\\t=1", "\\r=1", "#REF!", "=", "_x005F_x0041_", "a\\x00b",
        "\\ud800", "\\x1b[31m", "\\u202eabc", "\\ufffe",
    ]  # fmt: skip


def test_a_text_that_is_too_long_says_so() -> None:
    """A cell holds 32,767 characters."""
    [cell] = unpack(pack("a" * 40_000))
    assert len(cell.value) == MOST_CHARACTERS
    assert cell.value.endswith("aa… (+40,000)")


@settings(max_examples=20, deadline=None)
@given(st.lists(st.decimals(-(10**14), 10**14, places=4, allow_nan=False), min_size=20))
def test_a_number_is_exact_or_a_text(numbers: list[Decimal]) -> None:
    """Excel keeps 15 digits: a number of more is written out as the locale does."""
    cells = unpack(pack(*(Money(number, "COP") for number in numbers)))
    for number, cell in zip(numbers, cells, strict=True):
        whole, fraction = f"{abs(number):.4f}".split(".")
        is_exact = len(whole.lstrip("0") + fraction.rstrip("0")) <= 15
        assert cell.data_type == ("n" if is_exact else "s")
        if is_exact:
            assert Decimal(f"{cell.value:.15g}") == number
        else:
            assert Decimal(cell.value[:-4].replace(".", "").replace(",", ".")) == number


def test_amounts_are_shown_to_the_cent() -> None:
    """Cents, as in sentences; what has more is not rounded away, and what is no code is no part
    of the format."""
    amounts = [("CLP", "5"), ("USD", "5.5"), ("USD", "0.1234"), ('"A', "5"),
               ("COP", "123456789012345.67")]  # fmt: skip
    cells = unpack(pack(*(Money(Decimal(amount), currency) for currency, amount in amounts)))
    assert [cell.number_format for cell in cells] == [
        '#,##0.00" CLP"', '#,##0.00" USD"', '#,##0.0000" USD"', "#,##0.00", "General",
    ]  # fmt: skip
    assert cells[-1].value == "123.456.789.012.345,67 COP"


def test_a_day_that_excel_has_not_is_a_text() -> None:
    """Its calendar begins in 1900, and counts a day that there was not."""
    cells = unpack(pack(date(1021, 11, 3), date(1900, 2, 28), date(1900, 3, 1)))
    assert [cell.value for cell in cells[:2]] == ["1021-11-03", "1900-02-28"]
    assert (cells[2].is_date, f"{cells[2].value:%Y-%m-%d}") == (True, "1900-03-01")


def test_the_same_inputs_give_the_same_bytes(project: Project) -> None:
    """Nothing in it tells when it was written."""
    first = october_written(project)
    second = write_october(project, "b/c.XLSX").workbook
    assert second
    assert first.read_bytes() == second.read_bytes()
    assert "2026-11-30T17:00:00Z" in parts_of(first.read_bytes())["docProps/core.xml"]


def test_a_workbook_that_is_there_is_kept(project: Project) -> None:
    """Somebody may have written into it: the new one gets a number, and that is told."""
    october(project)
    Path("october.xlsx").write_bytes(b"notes")
    result = write_october(project)
    assert result.workbook and result.workbook.name == "october.2.xlsx"
    assert Path("october.xlsx").read_bytes() == b"notes"
    assert "october.xlsx ya está con otro contenido" in result.warnings[-1]
    assert write_october(project).workbook == result.workbook


def test_days_without_an_answer_are_listed(project: Project) -> None:
    """It was asked on the 1st, the 15th and the 31st of October: 28 days are unread."""
    october(project)
    file = write_october(project, language="en").workbook
    assert file
    _, rows = table(file, "Unread days")
    days = [row["day"].value.day for row in rows]
    assert days == [day for day in range(1, 32) if day not in (1, 15, 31)]
    assert rows[0]["calls"].value == 0
    _, [used] = table(file, "Usage by month")
    read_at = used["last read at (America/Bogota)"]
    assert (read_at.is_date, f"{read_at.value:%Y-%m-%d %H:%M}") == (True, "2026-10-31 23:50")
    assert used["measured"].value == 1000


def test_a_month_without_anything_has_its_workbook(project: Project) -> None:
    """Nothing was measured or billed in May: `none`, and every day of it unread by nobody."""
    october(project)
    file = write_october(project, month="2026-05", language="en").workbook
    assert file
    for title in ("Settlement", "Verdicts", "Components", "Unread days"):
        sums, [row] = table(file, title)
        assert (sums, [cell.value for cell in row.values() if cell.value]) == ([], ["none"])


def test_it_is_of_the_verdicts_and_the_evidence_that_are_printed(project: Project) -> None:
    """With --json and --evidence: one reconciliation, and the workbook names the evidence's hash;
    without evidence it says that there is none."""
    october(project)
    words = ["reconcile", "--month", "2026-10", "--xlsx", "month.xlsx", "--json"]
    result = CliRunner().invoke(main, [*words, "--evidence", "evidence"])
    assert result.exit_code == 0, result.output
    printed = json.loads(result.stdout)
    evidence = Path(printed["evidence"])
    about = _about(Path(printed["xlsx"]))
    assert about["evidence"] == evidence.name
    digest = hashlib.sha256(evidence.read_bytes()).hexdigest()
    assert about["SHA-256 of the evidence"] == digest
    assert about["tail_factor"] == "2"
    assert about["timezone"] == "America/Bogota"
    _, rows = table(Path(printed["xlsx"]), "Verdicts")
    assert [row["explanation"].value for row in rows] == [
        row["explanation"] for row in printed["rows"]
    ]
    alone = _about(write_october(project, "alone.xlsx", language="en").workbook)
    assert alone["evidence"] == "none was written with this workbook"


def _about(file: Path | None) -> dict[str, Any]:
    assert file
    _, rows = table(file, "About")
    return {row["what"].value: row["value"].value for row in rows}


@pytest.mark.parametrize(
    ("words", "says"),
    [
        (["--month", "2026-10", "--xlsx", "month.csv"], "month.csv does not end in .xlsx"),
        (["--month", "2026-10", "--xlsx", ""], "does not end in .xlsx"),
        (["--xlsx", "month.xlsx"], "--xlsx needs a --month"),
        (["--month", "2026-10", "--xlsx", "folder.xlsx"], "folder.xlsx is a folder"),
        (["--month", "2026-10", "--xlsx", "file/month.xlsx"], "file is no folder"),
        (["--init", "--xlsx", "month.xlsx"], "--init goes without --xlsx"),
    ],
)
def test_what_cannot_be_meant_ends_in_2(project: Project, words: list[str], says: str) -> None:
    """Before anything is done."""
    Path("folder.xlsx").mkdir()
    Path("file").touch()
    result = CliRunner().invoke(main, ["reconcile", *words])
    assert result.exit_code == 2
    assert says in result.output


def test_libreoffice_opens_it(project: Project, tmp_path: Path) -> None:
    """It becomes a PDF, with figures as es-CO writes them, and no error in any cell."""
    programs = [shutil.which(name) for name in ("soffice", "pdftotext")]
    if not all(programs):
        pytest.skip("needs soffice and pdftotext: apt-get install libreoffice-calc-nogui "
                    "poppler-utils")  # fmt: skip
    file = october_written(project)
    profile = tmp_path / "profile" / "user"
    profile.mkdir(parents=True)
    (profile / "registrymodifications.xcu").write_text(LOCALE)
    subprocess.run(
        [str(programs[0]), f"-env:UserInstallation=file://{profile.parent}", "--headless",
         "--convert-to", "pdf", "--outdir", str(tmp_path), str(file)],
        check=True, capture_output=True, timeout=120,
    )  # fmt: skip
    text = subprocess.run(
        [str(programs[1]), "-layout", str(tmp_path / "october.pdf"), "-"],
        check=True, capture_output=True, text=True, timeout=60,
    ).stdout  # fmt: skip
    assert re.search(r"todos: 1 +COP +495\.000,75 COP +100\.000,00 COP +395\.000,75 COP", text)
    assert re.search(r"1\.000 +1\.450 +\+450 +100\.000,00 COP", text)
    assert "=HYPERLINK" in text
    assert not any(wrong in text for wrong in ("Err:", "#NAME?", "#VALUE!", "#REF!", "###"))
