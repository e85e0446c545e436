"""Invoices that the tests build: UBL documents, what wraps them, spreadsheets. All synthetic."""

from __future__ import annotations

import io
import zipfile
from collections.abc import Callable, Mapping, Sequence
from decimal import Decimal, InvalidOperation
from typing import Any
from xml.sax.saxutils import escape, quoteattr

import openpyxl

_UBL = "urn:oasis:names:specification:ubl:schema:xsd:"
_QUANTITY = {"Invoice": "Invoiced", "CreditNote": "Credited", "DebitNote": "Debited"}
_TOTAL = {"Invoice": "Legal", "CreditNote": "Legal", "DebitNote": "Requested"}


def namespaces(root: str) -> str:
    return (
        f'xmlns="{_UBL}{root}-2" xmlns:cac="{_UBL}CommonAggregateComponents-2" '
        f'xmlns:cbc="{_UBL}CommonBasicComponents-2" '
        f'xmlns:ext="{_UBL}CommonExtensionComponents-2"'
    )


def element(name: str, text: str | None, **attributes: str | None) -> str:
    """An element, or nothing where the text is None."""
    if text is None:
        return ""
    pairs = "".join(f" {k}={quoteattr(v)}" for k, v in attributes.items() if v is not None)
    return f"<{name}{pairs}>{escape(text)}</{name}>"


def period(start: str | None, end: str | None, description: str | None = None) -> str:
    inside = element("cbc:StartDate", start) + element("cbc:EndDate", end)
    inside += element("cbc:Description", description)
    return f"<cac:InvoicePeriod>{inside}</cac:InvoicePeriod>"


def line(
    quantity: str | None = "100",
    net: str | None = "12500.00",
    *,
    kind: str = "Invoice",
    number: str | None = "1",
    description: str | None = "Grabaciones copiadas a S3",
    name: str | None = None,
    code: str | None = "RSYNC",
    unit: str | None = "94",
    price: str | None = "125.00",
    base: str | None = None,
    tax: str | None = "2375.00",
    currency: str | None = "COP",
    more: str = "",
) -> str:
    """A line of a document; None leaves a part out."""
    tax_total = f"<cac:TaxTotal>{element('cbc:TaxAmount', tax, currencyID=currency)}</cac:TaxTotal>"
    prices = element("cbc:PriceAmount", price, currencyID=currency)
    prices += element("cbc:BaseQuantity", base)
    sellers = (
        f"<cac:SellersItemIdentification>{element('cbc:ID', code)}</cac:SellersItemIdentification>"
    )
    return (
        f"<cac:{kind}Line>"
        + element("cbc:ID", number)
        + element(f"cbc:{_QUANTITY[kind]}Quantity", quantity, unitCode=unit)
        + element("cbc:LineExtensionAmount", net, currencyID=currency)
        + more
        + (tax_total if tax else "")
        + "<cac:Item>"
        + element("cbc:Description", description)
        + element("cbc:Name", name)
        + (sellers if code else "")
        + "</cac:Item>"
        + (f"<cac:Price>{prices}</cac:Price>" if price else "")
        + f"</cac:{kind}Line>"
    )


SUPPLIER = (
    "<cac:AccountingSupplierParty><cbc:AdditionalAccountID>1</cbc:AdditionalAccountID><cac:Party>"
    "<cac:PartyTaxScheme><cbc:RegistrationName>Nube de Voz SAS</cbc:RegistrationName>"
    '<cbc:CompanyID schemeID="8">900123456</cbc:CompanyID></cac:PartyTaxScheme>'
    "</cac:Party></cac:AccountingSupplierParty>"
)


