"""Spreadsheets that the tests build."""

from __future__ import annotations

from collections.abc import Sequence

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


# A list as people keep it: one invoice in two lines of 600 and 400 audios, 100 COP each.
LIST = HEADINGS
DETAIL = [
    ["Factura", "FE-1001", "2026-11-03", "900123456", "Grabaciones RSYNC S3 MP3 octubre 2026",
     600, 100, 60000, 11400, "COP"],
    ["Factura", "FE-1001", "2026-11-03", "900123456", "Grabaciones RSYNC S3 MP3 octubre 2026",
     400, 100, 40000, 7600, "COP"],
]  # fmt: skip


def as_texts(*rows: Sequence[object]) -> list[list[str]]:
    return [["" if value is None else str(value) for value in row] for row in rows]


def listed(*rows: Sequence[object]) -> str:
    """Return a CSV with semicolons of a header and rows of any values."""
    return csv(*as_texts(*rows), delimiter=";")
