"""What a verdict's sentence says: whose it is, the difference in money, each quantity's unit."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from datetime import date
from decimal import Decimal
from typing import Any

import pytest

from builders.facts import billed_line, known, rate, unseen_everywhere, use
from builders.months import OCTOBER_PERIOD as OCTOBER
from builders.months import REPORT
from wolkvox_billing.reconciliation.contract.line_map import MapRow
from wolkvox_billing.reconciliation.contract.rate import Rate
from wolkvox_billing.reconciliation.facts import BilledLine, MonthUse
from wolkvox_billing.reconciliation.judging import judge
from wolkvox_billing.reconciliation.keys import compare
from wolkvox_billing.reconciliation.policy import Policy
from wolkvox_billing.reconciliation.rules import Rules
from wolkvox_billing.reconciliation.unit_names import UNITS
from wolkvox_billing.reconciliation.unread import Tail, Unread
from wolkvox_billing.reconciliation.words import explanation
from wolkvox_billing.values.translation import translate
from wolkvox_billing.vendor.reports import REPORTS

LINE_MAP = [MapRow(2, "", "", "audios", REPORT, "", "", "quantity")]
READ_ALL = Unread(Tail(Decimal(), 0, "busiest"))


def say(
    months: Sequence[MonthUse],
    *lines: BilledLine,
    locale: str = "en",
    rates: Sequence[Rate] = (rate("100"),),
    line_map: Sequence[MapRow] = LINE_MAP,
    **policy: Any,
) -> list[str]:
    """The sentences of all verdicts, none of which was doubted."""
    facts = known(list(months), list(lines))
    comparison = compare(facts, line_map, None)
    observed = unseen_everywhere(comparison, READ_ALL)
    verdicts = judge(facts, comparison, observed, Rules(Policy(**policy), rates))
    return [explanation(verdict, facts, locale) for verdict in verdicts]


USED = [use(OCTOBER, 12_400)]
LAST = "your last reading on 31 Oct 23:59 showed 12,400 audios"
LAST_ES = "su última lectura del 31 oct 23:59 mostraba 12.400 audios"


@pytest.mark.parametrize(
    ("locale", "sentence"),
    [
        (
            "en",
            "acme, rsync_s3_mp3, F-1: 0.00 COP against the contract (by quantity +44,900.00, by "
            f"price -44,900.00); wolkvox billed 12,849 audios; {LAST}; 449 audios more than "
            "measured (+3.6 %); the amount agrees with the contract.",
        ),
        (
            "es_CO",
            "acme, rsync_s3_mp3, F-1: 0,00 COP frente al contrato (por cantidad +44.900,00, por "
            f"precio -44.900,00); wolkvox facturó 12.849 audios; {LAST_ES}; 449 audios más de lo "
            "medido (+3,6 %); el monto coincide con el contrato.",
        ),
    ],
)
def test_the_net_comes_first_and_its_parts_have_signs(locale: str, sentence: str) -> None:
    """12,849 audios for the price of 12,400: two effects of 44,900 that are nothing together."""
    assert say(USED, billed_line(12_849, "1240000"), locale=locale) == [sentence]


def test_a_lower_price_and_a_lower_quantity_are_less() -> None:
    """12,000 of 12,400 audios at 90 instead of 100: 40,000 and 120,000 are 160,000 less."""
    [text] = say(USED, billed_line(12_000, "1080000"))
    assert text == (
        "acme, rsync_s3_mp3, F-1: -160,000.00 COP against the contract (by quantity -40,000.00, by "
        f"price -120,000.00); wolkvox billed 12,000 audios; {LAST}; 400 audios less than measured "
        "(-3.2 %)."
    )


def test_a_price_that_is_another_one_is_said_with_its_sign() -> None:
    [text] = say(USED, billed_line(12_400, "1364000"))
    assert text == (
        "acme, rsync_s3_mp3, F-1: +124,000.00 COP against the contract (by quantity 0.00, by price "
        f"+124,000.00); wolkvox billed 12,400 audios; {LAST}; by contract that costs 1,240,000.00 "
        "COP, and 1,364,000.00 COP were billed."
    )


@pytest.mark.parametrize(
    ("locale", "sentence"),
    [
        (
            "en",
            "NC-1: wolkvox credited 45,000.00 COP; no row of the line map fits «Rebaja» (1 unit; "
            "-45,000.00 COP).",
        ),
        (
            "es",
            "NC-1: wolkvox abonó 45.000,00 COP; ninguna fila del mapa de líneas corresponde a "
            "«Rebaja» (1 unidad; -45.000,00 COP).",
        ),
    ],
)
def test_a_credit_note_credits(locale: str, sentence: str) -> None:
    """Nobody bills -1."""
    note = billed_line(-1, "-45000", description="Rebaja", document_number="NC-1", unit_code="94")
    assert say([], note, locale=locale) == [sentence]


def test_an_unmapped_line_has_its_amount_and_its_unit() -> None:
    """A code that nobody knows stands as the line has it; lines of one text are one."""
    lines = [
        billed_line(3, "180000", description="Soporte", unit_code="HUR", document_number="F-9"),
        billed_line(2, "120000", description="Soporte", unit_code="HUR", document_number="F-9"),
        billed_line(7, "70", description="Cajas", unit_code="BX", document_number="F-9"),
        billed_line(None, "1", description="Otros", document_number="F-10"),
    ]
    assert say([], *lines) == [
        "F-10, F-9: wolkvox billed 300,071.00 COP; no row of the line map fits «Cajas» (7 BX; "
        "70.00 COP), «Otros» (1.00 COP), «Soporte» (5 hours; 300,000.00 COP)."
    ]


def test_of_many_documents_and_lines_three_are_named() -> None:
    lines = [
        billed_line(1, "10", description=f"Cosa {n}", document_number=f"F-{n}") for n in range(5)
    ]
    [text] = say([], *lines)
    assert text.startswith("F-0, F-1, F-2 and 2 more: wolkvox billed 50.00 COP; no row")
    assert text.endswith("«Cosa 2» (1; 10.00 COP) and 2 more.")
    assert say([], *lines, locale="es")[0].startswith("F-0, F-1, F-2 y 2 más: ")


def test_one_number_with_two_contents_is_no_doubled_bill() -> None:
    """One invoice that was read twice bills 12,400 audios, not 24,800."""
    twin = {"document_number": "F-1", "is_duplicate": True}
    lines = [
        billed_line(12_400, "1240000", **twin),
        billed_line(12_400, "1250000", **twin, document_id="e"),
    ]
    [text] = say(USED, *lines)
    assert text == (
        f"acme, rsync_s3_mp3, F-1: {LAST}; F-1 is there as 12,400 audios (1,240,000.00 COP) or "
        "12,400 audios (1,250,000.00 COP): nobody knows which one counts."
    )
    [text] = say(USED, lines[0], locale="es")
    assert "wolkvox facturó 12.400 audios" in text
    assert text.endswith("otro contenido tiene el número F-1: nadie sabe cuál vale.")


@pytest.mark.parametrize(
    ("locale", "says"),
    [
        ("en", "the rate card has no price for 15 Oct, 1 of 31 days."),
        ("es", "la tarifa no tiene precio para 15 oct, 1 de 31 días."),
    ],
)
def test_a_price_that_is_missing_for_a_day_is_missing_for_that_day(locale: str, says: str) -> None:
    """One rate ends on the 15th, and the next begins on the 16th: valid_to is exclusive."""
    rates = [rate("100", valid_to=date(2026, 10, 15)), rate("100", valid_from=date(2026, 10, 16))]
    [text] = say(USED, billed_line(12_400, "1240000"), rates=rates, locale=locale)
    assert text.endswith(says)
    [text] = say(USED, billed_line(12_500, "1250000"), rates=rates, locale=locale)
    assert says[:-1] in text and "(+0" in text
    ended = [rate("100", valid_to=date(2026, 9, 1))]
    [text] = say(USED, billed_line(12_400, "1240000"), rates=ended)
    assert text.endswith("the rate card has no price for it.")


@pytest.mark.parametrize(
    ("locale", "says"),
    [
        ("en", "1 minute was used, and no invoice bills it; worth 100.00 COP."),
        ("es", "se usó 1 minuto, y ninguna factura lo cobra; por valor de 100,00 COP."),
    ],
)
def test_one_is_one(locale: str, says: str) -> None:
    [text] = say([use(OCTOBER, 1, unit="minutes")], locale=locale)
    assert text == f"acme, AUDIOS: {says}"


def test_each_unit_of_each_report_has_a_name_in_both_languages() -> None:
    """Of one and of many; in Spanish no English word but audio."""
    for report in REPORTS.values():
        assert report.unit in UNITS
    names = {unit for unit, name in UNITS.items() if translate(name, "es", 2) == name.plural}
    assert names == {"audios"}


@pytest.mark.parametrize(
    ("locale", "minutes"),
    [
        ("en", "31,015.5 minutes"),
        ("es", "31.015,5 minutos"),
        ("es_CO", "31.015,5 minutos"),
        ("es_MX", "31,015.5 minutos"),
    ],
)
def test_numbers_are_written_as_the_locale_writes_them(locale: str, minutes: str) -> None:
    used = replace(use(OCTOBER, 1), quantity=Decimal("31015.5"), unit="minutes")
    [text] = say([used], locale=locale)
    assert f" {minutes}" in text
