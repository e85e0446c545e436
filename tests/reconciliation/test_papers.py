"""Papers of real life, from the file to the verdict: nothing is billed twice, nothing is lost
without a word, nobody is accused of how a paper is written.

Each kind is a case that somebody reported in public, and shapes of our own beside it. All of them
are put beside a record of October 2026 that was read to 23:55 of the 31st and shows 1,000 audios,
each for an operation and a supplier of its own; the contract says 100 COP each where no other price
is named.
"""

from __future__ import annotations

import gzip
from base64 import b64encode
from collections.abc import Callable, Iterator
from email.message import EmailMessage
from pathlib import Path
from typing import Any

import pytest

from builders.documents import attached, element, line, namespaces, titled, ubl, zipped
from builders.judged_papers import NIT, Outcome, Shape, judge_papers
from builders.months import OCTOBER
from builders.project import NOON, SERVERS, TOKENS, empty_project
from builders.sheets import DETAIL, HEADINGS, listed
from fake_wolkvox import Vendor

pytestmark = pytest.mark.usefixtures("kept_open")
Build = Callable[[str], bytes]
MATCHED = ("matched", 1000, 100_000)
CONCEPT = "Grabaciones RSYNC S3 MP3 octubre 2026"
SHAPES: dict[str, Shape] = {}


def shape(name: str, price: str = "100", **files: Build) -> str:
    """Add a shape of these files; `a_csv` is the file a.csv."""
    SHAPES[name] = Shape({n.replace("_", "."): build for n, build in files.items()}, price)
    return name


# Files, each made for a NIT.


def of_text(text: str) -> Build:
    return lambda nit: text.replace(NIT, nit).encode()


def sheet(*rows: list[object]) -> Build:
    return of_text(listed(*rows))


def book(sheets: dict[str, list[Any]], change: Callable[[Any], None] | None = None) -> Build:
    def build(nit: str) -> bytes:
        own = {
            title: [[nit if value == NIT else value for value in row] for row in rows]
            for title, rows in sheets.items()
        }
        return titled(own, change)

    return build


def bill(number: str = "FE-1001", **cells: object) -> list[object]:
    """The row of an invoice of 1,000 audios over 100,000."""
    return row(**{"Tipo": "Factura", "Factura": number, "Fecha": "2026-11-03", "NIT": NIT,
                  "Concepto": CONCEPT, "Cantidad": 1000, "Unitario": 100, "Subtotal": 100_000,
                  "IVA": 19_000, "Moneda": "COP", **cells})  # fmt: skip


def row(**cells: object) -> list[object]:
    names = ["Tipo", "Factura", "Fecha", "NIT", "Concepto", "Cantidad", "Unitario", "Subtotal",
             "IVA", "Moneda"]  # fmt: skip
    return [cells.get(name) for name in names]


def invoice(
    quantity: str = "1000", net: str = "100000.00", *, more: str = "", unit: str | None = "94",
    price: str = "100.00", periods: str = OCTOBER, **parts: Any,
) -> str:  # fmt: skip
    """An electronic invoice of 1,000 audios over 100,000 and 19 % of tax."""
    kind = parts.get("kind", "Invoice")
    own = line(quantity, net, kind=kind, description="Grabaciones RSYNC S3 MP3", price=price,
               tax=None, code=None, unit=unit)  # fmt: skip
    tax = parts.pop("tax", f"{float(net) * 0.19:.2f}")
    payable = parts.pop("payable", f"{float(net) * 1.19:.2f}")
    return ubl(own, **{"number": "FE1001", "net": net, "tax": tax, "payable": payable,
                       "periods": periods + more, **parts})  # fmt: skip


def total(**amounts: str) -> str:
    return "".join(element(f"cbc:{name}", text, currencyID="COP") for name, text in amounts.items())


def beside(amount: str, indicator: str = "false", reason: str | None = None) -> str:
    return (
        f"<cac:AllowanceCharge>{element('cbc:ChargeIndicator', indicator)}"
        f"{element('cbc:AllowanceChargeReason', reason)}"
        f"{element('cbc:Amount', amount, currencyID='COP')}</cac:AllowanceCharge>"
    )


def hidden(**what: Any) -> Callable[[Any], None]:
    def change(workbook: Any) -> None:
        first, last = workbook.worksheets[0], workbook.worksheets[-1]
        for number in what.get("rows", ()):
            first.row_dimensions[number].hidden = True
        for letter in what.get("columns", ()):
            first.column_dimensions[letter].hidden = True
        last.sheet_state = what.get("state", "visible")

    return change


