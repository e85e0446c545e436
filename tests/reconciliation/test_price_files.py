"""The line map and the rate card, as a finance person and Excel leave them."""

from __future__ import annotations

import codecs
import json
import zipfile
from dataclasses import replace
from datetime import date
from decimal import Decimal
from fnmatch import fnmatchcase
from pathlib import Path

import duckdb
import pytest
from click.testing import CliRunner
from hypothesis import given
from hypothesis import strategies as st

from builders.facts import billed_line, use
from builders.fuzzing import at_length
from builders.months import (
    CARD,
    MAP,
    OCTOBER_PERIOD,
    ONE_LINE,
    ONE_PRICE,
    READ,
    REPORT,
    bill,
    invoice,
    judged,
    local,
    only,
    read,
    statuses,
    write_maps,
)
from builders.project import Project
from wolkvox_billing.cli.main import main
from wolkvox_billing.errors import SettingsError
from wolkvox_billing.evidence import order_evidence
from wolkvox_billing.reconciliation.contract.line_map import (
    MapRow,
    first_fits,
    read_line_map,
    warn_of_map,
)
from wolkvox_billing.reconciliation.contract.names import named_reports, unknown_names
from wolkvox_billing.reconciliation.contract.rate import Rate
from wolkvox_billing.reconciliation.contract.rate_card import read_rate_card, warn_of_card
from wolkvox_billing.reconciliation.contract.templates import propose, write_templates
from wolkvox_billing.reconciliation.contract.terms import Terms
from wolkvox_billing.reconciliation.facts import BilledLine, Meter
from wolkvox_billing.reconciliation.policy import Policy
from wolkvox_billing.vendor.reports import REPORTS
from wolkvox_billing.verbs.publish import publish
from wolkvox_billing.verbs.reconcile import reconcile

pytestmark = pytest.mark.usefixtures("kept_open")
HEADER = CARD.strip().replace(",", ";")


def card(tmp_path: Path, *rows: str, header: str = HEADER) -> list[Rate]:
    """The rates of a card with `;` as separator."""
    return card_of(tmp_path, "\n".join([header, *rows]).encode())


def card_of(tmp_path: Path, data: bytes) -> list[Rate]:
    file = tmp_path / "rate_card.csv"
    file.write_bytes(data)
    return read_rate_card(file, [REPORT])


def map_of(tmp_path: Path, data: bytes) -> list[MapRow]:
    file = tmp_path / "line_map.csv"
    file.write_bytes(data)
    return read_line_map(file, [REPORT])


def recordings(description: str = "Grabaciones, en S3", code: str = "RSYNC") -> BilledLine:
    """A line of an invoice that names no period."""
    return billed_line(1, "1", None, supplier_id="900123456", description=description,
                       item_code=code)  # fmt: skip


def tier(price: str, quantity: str = "0", start: str = "2026-01-01", currency: str = "COP") -> str:
    return f"{REPORT};;;{quantity};{price};{currency};{start};"


# Numbers.


@pytest.mark.parametrize(
    ("written", "price"),
    [
        ("1.234,56", "1234.56"),
        ("1,234.56", "1234.56"),
        ("1234", "1234"),
        ("1.234.567", "1234567"),
        ("0.045", "0.045"),
        ("0,045", "0.045"),
        ("0.000123", "0.000123"),
        ("1.2340", "1.234"),
        ("0.00000001", "0.00000001"),
        ("0.100000000", "0.1"),
        ("999999999.99", "999999999.99"),
        ("$ 1.234,50", "1234.50"),
        ("COP 5", "5"),
    ],
)
def test_a_price_that_reads_in_one_way(tmp_path: Path, written: str, price: str) -> None:
    """Either mark is taken before decimals where the number itself says so."""
    [rate] = card(tmp_path, tier(written))
    assert rate.unit_price == Decimal(price)


@pytest.mark.parametrize(
    ("written", "says"),
    [
        ("1.234", "'1.234': expected a number that reads in one way: write 1234 if its mark is "
                  "between thousands, 1.2340 if it is before decimals"),
        ("1,234", "'1,234': expected a number that reads in one way: write 1234 if"),
        ("10.000", "write 10000 if its mark is between thousands, 10 if it is before decimals"),
        ("0.000000001", "'0.000000001': expected at most 8 decimals: round it"),
        ("1000000000", "'1000000000': expected less than 1,000,000,000"),
        ("1000000000000", "'1000000000000': expected less than 1,000,000,000"),
        ("-", "'-': expected a number"),
        ("", "'': expected a number"),
        ("USD 5", "'USD 5': expected a number"),
        ("1E+05", "'1E+05': expected a number"),
        ("1_000", "'1_000': expected a number"),
        ("5%", "'5%': expected a number"),
        ("(5)", "'(5)': expected a number such as 1234.56 or 1.234,56, not negative"),
        ("NaN", "'NaN': expected a number"),
    ],
)  # fmt: skip
def test_a_price_that_nobody_can_be_sure_of(tmp_path: Path, written: str, says: str) -> None:
    """It is refused with its row and column, and how to write it."""
    with pytest.raises(SettingsError) as error:
        card(tmp_path, tier(written))
    assert str(error.value).startswith("rate_card.csv, line 2, column unit_price: ")
    assert says in str(error.value)


