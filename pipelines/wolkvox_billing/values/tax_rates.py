"""Rates of value added tax that invoices have: per cent, Colombia's first."""

from __future__ import annotations

VAT_RATES = (19, 5, 8, 16, 10, 4, 21, 12, 18)

# The highest rate of a country, by its currency; elsewhere the highest that there is, Hungary's.
STANDARD_RATES = {"COP": 19, "CLP": 19, "PEN": 18}
HIGHEST_RATE = 27