# What bills 1,000 audios over 100,000 once, however it is written.

FULL = [HEADINGS, *DETAIL]
SUMMARY = [["Nº Factura", "Fecha", "NIT", "Subtotal", "IVA", "Moneda"],
           ["FE-1001", "2026-11-03", NIT, 100_000, 19_000, "COP"]]  # fmt: skip
BY_OPERATION = [
    ["Nº Factura", "Operación", "Cantidad", "Subtotal"],
    ["FE-1001", "ventas", 600, 60_000],
    ["FE-1001", "soporte", 400, 40_000],
]
PAYMENTS = [
    ["Factura", "Fecha", "Valor", "Banco"],
    ["FE-1001", "2026-11-20", 50_000, "A"],
    ["FE-1001", "2026-11-25", 69_000, "A"],
]
PAGES = {
    "1": [HEADINGS, DETAIL[0], row(Concepto="Van", Subtotal=60_000, IVA=11_400)],
    "2": [HEADINGS, row(Concepto="Vienen", Subtotal=60_000), DETAIL[1], row(Concepto="Total",
          Subtotal=100_000, IVA=19_000)],
}  # fmt: skip
RESTATED = [
    shape("detail and summary", a_xlsx=book({"Detalle": FULL, "Resumen": SUMMARY})),
    shape("summary and detail", a_xlsx=book({"Resumen": SUMMARY, "Detalle": FULL})),
    shape("hidden copy", a_xlsx=book({"F": FULL, "X": FULL}, hidden(state="veryHidden"))),
    shape("summary by operation", a_xlsx=book({"P": BY_OPERATION, "Detalle": FULL})),
    shape("payments", a_xlsx=book({"Detalle": FULL, "Pagos": PAYMENTS})),
    shape(
        "copy in other words",
        a_xlsx=book(
            {"A": FULL, "B": [HEADINGS, *([*cells[:4], "Audios", *cells[5:]] for cells in DETAIL)]}
        ),
    ),
    shape(
        "copy with tax",
        a_xlsx=book(
            {
                "A": FULL,
                "B": [
                    [*HEADINGS[:7], "Total", "Moneda"],
                    *([*cells[:7], cells[7] + cells[8], "COP"] for cells in DETAIL),
                ],
            }
        ),
    ),
    shape(
        "summary that counts its rows",
        a_xlsx=book(
            {
                "R": [
                    ["No", "Fecha", "NIT", "Subtotal", "Moneda"],
                    [1, "2026-11-03", NIT, 100_000, "COP"],
                ],
                "D": [HEADINGS, bill()],
            }
        ),
    ),
    shape("pages that are carried over", a_xlsx=book(PAGES)),
    shape(
        "one row of all",
        a_xlsx=book({"D": FULL, "R": [HEADINGS, bill("2 facturas", Unitario=None)]}),
    ),
]
IN_DOCUMENT = {"Tipo": "Factura", "Factura": "FE-1001", "Fecha": "2026-11-03", "NIT": NIT}
SUMS = {"Cantidad": 1000, "Subtotal": 100_000, "IVA": 19_000, "Moneda": "COP"}
TOTALS = [
    shape("total FE-1001 and total proveedor", a_xlsx=book({"F": [
        *FULL, row(**IN_DOCUMENT | SUMS | {"Factura": "Total FE-1001"}),
        row(**SUMS, Factura="Total proveedor", NIT=NIT)]})),
    *(shape(f"{label} as a number", a_csv=sheet(*FULL, row(**SUMS, Factura=label)))
      for label in ("Gran total", "SUBTOTAL", "Total: 100.000", "Vienen", "Saldo", "Suma",
                    "Valor a cancelar", "TOT.")),
    *(shape(f"{label} as a concept", a_csv=sheet(*FULL, row(**IN_DOCUMENT | SUMS, Concepto=label)))
      for label in ("Total factura", "Total a pagar", "Suman", "Neto", "Resumen octubre")),
    *(shape(f"{label} under one line",
            a_csv=sheet(HEADINGS, bill(), row(**IN_DOCUMENT | SUMS, Concepto=label)))
      for label in ("Total factura", "Valor factura", "Consolidado octubre", "Ttl", "Lo mismo")),
    shape("with tax, without a quantity", a_csv=sheet(
        *FULL, row(**IN_DOCUMENT, Concepto="A la fecha", Subtotal=119_000, Moneda="COP"))),
    shape("a total above its rows", a_csv=sheet(
        HEADINGS, row(**IN_DOCUMENT | SUMS, Concepto="Servicios"), *DETAIL)),
]  # fmt: skip
NO_TAX = [name for name in HEADINGS if name != "IVA"]


