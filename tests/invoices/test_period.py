"""The period of a document: its own, its lines', a month in its text, or the setting's rule."""

from __future__ import annotations

import calendar
import random
import time
from datetime import date

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from builders.documents import line, period, ubl
from builders.read_documents import document_in
from wolkvox_billing.invoices.period import periods_in, settle_period
from wolkvox_billing.reconciliation.policy import PERIOD_RULES
from wolkvox_billing.values.periods import Period


def days(start: str, end: str) -> Period:
    return Period(date.fromisoformat(start), date.fromisoformat(end))


SEPTEMBER = days("2026-09-01", "2026-10-01")
OCTOBER = days("2026-10-01", "2026-11-01")
ISSUED, RULE = date(2026, 11, 3), PERIOD_RULES[0]


@pytest.mark.parametrize(
    "text",
    [
        "octubre 2026",
        "Octubre de 2026",
        "OCTUBRE DEL 2026.",
        "oct-26",
        "oct. 2026",
        "oct/2026",
        "oct'26",
        "10/2026",
        "10-2026",
        "2026-10",
        "2026/10",
        "October 2026",
        "consumo del 1 al 31 de octubre de 2026",
        "Consumo del 01 de octubre al 31 de octubre de 2026",
        "del 1/10/2026 al 31/10/2026",
        "01/10/2026 - 31/10/2026",
        "2026-10-01 a 2026-10-31",
        "October 1 to 31, 2026",
        "October 1 - October 31, 2026",
        "1-31 October 2026",
        "1st to 31st of October, 2026",
        "octubre \n  2026",
        "Audios rsync s3 mp3 oct-26",
        "Consumo Octubre 2026, vence el 15 de noviembre de 2026",
        "Octubre 1 al 31 de 2026",
        "octubre 1 de 2026 a octubre 31 de 2026",
        "entre el 1 y el 31 de octubre de 2026",
        "del 1º al 31 de octubre de 2026",
        "01 al 31/10/2026",
        "01 al 31-10-2026",
        "01/10 al 31/10/2026",
        "01/10/2026-31/10/2026",
        "01/10/26 al 31/10/26",
        "Desde: 2026-10-01 Hasta: 2026-10-31",
        "2026-10-01/2026-10-31",
        "2026/10/01 - 2026/10/31",
        "octubre del año 2026",
        "October/Octubre 2026",
        "Contrato 45-2024, consumo octubre 2026",
        "Contrato 45 periodo octubre 2026",
        "Vence: noviembre 2026. Telefonía octubre 2026",
    ],
)
def test_a_month_in_a_text_is_read(text: str) -> None:
    """A month with its year, in Spanish or English, by name or number, is that month."""
    assert set(periods_in(text)) == {OCTOBER}


@pytest.mark.parametrize(
    "text",
    [
        "",
        "octubre",  # of which year?
        "oct 26",  # a day
        "vence el 15 de octubre de 2026",
        "fecha 15/10/2026",
        "1-oct-26",
        "2026-10-15",
        "October 15, 2026",
        "contrato 2025/2026",
        "factura 10/2026-4",
        "NIT 900.123.10-2026-1",
        "13/2026",
        "mayor 2026",
        "31 de junio de 2026",
        "del 31 al 1 de octubre de 2026",
        "tel 310 2026 10",
        "Canales 12 Octubre 2026",  # a count, or a day?
        "1 y 31 de octubre de 2026",  # two days
        "1 al 15 de octubre y 16 al 31 de octubre de 2026",  # not the second half alone
        "enero y marzo de 2026",
        "enero, febrero y abril de 2026",
        "dic-50",
        "SET-10",
        "Viña del Mar 2026",
        "Kit SET 2026",
        "5-12-10-2026",
        "Autorización DIAN 18764000001 vigencia desde 2025-10-01 hasta 2027-10-01",
        "Resolución DIAN No. 18764012345678 del 2026-10-01 al 2027-10-01",
        "contrato 05-2024",
        "Contrato No. 05-2024",
        "Otrosí 1-2026",
        "Decreto 12/2021",
        "Ley 10/2026",
        "Tel: 601 7-2026",
        "Acta 10-2026",
        "Orden de compra 10-2026",
        "Vence: diciembre 2026",
        "Fecha de pago: 10/2026",
        "emitida 03/11/2026 - 03/12/2026",
    ],
)
def test_what_is_no_period_is_not_taken_for_one(text: str) -> None:
    """A single day, a month without a year, a number that only looks like one: nothing."""
    assert periods_in(text) == ()