def test_a_column_settles_its_numbers(tmp_path: Path) -> None:
    """One number that reads in one way tells how the others of its column are meant; another column
    tells nothing, since a person may write it another way."""
    rates = card(tmp_path, tier("1.234"), tier("1.100,50", "100"))
    assert [rate.unit_price for rate in rates] == [Decimal(1234), Decimal("1100.50")]
    rates = card(tmp_path, tier("1.234"), tier("0.5", "100"))
    assert [rate.unit_price for rate in rates] == [Decimal("1.234"), Decimal("0.5")]
    with pytest.raises(SettingsError, match=r"line 3, column from_quantity: '10\.000': expected"):
        card(tmp_path, tier("0.045"), tier("0.040", "10.000"))
    with pytest.raises(SettingsError, match=r"line 3, column unit_price: '0,5': .* line 2, '0.6'"):
        card(tmp_path, tier("0.6"), tier("0,5", "100"))


def test_a_from_quantity_has_bounds(tmp_path: Path) -> None:
    """What the database could not hold is refused by its place; a blank one is 0."""
    assert card(tmp_path, tier("1", ""))[0].from_quantity == 0
    assert card(tmp_path, tier("1"), tier("2", "99999999999999"))[1].from_quantity == 10**14 - 1
    with pytest.raises(SettingsError, match="line 3, column from_quantity: '100000000000000'"):
        card(tmp_path, tier("1"), tier("2", "100000000000000"))
    with pytest.raises(SettingsError, match="expected at most 4 decimals"):
        card(tmp_path, tier("1"), tier("2", "0.00001"))


# DuckDB's way into a copy is shorter: its decimals are no text in between.
@pytest.mark.parametrize("warehouse", at_length(["postgres"], "duckdb"), indirect=True)
def test_a_small_price_is_stored_whole(warehouse: Project) -> None:
    """0.000123 for each of 1,000,000 is 123.00: the tables and the evidence hold all decimals."""
    read(warehouse, (local(1), "10"), (local(31, 23, 59), "1000000"))
    bill(warehouse, invoice("1000000", "123.00"))
    write_maps(rate_card=f"{CARD}{REPORT},,,0,0.000123,COP,2026-01-01,\n")
    warehouse.vendor.now = local(30, month=11)
    result = reconcile("2026-10", destination=warehouse.destination, policy=Policy(),
                       evidence=order_evidence("out", "2026-10"),
                       clock=lambda: warehouse.vendor.now)  # fmt: skip
    row = only(result)
    assert (row.reconciliation_status, row.contracted_cost) == ("matched", 123)
    for column, mart in (
        ("contracted_unit_price", "marts.invoice_reconciliation"),
        ("unit_price", "internal.rate_card"),
    ):
        query = f"SELECT {column} FROM wolkvox_billing_{mart}"
        assert warehouse.query(query) == [(Decimal("0.000123"),)]
    assert result.evidence
    with zipfile.ZipFile(result.evidence) as archive:
        assert ",0.00012300," in archive.read("invoice_reconciliation.csv").decode()
    publish("copy.duckdb", destination=warehouse.destination)
    with duckdb.connect("copy.duckdb", read_only=True) as db:
        prices = db.execute(
            "SELECT contracted_unit_price FROM wolkvox_billing_marts.invoice_reconciliation"
        ).fetchall()
    assert prices == [(Decimal("0.000123"),)]


# Dates.


@pytest.mark.parametrize(
    ("written", "day"),
    [
        ("2026-01-02", date(2026, 1, 2)),
        ("2026-1-2", date(2026, 1, 2)),
        ("1/01/2026", date(2026, 1, 1)),
        ("2/01/2026", date(2026, 1, 2)),
        ("31/12/2026", date(2026, 12, 31)),
    ],
)
def test_a_day_is_iso_or_as_excel_saves_it_again(tmp_path: Path, written: str, day: date) -> None:
    """Day/month/year, as in an invoice's spreadsheet."""
    assert card(tmp_path, tier("1", start=written))[0].valid_from == day


@pytest.mark.parametrize(
    "written",
    [
        "20260101",
        "2026-W01-1",
        "01/01/26",
        "46023",
        "30/02/2026",
        "0226-01-01",
        "2026",
        "enero",
        "",
    ],
)
def test_no_other_day_is_taken(tmp_path: Path, written: str) -> None:
    """It is refused by its place, whatever Python can read."""
    with pytest.raises(SettingsError) as error:
        card(tmp_path, tier("1", start=written))
    assert str(error.value) == (
        f"rate_card.csv, line 2, column valid_from: {written!r}: expected a day such as 2026-10-31 "
        "or 31/10/2026"
    )


