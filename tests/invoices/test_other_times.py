"""Times in a document's texts that are not its consumption's: they move nothing."""

from __future__ import annotations

from datetime import date

import pytest
from hypothesis import given
from hypothesis import strategies as st

from builders.documents import line, ubl
from builders.read_documents import document_in
from wolkvox_billing.invoices.period import period_of_line, settle_period
from wolkvox_billing.reconciliation.policy import PERIOD_RULES
from wolkvox_billing.values.periods import Period

ISSUED, RULE = date(2026, 11, 3), PERIOD_RULES[0]
OCTOBER = Period(date(2026, 10, 1), date(2026, 11, 1))
SEPTEMBER = Period(date(2026, 9, 1), date(2026, 10, 1))

# Each of these has been seen on invoices, or could be; none says when was consumed.
OTHERS = [
    "Autorización numeración DIAN 18764 prefijo FE del 1 al 5000, 2026-06-01 al 2026-11-30",
    "Resolución 18764 de 2026-08-01, vigencia 6 meses, rango FE1 a FE5000 hasta febrero 2027",
    "Autorización de facturación 2026-08-01 a 2026-08-31",
    "Numeración habilitada del 01/09/2026 al 30/09/2026",
    "Saldo anterior agosto 2026: 0",
    "Saldo anterior del periodo agosto 2026: 0",
    "Saldo en mora septiembre 2026: 119.000",
    "Agosto 2026: saldo anterior 0",
    "agosto 2026 (saldo anterior)",
    "Consumo anterior (septiembre 2026): 980",
    "Consumo mes anterior septiembre 2026",
    "Consumo promedio septiembre 2026: 950",
    "Consumo de los últimos 6 meses: mayo 2026 a octubre 2026",
    "Histórico de consumo: agosto 2026 900, septiembre 2026 950",
    "Consumo septiembre 2026: 950 audios",
    "Último periodo facturado: septiembre 2026",
    "Próximo periodo de facturación: noviembre 2026",
    "Periodo de gracia: noviembre 2026",
    "Periodo de pago: noviembre 2026",
    "Periodo de garantía agosto 2026",
    "Páguese antes de noviembre 2026",
    "Pago recibido septiembre 2026, gracias",
    "Factura del mes de agosto 2026 pendiente",
    "Abono correspondiente a septiembre 2026",
    "Intereses de mora septiembre 2026",
    "Tarifa vigente desde agosto 2026",
    "Nuevas tarifas a partir de enero 2027",
    "Precios vigentes del 01/07/2026 al 31/07/2026",
    "TRM promedio de septiembre 2026: 4.012,53",
    "IPC septiembre 2026: 5,1 %",
    "Contrato firmado en julio 2026",
    "Otrosí No. 3 de agosto 2026",
    "Orden de compra 4500 de septiembre 2026",
    "Servicio instalado en septiembre 2026",
    "Visita técnica septiembre 2026",
    "Retención practicada bimestre septiembre 2026 a octubre 2026",
    "Certificado de retención agosto 2026",
    "Promoción válida del 1 al 30 de septiembre de 2026",
    "Reemplaza la factura del periodo septiembre 2026",
    "Feliz mes de septiembre 2026",
    "Nuestras oficinas cierran del 15 de diciembre de 2026 al 14 de enero de 2027",
    "Evento: 1 al 30 de septiembre de 2026",
    "Previous balance September 2026: 0.00",
    "Average usage August 2026: 900",
    "Next billing period: November 2026",
    "Last billed month: September 2026",
    "Prices valid from 2026-09-01 to 2026-09-30",
    "Payment due November 2026",
    "Outstanding invoices: September 2026",
    "Software version 09/2026",
    "SEPTIEMBRE 2026",
    "Consumo del mes de septiembre 2026 facturado en FE-990",
    "Ajuste al consumo del periodo septiembre 2026",
    "Nota crédito aplicada al periodo facturado septiembre 2026",
    "Devolución consumo del mes septiembre 2026",
    "Credit applied for billing period August 2026",
    "Disputed usage for billing period August 2026",
    "Billing period closes September 2026",
    "Uso de datos personales: política de agosto 2026",
    "Cambio de periodo de facturación en enero 2027",
    "Lectura anterior 2026-09-01, lectura actual 2026-09-30",
    "Periodo fiscal agosto 2026",
    "Periodo contratado: 2026-08-01 a 2026-08-31",
]


@pytest.mark.parametrize("note", OTHERS)
def test_a_note_of_something_else_moves_nothing(note: str) -> None:
    """A range of numbers, a former balance, a price, a payment: October, by the rule."""
    document = document_in(ubl(notes=[note]))
    assert (document.period, document.period_source) == (OCTOBER, "rule")