@pytest.mark.parametrize(
    ("text", "start", "end"),
    [
        ("octubre a diciembre de 2026", "2026-10-01", "2027-01-01"),
        ("octubre y noviembre 2026", "2026-10-01", "2026-12-01"),
        ("diciembre 2026 a enero 2027", "2026-12-01", "2027-02-01"),
        ("del 15 de diciembre al 14 de enero de 2027", "2026-12-15", "2027-01-15"),
        ("del 15 de septiembre de 2026 al 14 de octubre de 2026", "2026-09-15", "2026-10-15"),
        ("febrero 2028", "2028-02-01", "2028-03-01"),
        ("setiembre 2026", "2026-09-01", "2026-10-01"),
        ("1-15 octubre 2026", "2026-10-01", "2026-10-16"),
        ("16-31 de octubre de 2026", "2026-10-16", "2026-11-01"),
        ("enero, febrero y marzo de 2026", "2026-01-01", "2026-04-01"),
        ("Ene/Feb 2026", "2026-01-01", "2026-03-01"),
        ("entre enero y marzo de 2026", "2026-01-01", "2026-04-01"),
        ("diciembre y enero 2027", "2026-12-01", "2027-02-01"),
        ("oct-26 a dic-26", "2026-10-01", "2027-01-01"),
        ("mar-26", "2026-03-01", "2026-04-01"),
        ("mar. 2026", "2026-03-01", "2026-04-01"),
        ("mar/2026", "2026-03-01", "2026-04-01"),
        ("May 2026", "2026-05-01", "2026-06-01"),
    ],
)
def test_longer_and_other_periods_are_read(text: str, start: str, end: str) -> None:
    """Runs of days and of months, over the turn of a year too."""
    assert periods_in(text) == (days(start, end),)


def test_the_documents_own_period_comes_first() -> None:
    """Its own period counts, with its end inclusive; the lines', the text's and the rule's do not,
    and each that says something else is told with both."""
    document = document_in(
        ubl(
            line(description="Consumo agosto 2026", more=period("2026-09-01", "2026-09-30")),
            periods=period("2026-10-01", "2026-10-31"),
            issued="2026-10-31",
        )
    )
    assert (document.period, document.period_source) == (OCTOBER, "document")
    assert document.warnings == [
        "the document's own period is 2026-10-01 to 2026-10-31, "
        "and the period of its lines is 2026-09-01 to 2026-09-30",
        "the document's own period is 2026-10-01 to 2026-10-31, "
        "and the period that its text names is 2026-08-01 to 2026-08-31",
    ]


def test_then_its_lines_period() -> None:
    """Without one of its own, that of its lines counts; of several, all of them together."""
    own = period("2026-09-01", "2026-09-30")
    document = document_in(ubl(line(more=own, description="Consumo septiembre de 2026")))
    assert (document.period, document.period_source, document.warnings) == (SEPTEMBER, "line", [])
    document = document_in(
        ubl(
            line(more=own),
            line(number="2", more=period("2026-10-01", "2026-10-31")),
            net="25000",
            payable="27375",
        )
    )
    assert document.period == days("2026-09-01", "2026-11-01")
    assert document.warnings == [
        "its lines have 2 periods: taken is all of 2026-09-01 to 2026-10-31"
    ]  # fmt: skip


def test_then_a_month_that_its_text_names() -> None:
    """Without periods, a month in the lines' texts counts before one in the notes."""
    notes = ["Mes facturado: septiembre de 2026"]
    document = document_in(
        ubl(line(description="Consumo octubre 2026"), issued="2027-01-05", notes=notes)
    )
    assert (document.period, document.period_source) == (OCTOBER, "text")
    document = document_in(ubl(issued="2027-01-05", notes=notes))
    assert (document.period, document.period_source) == (SEPTEMBER, "text")


