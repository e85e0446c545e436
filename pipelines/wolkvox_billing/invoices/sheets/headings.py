"""The headings of a spreadsheet: which column is which field, in English or Spanish.

Case, accents, blanks and the marks in `Nº`, `N°` and `Vr.` do not matter.
"""

from __future__ import annotations

from collections.abc import Sequence

from wolkvox_billing.invoices.document import Rejected
from wolkvox_billing.invoices.sheets.cells import Cell, as_text
from wolkvox_billing.invoices.sheets.labels import is_no_bill
from wolkvox_billing.values.spelling import plain

_NAMES = {
    "supplier_id": (
        "NIT, NIT proveedor, NIT emisor, NIT del proveedor, Id proveedor, Supplier NIT, Tax id, "
        "Supplier tax id, Vendor tax id"
    ),
    "supplier": (  # a tax id or a name: its text tells
        "Proveedor, Nombre proveedor, Nombre del proveedor, Razón social, Razón social proveedor, "
        "Emisor, Supplier, Supplier name, Vendor, Vendor name"
    ),
    "document_kind": "Tipo, Tipo documento, Tipo de documento, Clase, Kind, Document type",
    "document_number": (
        "Nº Factura, No Factura, Núm Factura, Número, Número factura, Número de factura, Factura, "
        "Nº, No, Nº documento, No documento, Número documento, Número de documento, Documento, "
        "Consecutivo, Invoice, Invoice number, Invoice no, Number"
    ),
    "prefix": "Prefijo, Prefijo factura, Prefix, Serie",
    "issue_date": (
        "Fecha, Fecha factura, Fecha de factura, Fecha emisión, Fecha de emisión, Fecha documento, "
        "Date, Invoice date"
    ),
    "period_start": (
        "Desde, Inicio, Período desde, Inicio período, Período inicio, Fecha inicio, Start, From"
    ),
    "period_end": "Hasta, Fin, Período hasta, Fin período, Período fin, Fecha fin, End, To",
    "period": "Período, Mes, Mes facturado, Período facturado, Período de facturación, Month",
    "operation": "Operación, Campaña",
    "description": (
        "Concepto, Descripción, Detalle, Producto, Servicio, Ítem, Artículo, Item, Product"
    ),
    "item_code": "Código, Cód, Código producto, Código ítem, Referencia, Ref, SKU, Code",
    "quantity": "Cantidad, Cant, Unidades, Qty",
    "unit": "Unidad, Unidad de medida, UM, U/M, Medida, Unit code, Unit of measure",
    "unit_price": (
        "Vr Unitario, Valor unitario, V Unitario, Vlr unitario, Precio unitario, Precio, "
        "Vr Unit, Valor unit, Price"
    ),
    "net_amount": (
        "Subtotal, Sub total, Neto, Valor neto, Importe neto, Base, Base gravable, Valor antes de "
        "IVA, Total sin IVA, Net, Net total"
    ),
    # Where no heading of `net_amount` is there, the first of these that is stands for it; of the
    # others the last is checked.
    "value": "Valor, Vr, Vlr, Importe, Monto, Amount, Line amount",
    "line_total": (
        "Valor total, Vr total, Vlr total, Importe total, Monto total, Total línea, Valor línea, "
        "Line total, Total amount, Total price, Extended price"
    ),
    "total": (
        "Total, Total factura, Valor factura, Valor total factura, Vr total factura, "
        "Total documento, Total con IVA, Total IVA incluido, Valor con IVA, Total a pagar, "
        "Valor a pagar, "
        "Total general, Invoice total, Grand total, Gross, Gross amount, Gross total, "
        "Total incl VAT, Total with tax, Total including tax, Amount due, Total due"
    ),
    "status": (
        "Estado, Estado factura, Estado de la factura, Estado documento, Estado del documento, "
        "Estado DIAN, Situación, Status, Invoice status, Document status, State"
    ),
    "is_no_bill": (
        "Anulada, Anulado, Anulación, Cancelada, Cancelado, Void, Voided, Cancelled, Canceled, "
        "Fecha anulación, Fecha de anulación, Motivo anulación, Motivo de anulación, "
        "Causa de anulación, Cancellation date, Void date"
    ),
    "tax_amount": "IVA, Valor IVA, Vr IVA, Impuesto, Impuestos, Tax, VAT",
    "currency": "Moneda, Divisa, Currency code, Billing currency",
    "exchange_rate": (
        "TRM, Tasa de cambio, Tipo de cambio, Tasa representativa del mercado, Exchange rate, "
        "FX rate"
    ),
    "corrects_number": "Corrige, Factura afectada, Factura que corrige, Documento afectado",
}
# Headings that may as well mean something else, such as the number of the line.
_VAGUE = {"n", "no", "item", "base", "basegravable", "tipo", "clase"}
_KINDS = {  # how the word begins; codes
    "invoice": ("factura invoice electronicinvoice", "fv fe fev fve 1 01"),
    "credit_note": ("notacredito notadecredito creditnote", "nc nce 91"),
    "debit_note": ("notadebito notadedebito debitnote", "nd nde 92"),
}
_NO_INVOICE = ("anulad", "proforma", "rechazad", "compra", "cancel")
LONGEST_NAME = 60
NET_COLUMNS = ("net_amount", "value", "line_total", "total")
# Of two columns with one of these, the first is read: neither may cost a document.
_FIRST_COUNTS = ("supplier", "value", "line_total", "total", "status", "is_no_bill")
LEAST_KNOWN = 3  # of a row's headings, or it is no header