def test_a_month_that_comes_first_spoils_the_file(tmp_path: Path) -> None:
    """12/31/2026 shows that the file is not in day/month/year: no date of it is believed."""
    with pytest.raises(SettingsError, match="valid_to: '12/31/2026': expected day/month/year"):
        card(tmp_path, f"{REPORT};;;0;1;COP;1/02/2026;12/31/2026")


def test_a_price_that_seems_to_end_a_day_early_is_a_warning(tmp_path: Path) -> None:
    """valid_to is exclusive: the last day of a month is most likely meant to be inside, and so is
    the day before the next price begins."""
    rows = [f"{REPORT};;A;0;1;COP;2026-01-01;{end}" for end in ("2026-09-30",)]
    rows += [f"{REPORT};;B;0;1;COP;2026-01-01;{end}" for end in ("2026-10-01",)]
    rows += [f"{REPORT};;C;0;1;COP;2026-01-01;{end}" for end in ("31/12/9999",)]
    rows += [f"{REPORT};;D;0;1;COP;2026-01-01;2026-10-15", f"{REPORT};; d;0;2;COP;2026-10-16;"]
    rows += [f"{REPORT};;E;0;1;COP;2026-01-01;2026-10-15", f"{REPORT};;E;0;2;COP;2026-10-15;"]
    rates = card(tmp_path, *rows)
    assert warn_of_card(rates, "rate_card.csv") == [
        "rate_card.csv, line 2, column valid_to: 2026-09-30 is the first day on which the price no "
        "longer holds; if it is the last one on which it does, write 2026-10-01",
        "rate_card.csv, line 5, column valid_to: 2026-10-15 is the first day on which the price no "
        "longer holds; if it is the last one on which it does, write 2026-10-16",
    ]


# Names.


def test_names_compare_without_case_and_accents(tmp_path: Path) -> None:
    """In the rate card the more exact row wins, however it is spelled; the same names twice are the
    same tier."""
    rows = [tier("100"), f"{REPORT.upper()};ACME;;0;90;cop;2026-01-01;"]
    rows += [f"{REPORT};acme;audíos;0;80;COP;2026-01-01;"]
    rates = card(tmp_path, *rows)
    for product, price in (("", 90), ("OTHER", 90), ("AUDIOS", 80)):
        [tariff] = Terms(rates).tariffs(Meter("acme", REPORT, product), "COP", OCTOBER_PERIOD)
        assert [rate.unit_price for rate in tariff.tiers] == [price], product
    with pytest.raises(SettingsError, match="line 4, column from_quantity: 0 is there twice"):
        card(tmp_path, *rows, f"{REPORT};Acme;AUDIOS;0;70;COP;2026-01-01;")


def test_a_line_map_may_spell_names_its_own_way(warehouse: Project) -> None:
    """Acme, Audíos and Quantity are the acme, AUDIOS and quantity that there are; the verdict has
    the vendor's spelling, and two spellings are one key."""
    read(warehouse, *READ)
    bill(warehouse, invoice("600", "60000.00"), invoice("400", "40000.00", number="F-2"))
    rows = f",,grab*,{REPORT.upper()},Acme,Audíos,Quantity\n"
    price = f"{REPORT},ACME,audios,0,100,COP,2026-01-01,\n"
    row = only(judged(warehouse, f"{MAP}{rows}", f"{CARD}{price}"))
    assert (row.operation_id, row.product) == ("acme", "AUDIOS")
    assert (row.reconciliation_status, row.billed_quantity) == ("matched", 1000)


def test_names_that_nobody_has_are_warnings(project: Project) -> None:
    """With file, row, column, and the names that there are; a blank one and a fee name nothing."""
    read(project, *READ)
    bill(project, invoice("1000", "100000.00"))
    result = judged(
        project,
        f"{ONE_LINE},,*x*,{REPORT},acne,,quantity\n,,*y*,{REPORT},,Vídeos,quantity\n"
        ",,*cargo*,,nobody,nothing,fee\n",
        f"{ONE_PRICE}{REPORT},acne,,0,90,COP,2026-01-01,\n"
        f"{REPORT},ACME,audio,0,80,COP,2026-01-01,\n",
    )
    none = "column pattern: no invoice line is taken by this row"
    assert result.warnings == [
        f"line_map.csv, line 3, {none}",
        f"line_map.csv, line 4, {none}",
        f"line_map.csv, line 5, {none}",
        "line_map.csv, line 3, column operation_id: 'acne' is no operation that was asked; "
        "there is 'acme'",
        f"line_map.csv, line 4, column product: 'Vídeos' is no product of {REPORT} that was read; "
        "there is 'AUDIOS'",
        "rate_card.csv, line 3, column operation_id: 'acne' is no operation that was asked; "
        "there is 'acme'",
        f"rate_card.csv, line 4, column product: 'audio' is no product of {REPORT} that was read; "
        "there is 'AUDIOS'",
    ]


