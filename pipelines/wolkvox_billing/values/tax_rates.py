"""Rates of value added tax that invoices have: per cent, Colombia's first."""

from __future__ import annotations

VAT_RATES = (19, 5, 8, 16, 10, 4, 21, 12, 18)