def test_a_text_that_names_two_months_is_not_taken() -> None:
    """Of two different months none is taken: the rule's is, and the warning names both."""
    document = document_in(
        ubl(line(description="octubre 2026"), line(description="agosto 2026"), net="25000.00")
    )
    assert (document.period, document.period_source) == (OCTOBER, "rule")
    assert document.warnings == [
        "the text names 2026-08-01 to 2026-08-31 and 2026-10-01 to 2026-10-31: none is taken"
    ]


def test_months_that_its_lines_have_are_no_contradiction() -> None:
    """A text that names what the lines' own periods hold brings no warning of its own."""
    settled = settle_period(
        None, [SEPTEMBER, OCTOBER], [["septiembre 2026", "octubre 2026"]], ISSUED, RULE
    )
    assert settled.period == days("2026-09-01", "2026-11-01")
    assert settled.warnings == [
        "its lines have 2 periods: taken is all of 2026-09-01 to 2026-10-31"
    ]
    settled = settle_period(
        days("2026-01-01", "2027-01-01"), [], [["enero 2026", "mayo 2026"]], None, RULE
    )
    assert settled.warnings == []


@pytest.mark.parametrize(
    ("text", "names", "why"),
    [
        (
            "Autorización DIAN 18764 vigencia desde 2025-10-01 hasta 2027-10-01",
            "2025-10-01 to 2027-10-01",
            "it follows 'autorizacion'",
        ),
        ("2025-12-01 a 2026-12-31", "2025-12-01 to 2026-12-31", "it is longer than a year"),
        ("Kit SET-24", "2024-09-01 to 2024-09-30", "it is far from the issue date, 2026-11-03"),
        ("marzo 2027", "2027-03-01 to 2027-03-31", "it is far from the issue date, 2026-11-03"),
        ("Viña del Mar 2026", "2026-03-01 to 2026-03-31", "'mar' is a word too"),
        ("mayo y julio 2026", "2026-05-01 to 2026-07-31", "its months do not follow one another"),
        (
            "1 al 15 de mayo y 16 al 31 de mayo de 2026",
            "2026-05-16 to 2026-05-31",
            "it is one of several",
        ),
        ("Plan 30 mayo 2026", "2026-05-30 to 2026-05-30", "single days are no period"),
    ],
)
def test_what_a_text_names_and_the_rule_overrides_is_told(text: str, names: str, why: str) -> None:
    """Where the rule decides although a text names another time, the warning says which and why."""
    settled = settle_period(None, [], [[], [text], []], ISSUED, RULE)
    assert (settled.period, settled.source) == (OCTOBER, "rule")
    assert settled.warnings == [f"the text names {names}, which is not taken: {why}"]


@pytest.mark.parametrize(
    "texts",
    [
        [[], ["Canales 12 octubre 2026"], []],  # within the month that the rule says
        [[], ["vence el 15 de mayo de 2026"], []],
        [[], [], ["Pedido del 15 de mayo de 2026"]],  # notes are full of days
    ],
)
def test_a_date_that_says_nothing_is_not_told(texts: list[list[str]]) -> None:
    """A date that agrees with the rule, a due date, or a day in the notes brings no warning."""
    assert settle_period(None, [], texts, ISSUED, RULE) == (OCTOBER, "rule", [])


@pytest.mark.parametrize(
    ("text", "source"),
    [
        ("octubre 2025", "rule"),
        ("noviembre 2025", "text"),
        ("diciembre 2026", "text"),
        ("enero 2026 a diciembre 2026", "text"),
        ("enero 2027", "rule"),
    ],
)
def test_only_what_is_near_the_issue_is_taken(text: str, source: str) -> None:
    """A text's period ends within the year before the issue or the two months behind it; where
    nobody knows the issue, any is settled."""
    assert settle_period(None, [], [[text]], ISSUED, RULE).source == source
    assert settle_period(None, [], [[text]], None, RULE).source == "text"