def test_a_product_is_one_of_its_operation(tmp_path: Path) -> None:
    """A product that only another operation has is nobody's in a row that names an operation; where
    nothing was ever asked, no name is known to be wrong."""
    rates = card(tmp_path, f"{REPORT};beta;AUDIOS;0;1;COP;2026-01-01;")
    names = {"acme": None, "beta": None}
    audios, video = use(OCTOBER_PERIOD, 1), use(OCTOBER_PERIOD, 1, product="VIDEO")
    [warning] = unknown_names(rates, "f", names, [audios, replace(video, operation_id="beta")])
    assert warning.endswith("that was read; there is 'VIDEO'")
    same = replace(audios, product="Audios", operation_id="beta")
    assert unknown_names(rates, "f", names, [same]) == []
    assert unknown_names(rates, "f", {}, []) == []


def test_a_pattern_without_a_star_gets_a_hint(tmp_path: Path) -> None:
    """A person expects a word to be enough."""
    rows = map_of(tmp_path, f"{MAP},,grabaciones,{REPORT},,,quantity\n".encode())
    [warning] = warn_of_map(rows, [recordings()], "line_map.csv", taking=())
    assert warning.endswith("without * it must be the whole description: try *grabaciones*")


def test_a_supplier_of_whom_no_document_is_gives_a_warning(project: Project) -> None:
    """`supplier_ids` with a slip in it leaves all invoices out; without documents none is wrong."""
    read(project, *READ)
    assert judged(project, supplier_ids=("900123457",)).warnings == []
    bill(project, invoice("1000", "100000.00"))
    assert judged(project, supplier_ids=("900123457",)).warnings == [
        "the setting `supplier_ids` under [reconciliation] has 900123457, and no document is of "
        "that supplier; there is '900123456'"
    ]
    assert judged(project, supplier_ids=("900123456",)).warnings == []


# The file as Excel saves it.

ROW = tier("100").encode()


@pytest.mark.parametrize(
    "data",
    [
        pytest.param(HEADER.encode() + b";;;\n" + ROW + b";;;\n;;;;;;;;;;\n", id="trailing"),
        pytest.param(b"sep=;\r\n" + HEADER.encode() + b"\r\n" + ROW + b"\r\n", id="sep"),
        pytest.param(b'"# a; ""b"", c";;\n  # d "e\n\t#\n' + HEADER.encode() + b"\n" + ROW, id="#"),
        pytest.param(b'"# a\nb";;\n' + HEADER.encode() + b"\n" + ROW, id="# in two lines"),
        pytest.param(HEADER.upper().replace("_", " ").encode() + b"\n" + ROW, id="headings"),
        pytest.param(codecs.BOM_UTF8 + HEADER.encode() + b"\r" + ROW, id="BOM, old Mac"),
        pytest.param(f"{HEADER}\n{ROW.decode()}".replace(";", "\t").encode("utf-16"), id="utf-16"),
        pytest.param(f"{HEADER}\n{ROW.decode()}".replace(";", ",").encode(), id="comma"),
        pytest.param(f'{HEADER}\n{ROW.decode()}'.replace(";", '";"').encode()
                     .replace(b"report", b'"report').replace(b"valid_to", b'valid_to"')
                     .replace(b"rsync", b'"rsync') + b'"', id="all in quotes"),
    ],
)  # fmt: skip
def test_a_file_is_read_as_excel_saves_it(tmp_path: Path, data: bytes) -> None:
    """Empty columns and rows, sep=, comments in quotes or behind blanks, headings in any case."""
    [rate] = card_of(tmp_path, data)
    assert (rate.report, rate.unit_price, rate.currency) == (REPORT, 100, "COP")


COMMAS = CARD.strip()


@pytest.mark.parametrize(
    "text",
    [
        pytest.param(f"{COMMAS}\n{tier('90,5')}", id="typed below commas"),
        pytest.param(f"{COMMAS};;;;;;;\n# a, b;;;;;;;\n{tier('90,5')}", id="in columns beside"),
        pytest.param(f"{HEADER}\n{tier('90.5').replace(';', ',')}", id="commas below ;"),
        pytest.param(f"{COMMAS}\n{tier('90.5')}".replace(";", "\t"), id="tabs below commas"),
        pytest.param(f"{COMMAS}\n{tier('90,5')}".replace(";;;0", ';;"a; b, c";0'), id="quotes"),
    ],
)
def test_a_row_may_have_another_delimiter_than_the_file(tmp_path: Path, text: str) -> None:
    """Where Excel shows a file in one column, a row that is typed beside it comes with Excel's own
    delimiter and decimal mark; what stood there before is padded with it."""
    before = f"{REPORT},b,,0,70,COP,2026-01-01," + (";;;;;;;" if ";;;;;;;" in text else "")
    first, second = card_of(tmp_path, f"{text}\n{before}\n".encode())
    assert (first.report, first.unit_price) == (REPORT, Decimal("90.5"))
    assert (second.operation_id, second.unit_price, second.valid_from) == (
        "b", 70, date(2026, 1, 1),
    )  # fmt: skip