def ubl(
    *lines: str,
    kind: str = "Invoice",
    number: str | None = "F-1",
    uuid: str | None = "a" * 96,
    profile: str | None = "1",
    issued: str | None = "2026-11-03",
    notes: Sequence[str] = (),
    currency: str | None = "COP",
    periods: str = "",
    before: str = "",
    supplier: str = SUPPLIER,
    corrects: str | None = None,
    tax: str | None = "2375.00",
    net: str | None = "12500.00",
    payable: str | None = "net and tax",
    more_total: str = "",
) -> str:
    """A UBL document as text, without an XML declaration; None leaves a part out."""
    if payable == "net and tax":
        payable = _add_up(net, tax)
    reference = (
        "<cac:BillingReference><cac:InvoiceDocumentReference>"
        f"{element('cbc:ID', corrects)}</cac:InvoiceDocumentReference></cac:BillingReference>"
    )
    tax_total = f"<cac:TaxTotal>{element('cbc:TaxAmount', tax, currencyID=currency)}</cac:TaxTotal>"
    total = f"cac:{_TOTAL[kind]}MonetaryTotal"
    return (
        f"<{kind} {namespaces(kind)}>"
        + before
        + element("cbc:ProfileExecutionID", profile)
        + element("cbc:ID", number)
        + element("cbc:UUID", uuid)
        + element("cbc:IssueDate", issued)
        + "".join(element("cbc:Note", note) for note in notes)
        + element("cbc:DocumentCurrencyCode", currency)
        + periods
        + (reference if corrects else "")
        + supplier
        + (tax_total if tax else "")
        + f"<{total}>"
        + element("cbc:LineExtensionAmount", net, currencyID=currency)
        + more_total
        + element("cbc:PayableAmount", payable, currencyID=currency)
        + f"</{total}>"
        + "".join(lines or (line(kind=kind),))
        + f"</{kind}>"
    )


def _add_up(*amounts: str | None) -> str | None:
    """What amounts come to, as they are written; nothing where one of them is no number."""
    try:
        return str(sum((Decimal(amount) for amount in amounts if amount), Decimal()))
    except InvalidOperation:
        return None


def declared(text: str, encoding: str = "UTF-8", codec: str | None = None) -> bytes:
    """A document's bytes, with the XML declaration of an encoding."""
    whole = f'<?xml version="1.0" encoding="{encoding}"?>\n{text}'
    return whole.encode(codec or encoding)


def attached(inner: str, *, escaped: bool = False, more: str = "") -> str:
    """An AttachedDocument that holds another document as text."""
    text = escape(inner) if escaped else f"<![CDATA[{inner}]]>"
    return (
        f"<AttachedDocument {namespaces('AttachedDocument')}><cbc:ID>1</cbc:ID>"
        "<cac:Attachment><cac:ExternalReference><cbc:MimeCode>text/xml</cbc:MimeCode>"
        f"<cbc:Description>{text}</cbc:Description></cac:ExternalReference></cac:Attachment>"
        f"{more}</AttachedDocument>"
    )


def zipped(members: Mapping[str, bytes], **how: Any) -> bytes:
    file = io.BytesIO()
    with zipfile.ZipFile(file, "w", zipfile.ZIP_DEFLATED, **how) as archive:
        for name, data in members.items():
            archive.writestr(name, data)
    return file.getvalue()


PDF = b"%PDF-1.4\n1 0 obj << /Type /Catalog >> endobj\ntrailer << /Root 1 0 R >>\n%%EOF\n"


def xlsx(*sheets: Sequence[Sequence[Any]]) -> bytes:
    """A workbook with these sheets, each a list of rows."""
    book = openpyxl.Workbook()
    book.remove(book.worksheets[0])
    for number, rows in enumerate(sheets, 1):
        sheet = book.create_sheet(f"Sheet{number}")
        for row in rows:
            sheet.append(list(row))
    file = io.BytesIO()
    book.save(file)
    return file.getvalue()


def titled(
    sheets: Mapping[str, Sequence[Sequence[Any]]], change: Callable[[Any], None] | None = None
) -> bytes:
    """A workbook with these sheets by their titles, changed by hand before it is saved."""
    book = openpyxl.Workbook()
    book.remove(book.worksheets[0])
    for title, rows in sheets.items():
        sheet = book.create_sheet(title)
        for row in rows:
            sheet.append(list(row))
    if change:
        change(book)
    file = io.BytesIO()
    book.save(file)
    return file.getvalue()