def without_tax(*rows: list[object]) -> Build:
    return sheet(NO_TAX, *([*cells[:8], *cells[9:]] for cells in rows))


TAX_ROWS = [
    shape(f"{label} as a line", a_csv=without_tax(
        bill(), row(**IN_DOCUMENT, Concepto=label, Subtotal=19_000, Moneda="COP")))
    for label in ("IVA 19%", "IVA", "VAT 19 %", "Impuesto a las ventas")
] + [
    shape("tax, withholding and total as lines", a_csv=without_tax(
        bill(),
        row(**IN_DOCUMENT, Concepto="IVA 19%", Cantidad=1, Unitario=19_000, Subtotal=19_000),
        row(**IN_DOCUMENT, Concepto="Retefuente 4%", Cantidad=1, Subtotal=-4000, Moneda="COP"),
        row(**IN_DOCUMENT, Concepto="Total", Subtotal=115_000))),
    *(shape(f"{text} as a line", a_csv=sheet(
        *FULL, row(**IN_DOCUMENT, Concepto=text, Subtotal=-50_000, Moneda="COP")))
      for text in ("Pago recibido", "Abono", "Anticipo FE-0990", "Payment received"))
]  # fmt: skip
FOOTERS = [
    shape("footer", a_xlsx=book({"F": [
        ["Empresa de Ejemplo SAS"], ["Relación de compras 01/10/2026 - 31/10/2026"], HEADINGS,
        bill(), [], ["Elaborado por: sistema"]]})),
    shape("footer with a date", a_csv=sheet(
        HEADINGS, bill(), row(Factura="Procesado en ERP 2026-11-05", Fecha="2026-11-05"))),
    shape("page number", a_csv=sheet(HEADINGS, bill(), row(Subtotal="Página 1 de 1"))),
    shape("units below the header", a_xlsx=book({"F": [
        HEADINGS, ["texto", "texto", "aaaa-mm-dd", "nit", "texto", "und", "COP", "COP", "COP",
                   "ISO"], bill()]})),
    shape("columns are counted", a_xlsx=book({"F": [HEADINGS, list(range(1, 11)), bill()]})),
]  # fmt: skip
CANCELLED = [
    shape(f"{word} by {heading}", a_csv=sheet(
        [*HEADINGS, heading], [*bill(), good], [*bill("FE-1000"), word]))
    for heading, good, word in (
        ("Estado", "Emitida", "Anulada"), ("Status", "Paid", "Voided"), ("Estado", "", "Borrador"),
        ("Estado DIAN", "Aprobada", "Rechazada"), ("Anulada", "No", "Sí"),
        ("Estado", "Pagada", "ANUL."), ("Estado", "Vigente", "Reemplazada por FE-1001"),
        ("Status", "Sent", "Duplicate"))
] + [shape("proforma", a_csv=sheet(
    HEADINGS, bill(), bill("FE-1000", Concepto="FACTURA ANULADA")))]  # fmt: skip


def annulled(*heading: str, note: list[object]) -> Build:
    """A list of an invoice, a cancelled one and a credit note over what that was."""
    return sheet(
        [*HEADINGS, "Estado", *heading],
        [*bill(), "Emitida"],
        [*bill("FE-1000"), "Anulada"],
        [*bill("NC-17", **{"Tipo": "Nota crédito", "Concepto": note[0]}), "Emitida", *note[1:]],
    )