@pytest.mark.parametrize(
    ("note", "says"),
    [
        (OTHERS[0], "the text names 2026-06-01 to 2026-11-30, which is not taken: it follows"),
        (OTHERS[4], "the text names 2026-08-01 to 2026-08-31, which is not taken: it follows"),
        ("Agosto 2026: saldo anterior 0", "'saldo' follows it"),
        ("SEPTIEMBRE 2026", "nothing says that it is the time of the consumption"),
        ("Consumo septiembre 2026: 950", "the rule says 2026-10-01 to 2026-10-31"),
        ("Consumo de mayo 2026 a octubre 2026", "it is not about a month"),
    ],
)
def test_what_was_passed_over_is_told(note: str, says: str) -> None:
    """The warning has the time and why it is not taken."""
    [warning] = document_in(ubl(notes=[note])).warnings
    assert says in warning


@pytest.mark.parametrize(
    ("note", "period"),
    [
        ("Mes facturado: septiembre de 2026", SEPTEMBER),
        ("Periodo de consumo: 01/09/2026 al 30/09/2026", SEPTEMBER),
        ("Período facturado septiembre 2026", SEPTEMBER),
        ("Consumos del mes de septiembre de 2026", SEPTEMBER),
        ("Billing period: 2026-09-01 to 2026-09-30", SEPTEMBER),
        ("Service period September 2026", SEPTEMBER),
        ("Gracias por preferirnos. Periodo de facturación: septiembre 2026", SEPTEMBER),
        ("Mes de consumo septiembre 2026", SEPTEMBER),
        ("Periodo de facturación del 1 al 30 de septiembre de 2026", SEPTEMBER),
        ("Consumo octubre 2026", OCTOBER),
        ("Periodo: octubre 2026", OCTOBER),
        ("Saldo anterior 0; consumo octubre 2026", OCTOBER),
        ("Saldo anterior 0, consumo octubre 2026", OCTOBER),
        ("Periodo facturado: octubre 2026. Saldo anterior agosto 2026: 0", OCTOBER),
        (
            "Consumo del 26 de septiembre al 25 de octubre de 2026",
            Period(date(2026, 9, 26), date(2026, 10, 26)),
        ),
    ],
)
def test_a_note_of_the_consumptions_time_is_read(note: str, period: Period) -> None:
    """In so many words whatever month, by the way the one that the rule says, or most of it."""
    document = document_in(ubl(notes=[note]))
    assert (document.period, document.period_source) == (period, "text")


_WORDS = (
    "saldo factura orden contrato FE NIT 900123456 del al de la el a y desde hasta valor total "
    "cuenta banco pago gracias oficina version evento tarifa 1 15 30 31 5000 18764 : , . - / ( ) "
    "agosto septiembre octubre noviembre julio 2026 2025 2027 2026-09-01 2026-09-30 01/08/2026 "
    "31/08/2026 2026-10-15 2026-11-14 September August 09/2026 prefijo autorización mora"
)


@given(st.lists(st.sampled_from(_WORDS.split()), max_size=25).map(" ".join))
def test_a_random_note_without_a_consumption_month_moves_nothing(note: str) -> None:
    """Whatever a note names, if it does not speak of consumption, the rule decides."""
    settled = settle_period(None, [], [[], [], [note]], ISSUED, RULE)
    assert (settled.period, settled.source) == (OCTOBER, "rule")


@given(st.text(max_size=80))
def test_any_note_moves_nothing_or_names_a_time_of_consumption(note: str) -> None:
    """A text at random is no period."""
    assert settle_period(None, [], [[], [], [note]], ISSUED, RULE).source == "rule"


# A line's own text.


@pytest.mark.parametrize(
    ("text", "period"),
    [
        ("Grabaciones septiembre 2026", SEPTEMBER),
        ("Ajuste consumo septiembre 2026", SEPTEMBER),
        ("Licencias activas septiembre 2026", SEPTEMBER),
        ("Consumo julio a septiembre de 2026", Period(date(2026, 7, 1), date(2026, 10, 1))),
        ("Saldo anterior septiembre 2026", None),
        ("Interés de mora septiembre 2026", None),
        ("Grabaciones (tarifa septiembre 2026)", None),
        ("Soporte enero 2026 a diciembre 2026", None),
        ("Anticipo noviembre 2026", None),
        ("Cuota 3, contrato de septiembre 2026", None),
        ("Grabaciones septiembre 2024", None),
    ],
)
def test_a_line_names_the_time_of_what_it_bills(text: str, period: Period | None) -> None:
    """A month in a line's text is its own; a balance, a price, a year, or a far one is none."""
    assert period_of_line(text, ISSUED) == period
    document = document_in(ubl(line(description=text)))
    assert document.period == (period or OCTOBER)