def letters_of(text: str) -> str:
    """Return a heading as it is compared: letters and digits only, without case and accents."""
    for mark in "ºª°":  # which would become letters
        text = text.replace(mark, "")
    return "".join(c for c in plain(text) if c.isalnum())


_FIELDS = {
    letters_of(name): field
    for field, names in _NAMES.items()
    for name in [field, *names.split(", ")]
}


def fields_of(row: Sequence[str]) -> dict[int, str]:
    """Return column → field, of the headings in a row that are known. A vague one is not taken
    where an exact one names the same field, and never one with %: a rate is no amount."""
    known = {
        n: (name, _FIELDS[name])
        for n, text in enumerate(row)
        if len(text) <= LONGEST_NAME and "%" not in text and (name := letters_of(text)) in _FIELDS
    }
    exact = {field for name, field in known.values() if name not in _VAGUE}
    fields: dict[int, str] = {}
    for n, (name, field) in known.items():
        is_repeated = field in _FIRST_COUNTS and field in fields.values()
        if not is_repeated and (name not in _VAGUE or field not in exact):
            fields[n] = field
    return fields


def is_header(fields: dict[int, str]) -> bool:
    return len(set(fields.values())) >= LEAST_KNOWN and "document_number" in fields.values()


def is_whole(fields: dict[int, str]) -> bool:
    """Return whether these are a header with all that a document needs."""
    return is_header(fields) and any(field in fields.values() for field in NET_COLUMNS)


def check_fields(fields: dict[int, str], header: Sequence[Cell]) -> None:
    """Raise Rejected where two columns are one field, or a needed one is not there."""
    for field in dict.fromkeys(fields.values()):
        columns = [header[n] for n, name in fields.items() if name == field]
        if len(columns) > 1:
            both = " and ".join(f"{c.place} {as_text(c.value)!r}" for c in columns)
            raise Rejected(f"{both} both read as {field}: rename one")
    missing = [] if "document_number" in fields.values() else ["document_number"]
    if not any(field in fields.values() for field in NET_COLUMNS):
        missing.append("net_amount")
    if missing:
        names = "; ".join(f"{field} ({_NAMES[field].split(', ')[0]}, ...)" for field in missing)
        raise Rejected(f"a spreadsheet without a column for {names}")


def is_of_no_bill(text: str) -> bool:
    """Return whether a word for a kind says that it is no bill, such as `Factura anulada`. Of a
    note it is not asked: `Nota crédito por anulación` gives back."""
    name = letters_of(text[:100])
    is_note = name.startswith(("nota", "credit", "debit", "nc", "nd"))
    return not is_note and kind_of(text) is None and is_no_bill(text)


def kind_of(text: str) -> str | None:
    """Return the kind of document that a word for it means; None for what nobody knows."""
    name = letters_of(text[:100])
    if any(word in name for word in _NO_INVOICE):
        return None
    for kind, (starts, codes) in _KINDS.items():
        if name in codes.split() or name.startswith(tuple(starts.split())):
            return kind
    return None