def test_a_delimiter_in_a_text_divides_no_row(tmp_path: Path) -> None:
    """A pattern has `;` in a file of commas, or commas in one of `;`."""
    own = f"{MAP},,*a;b;c;d;e;f;g*,{REPORT},,p;,quantity\n".encode()
    [row] = map_of(tmp_path, own)
    assert (row.pattern, row.product) == ("*a;b;c;d;e;f;g*", "p;")
    [row] = map_of(tmp_path, f"{MAP.replace(',', ';')};;*a, b*;{REPORT};;;quantity\n".encode())
    assert row.pattern == "*a, b*"
    [row] = map_of(tmp_path, f"{MAP};;*a, b*;{REPORT};;;quantity\n".encode())
    assert row.pattern == "*a, b*"


_WORDS = st.lists(st.sampled_from(["a", "ab", "b", "7", "77", " ", "a b", "?", "[ab]", "*"]),
                  max_size=6).map("".join)  # fmt: skip


@given(patterns=st.lists(_WORDS, max_size=8), text=_WORDS)
def test_the_first_row_that_fits_is_taken_however_it_is_looked_for(
    patterns: list[str], text: str
) -> None:
    """Words, parts of words and wildcards: as if every row were held against every line by shell
    patterns, in the file's order."""
    rows = [
        MapRow(n, "", "", pattern, "", "", "", "accepted") for n, pattern in enumerate(patterns)
    ]
    own = " ".join(text.split())
    fitting = [row for row, pattern in zip(rows, patterns, strict=True)
               if not pattern or fnmatchcase(own, " ".join(pattern.split()))]  # fmt: skip
    assert first_fits(rows, [recordings(text, "")]) == [fitting[0] if fitting else None]


def test_a_file_in_excels_old_encoding_is_read(tmp_path: Path) -> None:
    """cp1252, as the plain CSV of a Spanish Excel."""
    [row] = map_of(tmp_path, f"{MAP},,*grabación*,{REPORT},,Señal,quantity\n".encode("cp1252"))
    assert (row.pattern, row.product) == ("*grabación*", "Señal")
    assert first_fits([row], [recordings("GRABACION 7")]) == [row]


@pytest.mark.parametrize(
    ("data", "says"),
    [
        (b"PK\x03\x04...", "is a workbook, and no CSV: save it in Excel as «CSV UTF-8»"),
        (b"\xd0\xcf\x11\xe0...", "is a workbook, and no CSV"),
        (b"a\x81", "is no text in UTF-8 or Windows-1252: save it in Excel as «CSV UTF-8»"),
        (b"# only\n;;\n", "is empty: expected a first line report,operation_id"),
        (HEADER.replace("currency", "moneda").encode(), "missing: currency; unknown: 'moneda'"),
        (HEADER.encode() + b";notas", "unknown: 'notas'"),
        (HEADER.encode() + b";report", "twice: report"),
        (HEADER.encode() + b'\n"' + ROW + b"\n", "line 2: a quote is opened and never closed"),
        (HEADER.encode() + b'\n"x"y;' + ROW + b"\n", "line 2: text behind a quote"),
        (HEADER.encode() + b"\n" + ROW + b";x", "line 2, column valid_to: 9 cells, and 8 columns"),
        (HEADER.encode() + b";;\n" + ROW + b";;x", "valid_to: 10 cells, and 8 columns"),
        (HEADER.encode() + b'\n"' + tier("1").replace(";", ",").encode() + b'"',
         "line 2, column report: the whole row stands in one cell"),
        (HEADER.encode() + b"\n" + tier("1", start="########").encode(),
         "line 2, column valid_from: '########': expected a value; that is what Excel saves"),
        (HEADER.encode() + b"\n\n#REF!;;;0;1;COP;2026-01-01;",
         "line 3, column report: '#REF!': expected a value"),
    ],
)  # fmt: skip
def test_a_file_that_cannot_be_read_says_what_to_do(tmp_path: Path, data: bytes, says: str) -> None:
    """In words for whoever has it open in Excel. A row of a failed formula is no comment."""
    with pytest.raises(SettingsError) as error:
        card_of(tmp_path, data)
    assert "rate_card.csv" in str(error.value)
    assert says in str(error.value)


def test_a_tax_id_that_excel_shortened_is_refused(tmp_path: Path) -> None:
    """9,00123E+08 is nobody's."""
    with pytest.raises(SettingsError, match="column supplier_id: '9,00123E\\+08': expected all"):
        map_of(tmp_path, f'{MAP}"9,00123E+08",,*,{REPORT},,,quantity\n'.encode())


# --init


OWN = f";;*minutos*;{REPORT};;;quantity"


