"""Spreadsheets that the tests build, and what is read of them."""

from __future__ import annotations

from typing import Any

from wolkvox_billing.invoices import Document, Rejected, complete
from wolkvox_billing.invoices.files import read_file

HEADINGS = ["Tipo", "Nº Factura", "Fecha", "NIT", "Concepto", "Cantidad", "Vr. Unitario",
            "Subtotal", "IVA", "Moneda"]  # fmt: skip
ROW = ["Factura", "F-1", "2026-11-03", "900123456", "Grabaciones octubre 2026", "1200", "12.5",
       "15000.00", "2850.00", "COP"]  # fmt: skip


def csv(*rows: list[str], delimiter: str = ",") -> str:
    return "\n".join(
        delimiter.join(f'"{cell}"' if delimiter in cell else cell for cell in row) for row in rows
    )


def changed(**cells: str) -> list[str]:
    """ROW with other cells, by heading without blanks and marks."""
    names = ["Tipo", "Factura", "Fecha", "NIT", "Concepto", "Cantidad", "Unitario", "Subtotal",
             "IVA", "Moneda"]  # fmt: skip
    return [cells.get(name, value) for name, value in zip(names, ROW, strict=True)]


def whats(data: bytes | str, decimal: str | None = None) -> list[Any]:
    given = data.encode() if isinstance(data, str) else data
    found = [one.what for one in read_file("lines.csv", given, decimal)]
    for one in found:
        if isinstance(one, Document):
            complete(one, "month_before_issue")
    return found


def only(data: bytes | str, decimal: str | None = None) -> Document:
    [what] = whats(data, decimal)
    assert isinstance(what, Document), what
    return what


def reason(data: bytes | str, decimal: str | None = None) -> str:
    [what] = whats(data, decimal)
    assert isinstance(what, Rejected), what
    return str(what)