ANNULLED = [
    shape("note that names it", a_csv=annulled(note=["Anula la factura FE 1000"])),
    shape("note that corrects it", a_csv=annulled("Corrige", note=["Anulación", "FE1000"])),
    shape("note of its amount", a_csv=annulled(note=["Anulación"])),
]
CANCELLED += [
    shape(f"{text} as {heading}", a_csv=sheet(
        [*HEADINGS, heading], bill(), [*bill("FE-1000"), text]))
    for heading, text in (("Fecha de anulación", "2026-11-04"), ("Motivo anulación", "Error"))
] + [
    shape(f"Tipo {text}", a_csv=sheet(HEADINGS, bill(), bill("FE-1000", Tipo=text)))
    for text in ("Factura anulada", "Proforma", "Cotización")
]  # fmt: skip
PRICED = [
    shape("a value that is the price by the tax", a_csv=sheet(
        [*HEADINGS[:6], "Valor", *HEADINGS[8:]], [*bill()[:7], *bill()[8:]])),
    shape("Pesos colombianos", a_csv=sheet(HEADINGS, bill(Moneda="Pesos colombianos"))),
    shape("COP $", a_csv=sheet(HEADINGS, bill(Moneda="COP $"))),
]  # fmt: skip
shape("a price with tax", a_csv=sheet(
    [*HEADINGS[:7], "Total", "Moneda"], [*bill()[:6], 119, 119_000, "COP"]))  # fmt: skip
XML = of_text(invoice())
TWICE = [
    *(shape(f"FE1001 and {spelling}", a_xml=XML, b_csv=sheet(HEADINGS, bill(spelling)))
      for spelling in ("FE-1001", "fe 01001", "FE 1.001", "Factura No. FE1001", "1001")),
    shape("a list of payable amounts", a_xml=XML, b_csv=sheet(
        ["Nº Factura", "Fecha", "NIT", "Total", "Moneda"],
        ["FE-1001", "2026-11-03", NIT, 119_000, "COP"])),
    shape("bare, attached and zipped", a_xml=XML, b_xml=of_text(attached(invoice())),
          c_zip=lambda nit: zipped({"x.xml": XML(nit)})),
]  # fmt: skip
NOTES = [
    shape(f"note: {note}", a_xml=of_text(invoice(periods="", notes=[note])))
    for note in (
        "Autorización numeración DIAN 18764000000000 prefijo FE del 1 al 5000, 2026-06-01 al "
        "2026-11-30",
        "Saldo anterior agosto 2026: 0",
        "Resolución DIAN 18764 del 2026-06-01, vigencia 6 meses hasta 2026-12-01",
        "Corte: septiembre 2026. Pago oportuno hasta el 15 de diciembre de 2026",
        "Consumo mes anterior septiembre 2026: 900",
        "El consumo de septiembre 2026 fue facturado en FE0999",
        "Facturación noviembre 2026", "Interest for September 2026",
        "Contrato vigente de enero 2026 a diciembre 2026", "Consumo septiembre 2026",
        "Período de gracia hasta septiembre 2026", "Mes de pago: noviembre 2026",
    )
]  # fmt: skip
LINES = [
    shape(f"line: {text}", a_csv=sheet(HEADINGS, bill(Concepto=f"Grabaciones. {text}")))
    for text in ("Mes de emisión: noviembre 2026", "Reclamos hasta diciembre 2026",
                 "Acumulado enero 2026 a octubre 2026", "OC 09-2026", "Periodo fiscal 2026-09",
                 "Permanencia hasta diciembre 2026")
]  # fmt: skip
CURRENCY = "<cbc:DocumentCurrencyCode>COP</cbc:DocumentCurrencyCode>"
CURRENCIES = [
    shape("label USD, amounts COP", a_xml=of_text(invoice().replace(CURRENCY, CURRENCY.replace(
        "COP", "USD")))),
    shape("label 170, amounts COP", a_xml=of_text(invoice().replace(CURRENCY, CURRENCY.replace(
        "COP", "170")))),
    shape("no label", a_xml=of_text(invoice().replace(CURRENCY, ""))),
    shape("a tax in USD beside", a_xml=of_text(invoice().replace(
        "<cac:LegalMonetaryTotal>", '<cac:TaxTotal><cbc:TaxAmount currencyID="USD">4.75'
        "</cbc:TaxAmount></cac:TaxTotal><cac:LegalMonetaryTotal>"))),
]  # fmt: skip
UNITS = [
    shape(f"unit {unit}", a_xml=of_text(invoice(quantity, unit=unit, price=price)))
    for unit, quantity, price in (
        ("MIL", "1", "100000"), ("T3", "1", "100000"), ("CEN", "10", "10000"),
        ("HC", "10", "10000"),
        ("C62", "1000", "100"), ("MON", "1000", "100"))
]  # fmt: skip