@pytest.mark.parametrize("encoding", ["utf-8", "utf-8-sig", "cp1252", "utf-16"])
def test_a_proposal_is_written_as_the_file_is(tmp_path: Path, encoding: str) -> None:
    """On a line of its own, with the file's separator, in its encoding; what was there stays."""
    file = tmp_path / "line_map.csv"
    before = f"# línea\n{MAP.replace(',', ';')}{OWN}"
    file.write_bytes(before.encode(encoding))
    lines = [recordings(code="RSYNCS3MP3"), recordings("Otra, cosa", "X")]
    row, other = propose(file, read_line_map(file, [REPORT]), lines)
    assert row == {"supplier_id": "900123456", "item_code": "RSYNCS3MP3", "operation_id": "",
                   "pattern": "grabaciones, en s*", "report": REPORT, "product": "",
                   "role": "quantity"}  # fmt: skip
    assert (other["item_code"], other["report"]) == ("X", "")
    assert file.read_bytes().decode(encoding) == (
        f"{before}\n# proposed: 900123456;RSYNCS3MP3;grabaciones, en s*;{REPORT};;;quantity\n"
        "# names no report: write the one that it bills\n"
        "# proposed: 900123456;X;otra, cosa;;;;quantity\n"
    )
    assert len(read_line_map(file, [REPORT])) == 1


def test_a_proposal_is_not_made_twice(tmp_path: Path) -> None:
    """However Excel has saved it again, and where a person has taken it and changed its role."""
    file = tmp_path / "line_map.csv"
    row = f'900123456,RSYNC,"grabaciones, en s*",{REPORT},,,quantity'
    excel = row.replace('"', '""')
    for written in (
        f"# proposed: {row}",
        f'"# proposed: {excel}"',
        f"#{row}",
        f"# proposed: 900123456;RSYNC;grabaciones, en s*;{REPORT};;;quantity",
        '900.123.456-7,rsync,"Grabaciones, en S*",,,,fee',
    ):
        file.write_text(f"{MAP}{written}\n")
        assert propose(file, [], [recordings()]) == [], written
        assert file.read_text() == f"{MAP}{written}\n"
    assert len(propose(file, [], [recordings("Minutos")])) == 1


def test_a_proposal_cannot_run_or_break_a_line(tmp_path: Path) -> None:
    """What a spreadsheet would take for a formula is not written, nor a line break of a code."""
    file = tmp_path / "line_map.csv"
    file.write_text(MAP)
    lines = [recordings("=cmd()", "=1"), recordings("-x\ny", "A\nB")]
    propose(file, [], lines)
    says = "# names no report: write the one that it bills\n"
    assert file.read_text() == (
        f"{MAP}{says}# proposed: 900123456,,*=cmd(),,,,quantity\n"
        f"{says}# proposed: 900123456,A B,*-x y,,,,quantity\n"
    )


SEPARATORS = ["", " ", "  ", "_", "-", ".", "/", " - ", "\t", "\n", "–", "+"]  # noqa: RUF001
ACCENTS = ["", "\u0301", "\u0303", "\u0308"]
AROUND = ["", "Copia de grabaciones", "Servicio (octubre de 2026)", "1.000 x", "Línea 3:", "télé",
          "Resync", "S3", "mp3", "grabación interactiva", "FE-1001", "licencias"]  # fmt: skip


@st.composite
def spellings(draw: st.DrawFn, report: str) -> str:
    """A report's name as people write it: case, accents, and what is between its words."""
    separator = draw(st.sampled_from(SEPARATORS))
    letters = [
        draw(st.sampled_from([c, c.upper()])) + draw(st.sampled_from(ACCENTS))
        for c in report.replace("_", "\0")
    ]
    name = "".join(separator if letter[0] == "\0" else letter for letter in letters)
    before, behind = draw(st.sampled_from(AROUND)), draw(st.sampled_from(AROUND))
    return f"{before} {name} {behind}"


@given(st.data(), st.sampled_from(sorted(REPORTS)), st.booleans())
def test_the_report_that_a_line_names_is_proposed(
    data: st.DataObject, report: str, is_in_code: bool
) -> None:
    """However it is written, in the text or in the code, and whatever words are round it."""
    spelled = data.draw(spellings(report))
    own = ("Consumo del mes", spelled) if is_in_code else (spelled, "7")
    assert named_reports(*own) == {report}


def test_a_line_that_names_no_report_or_two_gets_none(tmp_path: Path) -> None:
    """The row is proposed without one, and a comment says what the line names; a name within a
    longer one is not meant, and one that is only part of a word neither."""
    file = tmp_path / "line_map.csv"
    file.write_text(MAP)
    for description, code, report in (
        ("RSYNC S3 MP3", "7", "rsync_s3_mp3"),
        ("rsync-s3-mp3", "7", "rsync_s3_mp3"),
        ("Copia de grabaciones rsync_s3_mp3", "RSYNC", "rsync_s3_mp3"),
        ("Grabaciones copiadas", "RSYNCS3MP3", "rsync_s3_mp3"),
        ("WP Connectors (official)", "7", "wp_connectors_official"),
        ("Conector RSYNC", "7", "rsync"),
        ("Visión por computador", "7", "vision"),
        ("Resyncs de televisión", "7", ""),
        ("Cargo fijo", "7", ""),
        ("Conector RSYNC y copia a Amazon S3", "7", ""),
        ("RSYNC, y RSYNC S3 MP3", "7", ""),
        ("Llamadas", "ASR_CALLS", "asr_calls"),
        ("Llamadas IVR: ivr calls", "ASR_CALLS", ""),
    ):
        file.write_text(MAP)
        [row] = propose(file, [], [recordings(description, code)])
        assert row["report"] == report, description
        assert ("# names " in file.read_text()) == (not report), description
    assert "# names asr_calls and ivr_calls: write the one that it bills\n" in file.read_text()
    assert read_line_map(file, REPORTS) == []  # nothing is in force before a person says so
    file.write_text(MAP)  # of lines that one row would fit, what they name together
    lines = [recordings("copia rsync s3 mp3", "7"), recordings("copia rsync s4 mp4", "7")]
    [row] = propose(file, [], lines)
    assert row["pattern"] == "copia rsync s*mp*"
    assert "# names rsync and rsync_s3_mp3: write" in file.read_text()


