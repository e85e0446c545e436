"""Spreadsheets that the tests build."""

from __future__ import annotations

HEADINGS = ["Tipo", "Nº Factura", "Fecha", "NIT", "Concepto", "Cantidad", "Vr. Unitario",
            "Subtotal", "IVA", "Moneda"]  # fmt: skip
ROW = ["Factura", "F-1", "2026-11-03", "900123456", "Grabaciones octubre 2026", "1200", "12.5",
       "15000.00", "2850.00", "COP"]  # fmt: skip


def csv(*rows: list[str], delimiter: str = ",") -> str:
    return "\n".join(
        delimiter.join(f'"{cell}"' if delimiter in cell else cell for cell in row) for row in rows
    )


def changed(**cells: str) -> list[str]:
    """Return ROW with other cells, by heading without blanks and marks."""
    names = ["Tipo", "Factura", "Fecha", "NIT", "Concepto", "Cantidad", "Unitario", "Subtotal",
             "IVA", "Moneda"]  # fmt: skip
    return [cells.get(name, value) for name, value in zip(names, ROW, strict=True)]
