"""The headings of a spreadsheet: which column is which field, in English or Spanish.

Case, accents, blanks and the marks in `Nº`, `N°` and `Vr.` do not matter.
"""

from __future__ import annotations

import re
from collections.abc import Sequence

from wolkvox_billing.invoices.document import Rejected
from wolkvox_billing.invoices.sheets.cells import Cell, as_text
from wolkvox_billing.values.spelling import plain

_NAMES = {
    "supplier_id": "NIT, NIT proveedor, NIT emisor, Id proveedor, Supplier, Supplier NIT, Tax id",
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
    "tax_amount": "IVA, Valor IVA, Vr IVA, Impuesto, Impuestos, Tax, VAT",
    "currency": "Moneda, Divisa, Currency code, Billing currency",
    "corrects_number": "Corrige, Factura afectada, Factura que corrige, Documento afectado",
}
# Headings that may as well mean something else, such as the number of the line.
_VAGUE = {"n", "no", "item", "base", "basegravable", "tipo", "clase"}
_TOTAL = re.compile("(?:gran|sub)?total(?:es|general)?")
_KINDS = {  # how the word begins; codes
    "invoice": ("factura invoice electronicinvoice", "fv fe fev fve 1 01"),
    "credit_note": ("notacredito notadecredito creditnote", "nc nce 91"),
    "debit_note": ("notadebito notadedebito debitnote", "nd nde 92"),
}
_NO_INVOICE = ("anulad", "proforma", "rechazad", "compra", "cancel")
LONGEST_NAME = 60
NEEDED = ("document_number", "net_amount")
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
    return {
        n: field for n, (name, field) in known.items() if name not in _VAGUE or field not in exact
    }


def is_header(fields: dict[int, str]) -> bool:
    return len(set(fields.values())) >= LEAST_KNOWN and "document_number" in fields.values()


def check_fields(fields: dict[int, str], header: Sequence[Cell]) -> None:
    """Raise Rejected where two columns are one field, or a needed one is not there."""
    for field in dict.fromkeys(fields.values()):
        columns = [header[n] for n, name in fields.items() if name == field]
        if len(columns) > 1:
            both = " and ".join(f"{c.place} {as_text(c.value)!r}" for c in columns)
            raise Rejected(f"{both} both read as {field}: rename one")
    if missing := [field for field in NEEDED if field not in fields.values()]:
        names = "; ".join(f"{field} ({_NAMES[field].split(', ')[0]}, ...)" for field in missing)
        raise Rejected(f"a spreadsheet without a column for {names}")


def is_total(text: str) -> bool:
    """Whether a cell says that its row is a total of others."""
    if len(text) > LONGEST_NAME or "total" not in text.casefold():
        return False
    return bool(_TOTAL.fullmatch(letters_of(text)))


def kind_of(text: str) -> str | None:
    """Return the kind of document that a word for it means; None for what nobody knows."""
    name = letters_of(text[:100])
    if any(word in name for word in _NO_INVOICE):
        return None
    for kind, (starts, codes) in _KINDS.items():
        if name in codes.split() or name.startswith(tuple(starts.split())):
            return kind
    return None