def test_init_prints_json(project: Project) -> None:
    """The files that were written, and the rows that were proposed, by columns."""
    read(project, *READ)
    bill(project, invoice("1000", "100000.00"))
    done = CliRunner().invoke(main, ["reconcile", "--init", "--json"])
    assert done.exit_code == 0, done.output
    printed = json.loads(done.stdout)
    assert printed["written"] == ["line_map.csv", "rate_card.csv", "exchange_rates.csv"]
    [row] = printed["proposed"]
    assert (row["pattern"], row["role"]) == ("grabaciones en s*", "quantity")
    assert row["report"] == "rsync"  # by its code


@pytest.mark.parametrize(
    ("words", "named"),
    [
        (["--month", "2026-10"], "--month"),
        (["--fail-on-material"], "--fail-on-material"),
        (["--month", "2026-10", "--evidence", "out"], "--month, --evidence"),
    ],
)
def test_init_goes_by_itself(project: Project, words: list[str], named: str) -> None:
    """With what belongs to a comparison it is a wrong use, and nothing is written."""
    done = CliRunner().invoke(main, ["reconcile", "--init", *words])
    assert done.exit_code == 2
    assert f"--init goes without {named}: run it first" in " ".join(done.output.split())
    assert not Path("line_map.csv").exists()


def test_several_rows_of_one_price_are_in_force(project: Project) -> None:
    """A card in Excel's Colombian spelling gives the verdict of the same card in ISO."""
    read(project, *READ)
    bill(project, invoice("1000", "92000.00"))
    text = f"sep=;\n{HEADER};\n{REPORT};ACME;;0;100,00;cop;1/01/2026;;\n"
    text += f"{REPORT};ACME;;600;80,00;cop;1/01/2026;;\n"
    assert statuses(judged(project, rate_card=text)) == ["matched"]


# Terms of the contract beside the price of a unit.

TERMS = f"{HEADER};term;per;tiers;pooled;every;pattern"


def term_row(value: str, *terms: str, report: str = REPORT, quantity: str = "") -> str:
    """A row of all operations in pesos for ever: term, per, tiers, pooled, every, pattern."""
    return f"{report};;;{quantity};{value};COP;2026-01-01;;{';'.join(terms)}"


def test_a_row_has_the_terms_that_it_names(tmp_path: Path) -> None:
    """By whatever case; what a row leaves out is as the contract says."""
    rows = card(
        tmp_path,
        term_row("90", "", "1000", "All Units", "ALL"),
        term_row("200000", "Fee", "", "", "", "year", "*cargo fijo*", report=""),
        term_row("300000", "fee", report=""),
        term_row("1000000", "minimum"),
        term_row("2880000", "package", quantity="36000"),
        term_row("10", "discount_percent"),
        term_row("19", "tax_percent", report=""),
        header=TERMS,
    )
    assert [(row.term, row.per, row.tiers, row.pooled, row.every, row.pattern) for row in rows] == [
        ("unit_price", 1000, "all_units", "all", "", ""),
        ("fee", 1, "graduated", "operation", "year", "*cargo fijo*"),
        ("fee", 1, "graduated", "operation", "month", ""),
        ("minimum", 1, "graduated", "operation", "", ""),
        ("package", 1, "graduated", "operation", "", ""),
        ("discount_percent", 1, "graduated", "operation", "", ""),
        ("tax_percent", 1, "graduated", "operation", "", ""),
    ]
    [plain_row] = card(tmp_path, tier("100"))
    assert (plain_row.term, plain_row.per, plain_row.tiers) == ("unit_price", 1, "graduated")