def test_long_and_many_texts_are_read_in_part() -> None:
    """Only the beginning of a text counts, and of many texts the first 200,000 characters: a file
    that was made to take long does not."""
    assert periods_in("x" * 1_980 + " octubre 2026") == (OCTOBER,)
    assert periods_in("x" * 2_000 + " octubre 2026") == ()
    filler = [f"{number:04} {'1 de octubre al ' * 124}" for number in range(120)]
    start = time.process_time()
    assert settle_period(None, [], [filler[:80], ["mayo 2026"]], ISSUED, RULE).source == "text"
    assert settle_period(None, [], [filler, ["mayo 2026"]], ISSUED, RULE).source == "rule"
    ligatures = [f"{number}{chr(0xFDFA) * 9_900}2026" for number in range(120)]
    assert settle_period(None, [], [ligatures], ISSUED, RULE).source == "rule"
    assert time.process_time() - start < 5  # 0.6 s; it took 30 s before


@pytest.mark.parametrize(
    ("rule", "issued", "start", "end"),
    [
        ("month_before_issue", "2026-11-03", "2026-10-01", "2026-11-01"),
        ("month_before_issue", "2027-01-31", "2026-12-01", "2027-01-01"),
        ("issue_month", "2026-11-03", "2026-11-01", "2026-12-01"),
    ],
)
def test_at_last_the_settings_rule(rule: str, issued: str, start: str, end: str) -> None:
    """A document that says nothing gets the month before its issue, or that of its issue."""
    document = document_in(ubl(issued=issued), rule=rule)
    assert (document.period, document.period_source) == (days(start, end), "rule")


def test_a_period_that_ends_before_it_starts_is_not_taken() -> None:
    """Such a period is told, and the next source counts."""
    document = document_in(ubl(periods=period("2026-10-31", "2026-10-01")))
    assert document.period_source == "rule"
    assert document.warnings == [
        "the document's period ends (2026-10-01) before it starts (2026-10-31): not taken"
    ]


@pytest.mark.parametrize(
    ("ends", "month"),
    [
        (("2026-10-01", None), "2026-10-01 to 2026-10-31"),
        ((None, "2026-10-31"), "2026-10-01 to 2026-10-31"),
        (("2026-10-05", None), "2026-10-05 to 2026-10-31"),
    ],
)
def test_half_a_period_is_filled_by_the_month_and_told(
    ends: tuple[str | None, str | None], month: str
) -> None:
    """A period with one end only goes to the end, or from the beginning, of that month."""
    document = document_in(ubl(periods=period(*ends)))
    assert str(document.period) == month and document.period_source == "document"
    assert f"taken is the month's, {month}" in document.warnings[0]


def test_a_date_that_is_none_is_told() -> None:
    """An unreadable date is NULL with a warning that shows it."""
    document = document_in(ubl(issued="2026-02-30", periods=period("2026-10-01", "2026-10-31")))
    assert document.issue_date is None
    assert "cbc:IssueDate is '2026-02-30', which is no date: not taken" in document.warnings


def test_a_date_with_a_zone_or_time_is_its_day() -> None:
    """xs:date may carry a zone: the day counts."""
    assert document_in(ubl(issued="2026-11-03-05:00")).issue_date == date(2026, 11, 3)


def test_without_any_word_there_is_no_period() -> None:
    """No period, no month named, no date of issue: NULL, and a warning."""
    document = document_in(ubl(issued=None))
    assert (document.period, document.period_source) == (None, None)
    assert "no period, and no issue date to tell one by" in document.warnings


_PIECES = (
    "1 31 10 2026 26 99 octubre enero mar set oct. de del al a y entre el hasta - / , . ' º vence "
    "2026-10-01 31/10/2026 29 febrero 99/99/2026 0"
)
_pieces = st.lists(st.sampled_from(_PIECES.split()))


@given(st.one_of(st.text(max_size=80), _pieces.map(" ".join), _pieces.map("".join)))
def test_any_text_gives_a_tuple(text: str) -> None:
    """Whatever a text holds, what comes out are periods that end after they start."""
    periods = periods_in(text)
    assert isinstance(periods, tuple)
    assert all(period.start < period.end for period in periods)