WITHHELD = [
    shape(f"{reason} as an allowance", a_xml=of_text(invoice(
        more=beside("2500", reason=reason), payable="116500.00",
        more_total=total(AllowanceTotalAmount="2500"))))
    for reason in ("Retefuente", "Retención en la fuente 2.5 %", "ReteICA")
]  # fmt: skip


def code(text: str) -> str:
    return element("cbc:InvoiceTypeCode", text)


BEFORE_THE_BILL = [
    shape(f"and a code {text}", a_xml=XML, b_xml=of_text(invoice(number="PRO-9", more=code(text))))
    for text in ("325", "386", "310", "Proforma Invoice")
]


def embedded(content: bytes) -> str:
    return (
        f"<AttachedDocument {namespaces('AttachedDocument')}><cac:Attachment>"
        f"<cbc:EmbeddedDocumentBinaryObject>{b64encode(content).decode()}"
        "</cbc:EmbeddedDocumentBinaryObject></cac:Attachment></AttachedDocument>"
    )


def mailed(data: bytes, name: str) -> bytes:
    message = EmailMessage()
    message["Subject"], message["From"] = "Factura", "facturas@example.com"
    message.set_content("Adjunto la factura")
    message.add_attachment(data, maintype="application", subtype="octet-stream", filename=name)
    message.add_attachment(b"%PDF-1.4", maintype="application", subtype="pdf", filename="f.pdf")
    return message.as_bytes()


WRAPPED = [
    shape("base64", a_xml=lambda nit: embedded(XML(nit)).encode()),
    shape(
        "escaped twice", a_xml=of_text(attached(attached(invoice(), escaped=True), escaped=True))
    ),
    shape("mail with a zip", a_eml=lambda nit: mailed(zipped({"x.xml": XML(nit)}), "f.zip")),
    shape("mail with a list", a_eml=lambda nit: mailed(sheet(HEADINGS, bill())(nit), "l.csv")),
    shape("mail in a zip", a_zip=lambda nit: zipped({"m.eml": mailed(XML(nit), "x.xml")})),
]


def priced(price: str, document: str) -> Shape:
    return Shape({"a.xml": of_text(document)}, price)


BESIDE_LINES = {  # what is billed: 90, 85, 110 and 95 each, as the contract says
    "10 % off": priced("90", invoice(
        more=beside("10000"), more_total=total(AllowanceTotalAmount="10000"), tax="17100.00",
        payable="107100.00")),
    "two allowances without their total": priced("85", invoice(
        more=beside("10000") + beside("5000"), tax="16150.00", payable="101150.00")),
    "a total of allowances alone": priced("90", invoice(
        more_total=total(AllowanceTotalAmount="10000"), tax="17100.00", payable="107100.00")),
    "a charge": priced("110", invoice(
        more=beside("10000", "true"), tax="20900.00", payable="130900.00")),
    "an allowance and a charge": priced("95", invoice(
        more=beside("10000") + beside("5000", "true"), tax="18050.00", payable="113050.00")),
    "an allowance that the lines hold already": priced("90", invoice(
        net="90000.00", more=beside("10000"))),
}  # fmt: skip
SHAPES.update(BESIDE_LINES)
CREDITS = [
    shape(f"less a credit by {text}", a_xml=XML, b_xml=of_text(invoice(
        "200", "20000.00", number="NC17", corrects="FE1001", more=code(text))))
    for text in ("381", "91", "396", "Nota crédito")
]  # fmt: skip
RATES = [
    shape(f"the tax is {text}", a_csv=sheet(HEADINGS, bill(IVA=text)))
    for text in ("19", "0.19", "19%", "19 %")
] + [
    shape("the tax is a cell of per cent", a_xlsx=book(
        {"F": [HEADINGS, bill(IVA=0.19)]},
        lambda workbook: setattr(workbook.worksheets[0]["I2"], "number_format", "0%"))),
    shape("a rate beside an amount", a_csv=sheet(
        HEADINGS, DETAIL[0], [*DETAIL[1][:8], 19, "COP"])),
]  # fmt: skip
shape("a hidden row", a_xlsx=book({"F": [HEADINGS, bill(), bill("FE-0999")]}, hidden(rows=[3])))
shape("a hidden column", a_xlsx=book({"F": FULL}, hidden(columns="F")))
shape("a hidden sheet", a_xlsx=book({"F": FULL, "X": [HEADINGS, bill("FE-0999")]},
                                    hidden(state="veryHidden")))  # fmt: skip
