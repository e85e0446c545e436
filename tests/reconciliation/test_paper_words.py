"""What was odd in a document when it was read, in the language of whoever reads it now."""

from __future__ import annotations

import pytest

from wolkvox_billing.reconciliation.paper_words import say_stored
from wolkvox_billing.values.translation import say_in


@pytest.mark.parametrize(
    ("stored", "spanish"),
    [
        (
            "the lines add up to 1,240,000.5, and the total says 1,500,000",
            "las líneas suman 1.240.000,5, y el total dice 1.500.000",
        ),
        (
            "its parts come to 1,475,600 (net 1,240,000, less 0, plus 0, tax 235,600, rounding 0, "
            "prepaid 0), and it asks for 1,675,600",
            "sus partes suman 1.475.600 (neto 1.240.000, menos 0, más 0, impuesto 235.600, "
            "redondeo 0, anticipo 0), y cobra 1.675.600",
        ),
        (
            "passed over, since it is the sum of the rows above it: A7, A9, and 3 more",
            "pasado por alto, pues es la suma de las filas de arriba: A7, A9, and 3 more",
        ),
        ("whatever a later release says", "whatever a later release says"),
    ],
)
def test_what_a_table_holds_is_said_in_spanish(stored: str, spanish: str) -> None:
    """Numbers too; what is not known stays as it is; English is as it was stored."""
    assert say_in("es_CO", say_stored(stored)) == spanish
    assert say_in("en", say_stored(stored)) == stored == str(say_stored(stored))
