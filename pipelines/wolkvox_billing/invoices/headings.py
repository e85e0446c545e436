"""The headings of a spreadsheet: which column is which field, in English or Spanish.

Case, accents, blanks and the marks in `Nº`, `N°` and `Vr.` do not matter.
"""

from __future__ import annotations

import unicodedata
from collections.abc import Sequence

from wolkvox_billing.invoices.cells import Cell, text_of
from wolkvox_billing.invoices.document import Rejected

_NAMES = {
    "supplier_id": "NIT, NIT proveedor, NIT emisor, Id proveedor, Supplier, Supplier NIT, Tax id",
    "document_kind": "Tipo, Tipo documento, Tipo de documento, Clase, Kind, Document type",
    "document_number": (
        "Nº Factura, No Factura, Núm Factura, Número, Número factura, Número de factura, Factura, "
        "Nº, No, Nº documento, No documento, Número documento, Número de documento, Documento, "
        "Consecutivo, Invoice, Invoice number, Invoice no, Number"
    ),
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
NEEDED = ("document_number", "net_amount")
LEAST_KNOWN = 3  # of a row's headings, or it is no header


def plain(text: str) -> str:
    """A heading as it is compared: letters and digits only, without case and accents."""
    for mark in "ºª°":  # which would become letters
        text = text.replace(mark, "")
    text = unicodedata.normalize("NFKD", text).casefold()
    return "".join(c for c in text if c.isalnum() and not unicodedata.combining(c))


_FIELDS = {
    plain(name): field for field, names in _NAMES.items() for name in [field, *names.split(", ")]
}


def fields_of(row: Sequence[Cell]) -> dict[int, str]:
    """Column → field, of the headings in a row that are known."""
    return {
        n: _FIELDS[name] for n, one in enumerate(row) if (name := plain(text_of(one))) in _FIELDS
    }


def is_header(fields: dict[int, str]) -> bool:
    return len(set(fields.values())) >= LEAST_KNOWN and "document_number" in fields.values()


def check(fields: dict[int, str], row: Sequence[Cell]) -> None:
    """Raises Rejected where two columns are one field, or a needed one is not there."""
    for field in dict.fromkeys(fields.values()):
        columns = [row[n] for n, one in fields.items() if one == field]
        if len(columns) > 1:
            both = " and ".join(f"{c.place} {text_of(c)!r}" for c in columns)
            raise Rejected(f"{both} both read as {field}: rename one")
    if missing := [one for one in NEEDED if one not in fields.values()]:
        names = "; ".join(f"{one} ({_NAMES[one].split(', ')[0]}, ...)" for one in missing)
        raise Rejected(f"a spreadsheet without a column for {names}")