shape("a filtered row", a_xlsx=book({"F": FULL}, hidden(rows=[3])))
shape("an unknown code", a_xml=XML, b_xml=of_text(invoice(number="FE1002", more=code("999"))))
shape("more than its parts", a_xml=of_text(invoice(payable="319000.00")))
shape("lines that are not the net", a_xml=of_text(invoice().replace("100000.00", "150000.00", 1)))
UNREADABLE = [["Nro doc", "Día", "Plata"], ["FE-2000", "2026-11-03", 500_000]]
shape("a sheet that nobody can read", a_xlsx=book({"F": FULL, "Otro": UNREADABLE}))
shape("1,200 in thousands", a_xml=of_text(invoice("1.2", "120000.00", unit="MIL")))
shape("1,200 in kilograms", a_xml=of_text(invoice("1200", "120000.00", unit="KGM")))
shape("thousands that are units", a_xml=of_text(invoice("1000", "110000.00", unit="MIL")))
shape("packed", a_gz=lambda nit: gzip.compress(XML(nit)))
shape("a fee as large as the use", a_csv=without_tax(
    bill(), row(**IN_DOCUMENT, Concepto="Cargo fijo", Subtotal=100_000, Moneda="COP")))  # fmt: skip


@pytest.fixture(scope="module")
def outcomes(tmp_path_factory: pytest.TempPathFactory) -> Iterator[dict[str, Outcome]]:
    """All shapes on one record, judged once."""
    folder: Path = tmp_path_factory.mktemp("papers")
    with pytest.MonkeyPatch.context() as patch, Vendor(now=NOON, operations=[]) as vendor:
        for name, token in TOKENS.items():
            vendor.add_operation(name=name.upper(), server=SERVERS[name], token=token)
        yield judge_papers(empty_project(folder, patch, vendor), SHAPES)


HONEST = [
    *(*RESTATED, *TOTALS, *TAX_ROWS, *FOOTERS, *CANCELLED, *ANNULLED, *TWICE, *NOTES, *LINES),
    *(*CURRENCIES, *UNITS, *PRICED, *RATES, *WITHHELD, *BEFORE_THE_BILL, *WRAPPED),
    *("a hidden column", "a filtered row", "an unknown code", "more than its parts"),
    *("lines that are not the net", "a sheet that nobody can read"),
]


@pytest.mark.parametrize("name", HONEST)
def test_an_invoice_is_billed_once_however_it_is_written(
    outcomes: dict[str, Outcome], name: str
) -> None:
    """Of each of these the verdict is that 1,000 audios over 100,000 COP were billed, and match."""
    assert outcomes[name].verdict == MATCHED, outcomes[name].says


@pytest.mark.parametrize("name", [*RESTATED, *TOTALS, *FOOTERS, *TAX_ROWS])
def test_what_is_passed_over_is_told_and_refuses_nothing(
    outcomes: dict[str, Outcome], name: str
) -> None:
    """Whatever says a thing again is told with its place, and is neither a document nor a reason to
    refuse one."""
    assert outcomes[name].reasons == [] and len(outcomes[name].documents) == 1
    assert "passed over" in outcomes[name].says


@pytest.mark.parametrize("name", CANCELLED)
def test_what_is_cancelled_is_told_by_name(outcomes: dict[str, Outcome], name: str) -> None:
    """The row that is no bill is named where the list is read, and where it is judged."""
    assert "not billed, by what its row says: FE-1000 (row 3" in outcomes[name].says
    assert any("FE-1000 (row 3" in warning for warning in outcomes[name].warnings)


@pytest.mark.parametrize("name", NOTES)
def test_a_notes_other_dates_change_nothing(outcomes: dict[str, Outcome], name: str) -> None:
    """The month is October's, by the rule."""
    [document] = outcomes[name].documents
    assert (str(document.period), document.period_source) == ("2026-10-01 to 2026-10-31", "rule")


@pytest.mark.parametrize(
    ("name", "amount"), [*zip(BESIDE_LINES, (90, 85, 90, 110, 95, 90), strict=True)]
)
def test_what_a_document_takes_off_and_puts_on_counts(
    outcomes: dict[str, Outcome], name: str, amount: int
) -> None:
    """Beside the lines or in them, it is part of what is billed, and it is told."""
    assert outcomes[name].verdict == ("matched", 1000, amount * 1000)
    assert "the document as a whole" in outcomes[name].says