_SPANISH = (
    "enero febrero marzo abril mayo junio julio agosto septiembre octubre noviembre diciembre"
)
_ENGLISH = "January February March April May June July August September October November December"
_SHORT = "ene feb mar abr may jun jul ago sep oct nov dic"


@given(
    st.integers(2020, 2039),
    st.integers(1, 12),
    st.sampled_from(
        [
            "{spanish} {year}",
            "{spanish} de {year}",
            "{spanish} del año {year}",
            "{english} {year}",
            "{short}. {year}",
            "{short}/{year}",
            "{short}-{year}",
            "{short}-{two}",
            "{short}'{two}",
            "{month}/{year}",
            "{month:02}-{year}",
            "{year}-{month:02}",
            "{year}/{month:02}",
            "del 1 al {last} de {spanish} de {year}",
            "1-{last} {english} {year}",
            "{english} 1 to {last}, {year}",
            "{spanish} 1 al {last} de {year}",
            "entre el 1 y el {last} de {spanish} de {year}",
            "1/{month}/{year} - {last}/{month}/{year}",
            "01 al {last}/{month:02}/{year}",
            "{year}-{month:02}-01/{year}-{month:02}-{last}",
            "Desde: {year}-{month:02}-01 Hasta: {year}-{month:02}-{last}",
        ]
    ),
)
@settings(max_examples=300)
def test_every_month_is_read_in_every_form(year: int, month: int, form: str) -> None:
    """A month written in any of the forms is read as that month and no other."""
    at = month - 1
    text = form.format(
        spanish=_SPANISH.split()[at],
        english=_ENGLISH.split()[at],
        short=_SHORT.split()[at],
        year=year,
        two=year - 2000,
        month=month,
        last=calendar.monthrange(year, month)[1],
    )
    after = date(year + month // 12, month % 12 + 1, 1)
    assert periods_in(f"Consumo {text}.") == (Period(date(year, month, 1), after),)


# Of an invoice's notes, without a word of consumption.
_WORDS_OF_NOTES = (
    "resolución DIAN vigencia contrato saldo pago factura fecha corte límite de del hasta desde a "
    "mes cliente servicio soporte plan orden compra descuento tarifa total NIT régimen oficina "
    "reunión visita entrega garantía póliza cuota mora reclamo tercero banco ciudad 900123456 No. "
    "18764 30 días : , ; . ( ) - balance due statement renewal price until from"
)
_TIMES = [
    "septiembre 2026", "agosto de 2026", "sep-26", "noviembre 2026", "2026-09", "09/2026",
    "del 1 al 30 de septiembre de 2026", "01/09/2026 al 30/09/2026", "2026-06-01 al 2026-11-30",
    "15/12/2026", "Sep 2026", "enero a diciembre de 2026", "September 1 to 30, 2026",
]  # fmt: skip


@given(
    st.lists(
        st.one_of(st.sampled_from(_WORDS_OF_NOTES.split()), st.sampled_from(_TIMES)), max_size=15
    ),
    st.lists(st.sampled_from(_TIMES), min_size=1, max_size=3),
    st.randoms(use_true_random=False),
)
@settings(max_examples=150, deadline=None)
def test_a_note_that_speaks_of_no_consumption_moves_nothing(
    words: list[str], times: list[str], order: random.Random
) -> None:
    """Whatever months and days stand in it: the period is October, by the rule."""
    words = [*words, *times]
    order.shuffle(words)
    document = document_in(ubl(notes=[" ".join(words)]))
    assert (document.period, document.period_source) == (OCTOBER, "rule"), words


@pytest.mark.parametrize("text", ["Mes facturado: {}", "Período de consumo {}", "Usage period: {}"])
def test_a_note_that_says_it_of_the_consumption_moves_it(text: str) -> None:
    """So that the test above can fail: in so many words a month is taken."""
    document = document_in(ubl(notes=[text.format("septiembre 2026")]))
    assert (document.period, document.period_source) == (SEPTEMBER, "text")