@pytest.mark.parametrize(
    ("rows", "says"),
    [
        ([term_row("1", "fees")], "line 2, column term: 'fees': expected one of unit_price, fee"),
        ([term_row("1", "", "0")], "line 2, column per: 0: expected the units that the price is"),
        ([term_row("1", "", "mil")], "line 2, column per: 'mil': expected a number"),
        ([term_row("1", "", "", "volume")], "column tiers: 'volume': expected one of graduated"),
        ([term_row("1", "", "", "", "both")], "column pooled: 'both': expected one of operation"),
        ([term_row("1", "fee", "", "", "", "weekly")], "column every: 'weekly': expected one of"),
        ([term_row("1", "", "", "", "", "year")],
         "column every: 'year': expected nothing in a row of unit_price, it is for fee"),
        ([term_row("1", "minimum", "1000")], "column per: '1000': expected nothing in a row of m"),
        ([term_row("1", "minimum", quantity="5")], "column from_quantity: '5': expected nothing"),
        ([term_row("1", "package")], "column from_quantity: '': expected a number"),
        ([term_row("1", "package", quantity="0")], "from_quantity: 0: expected the units that"),
        ([term_row("101", "discount_percent")], "unit_price: 101: expected a percentage of at mos"),
        ([term_row("1", "minimum", report="")], "column report: '' is no report that wolkvox has"),
        ([term_row("1", "minimum"), term_row("2", "minimum")],
         "line 3, column valid_from: 2026-01-01: line 2 says the same of these days"),
        ([term_row("1", "", "", "all_units"), term_row("2", quantity="5")],
         "line 3, column tiers: graduated, and all_units in line 2: expected the same in all"),
    ],
)  # fmt: skip
def test_a_term_that_cannot_be_meant(tmp_path: Path, rows: list[str], says: str) -> None:
    """It is refused with its row and column."""
    with pytest.raises(SettingsError) as error:
        card(tmp_path, *rows, header=TERMS)
    assert says in str(error.value)


def test_the_mart_holds_the_terms(warehouse: Project) -> None:
    """On both engines, with what a row leaves out as the contract says."""
    read(warehouse, *READ)
    header = CARD.strip() + ",term,per,tiers,pooled,every,pattern\n"
    judged(
        warehouse,
        rate_card=f"{header}{REPORT},,,0,100000,COP,2026-01-01,,,1000,,all,,\n"
        ",,,,200000,COP,2026-01-01,,fee,,,,year,*cargo*\n",
    )
    rows = warehouse.query(
        "SELECT term, per, tiers, pooled, every, pattern, unit_price "
        "FROM wolkvox_billing_internal.rate_card ORDER BY line_number"
    )
    assert rows == [
        ("unit_price", 1000, "graduated", "all", "", "", 100_000),
        ("fee", 1, "graduated", "operation", "year", "*cargo*", 200_000),
    ]


@pytest.mark.parametrize(
    ("locale", "delimiter"), [("en", ","), ("es", ";"), ("es_CO", ";"), ("es_MX", ",")]
)
def test_each_example_of_the_templates_can_be_taken(
    tmp_path: Path, locale: str, delimiter: str
) -> None:
    """What --init writes behind a # is a row that is read, with the header that it writes; cells
    are divided as Excel divides them where the language is spoken."""
    files = tmp_path / "map.csv", tmp_path / "card.csv"
    assert write_templates(*files, locale) == list(files)
    terms = set()
    for file in files:
        text = file.read_text("utf-8-sig")
        assert ("Vale la primera fila" in text or "Lo que dice el contrato" in text) == (
            locale != "en"
        )
        *comments, header = text.splitlines()
        assert header.count(delimiter) >= 7
        marks = header.count(delimiter)
        examples = [text[2:] for text in comments if text.count(delimiter) >= marks]
        assert len(examples) >= 7
        for example in examples:
            # A tier goes with the first one of its kind.
            parts = example.replace(delimiter, ",")
            first = parts.replace(",10000,", ",0,").replace(",1000,100,", ",0,100,")
            first = first.replace(",", delimiter)
            file.write_text("\n".join([header, *dict.fromkeys((first, example))]))
            if file.name == "card.csv":
                terms |= {row.term for row in read_rate_card(file, REPORTS)}
            else:
                assert read_line_map(file, REPORTS)
    assert terms == {"unit_price", "fee", "minimum", "package", "discount_percent", "tax_percent"}


def test_a_factor_is_a_number_that_is_more_than_nothing(tmp_path: Path) -> None:
    """And a blank one leaves it to the line's unit."""
    header = f"{MAP.strip()},factor\n"
    rows = map_of(tmp_path, f'{header},,a*,{REPORT},,,quantity,\n,,b*,{REPORT},,,quantity,"0,5"\n'
                            .encode())  # fmt: skip
    assert [row.factor for row in rows] == [None, Decimal("0.5")]
    for text in ("0", "mil", "-1"):
        with pytest.raises(SettingsError, match="line 2, column factor: "):
            map_of(tmp_path, f"{header},,a*,{REPORT},,,quantity,{text}\n".encode())


def test_all_operations_are_no_unknown_name(tmp_path: Path) -> None:
    """A * in the column operation_id is told by nobody."""
    [row] = map_of(tmp_path, f"{MAP},,*,{REPORT},*,,quantity\n".encode())
    names = {"acme": None, "beta": None}
    assert unknown_names([row], "f", names, [use(OCTOBER_PERIOD, 1)]) == []