@pytest.mark.parametrize("name", CREDITS)
def test_a_credit_by_its_code_takes_off(outcomes: dict[str, Outcome], name: str) -> None:
    """1,000 audios less 200 that an Invoice of a credit's code gives back; what other suppliers
    bill too much excuses none of it."""
    assert outcomes[name].verdict == ("underbilled_quantity", 800, 80_000)


@pytest.mark.parametrize("name", RATES)
def test_a_rate_in_place_of_a_tax_is_told_in_both_places(
    outcomes: dict[str, Outcome], name: str
) -> None:
    """Where the list is read, and where its invoice is judged."""
    words = (
        "the column of the tax seems to hold its rate",
        "is the rate of the tax, and no amount",
    )
    assert any(text in outcomes[name].says for text in words)
    assert all(any(text in w for w in outcomes[name].warnings) for text in words)


@pytest.mark.parametrize(
    ("name", "place", "quantity"),
    [
        ("a hidden row", "row 3 of F", 2000),
        ("a hidden sheet", "sheet X", 2000),
        ("a hidden column", "column F1 (Cantidad) of F", 1000),
        ("a filtered row", "row 3 of F", 1000),
    ],
)
def test_what_is_hidden_is_told_in_both_places(
    outcomes: dict[str, Outcome], name: str, place: str, quantity: int
) -> None:
    """What a workbook hides is read, and told with its place, also beside the verdict."""
    assert outcomes[name].verdict[1:] == (quantity, 100 * quantity)
    told = f"hidden in the workbook, and read: {place}"
    assert told in outcomes[name].says
    assert any(told in warning for warning in outcomes[name].warnings)


@pytest.mark.parametrize(
    ("name", "told"),
    [
        ("more than its parts", "and it asks for 319,000"),
        ("lines that are not the net", "add up to 100,000, and the total says 150,000"),
        ("a sheet that nobody can read", "without a header that has what is needed: sheet Otro"),
        ("label USD, amounts COP", "it says 'USD', and its totals are in 'COP', which counts"),
    ],
)
def test_sums_that_do_not_fit_are_told_where_they_are_judged(
    outcomes: dict[str, Outcome], name: str, told: str
) -> None:
    """What was odd when a paper was read is said again beside its verdict."""
    assert told in outcomes[name].says
    assert any(told in warning for warning in outcomes[name].warnings)


def test_a_code_that_nobody_knows_is_refused_with_it(outcomes: dict[str, Outcome]) -> None:
    """And the invoice beside it is billed."""
    [reason] = outcomes["an unknown code"].reasons
    assert reason.startswith("the document FE1002: the type code '999'")


def test_units_are_counted_or_named(outcomes: dict[str, Outcome]) -> None:
    """1.2 thousands are 1,200; what cannot be counted, and a unit that is a
    wrong one, accuse nobody."""
    assert outcomes["1,200 in thousands"].verdict[1:] == (1200, 120_000)
    [row] = outcomes["1,200 in kilograms"].rows
    assert row.reconciliation_status == "unit_mismatch" and "counts in KGM" in row.explanation
    assert outcomes["thousands that are units"].verdict[0] == "unit_mismatch"


def test_what_is_packed_says_how_to_unpack_it(outcomes: dict[str, Outcome]) -> None:
    """A reason that a person can act on."""
    [reason] = outcomes["packed"].reasons
    assert reason == "packed as gzip, which is not read: unpack it, and give what is in it"


def test_a_fee_is_not_taken_for_a_sum(outcomes: dict[str, Outcome]) -> None:
    """A line without a quantity, as large as the others, is billed."""
    assert outcomes["a fee as large as the use"].verdict == ("price_difference", 1000, 200_000)


@pytest.mark.parametrize("name", ANNULLED)
def test_a_note_that_annuls_what_is_cancelled_takes_nothing_off(
    outcomes: dict[str, Outcome], name: str
) -> None:
    """It gives back what was never billed, and is told by name."""
    assert [document.document_number for document in outcomes[name].documents] == ["FE-1001"]
    assert "NC-17 (it takes back FE1000)" in outcomes[name].says


def test_an_amount_with_tax_accuses_nobody(outcomes: dict[str, Outcome]) -> None:
    """Where no tax is stated, what the contract makes and 19 % may be the tax."""
    [row] = outcomes["a price with tax"].rows
    assert row.reconciliation_status == "inconclusive_price"
    assert "19 % of tax" in row.explanation
