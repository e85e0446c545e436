"""A contract in one currency and invoices in another.

October shows 12,400 audios at 0.025 USD, which are 310.00 USD: 1,240,000 pesos at the 4,000 of the
period's end, and 1,271,000 at the 4,100 of the day of issue.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from datetime import date, datetime, timezone
from decimal import Decimal
from pathlib import Path
from typing import Any

import pytest

from builders.facts import billed_line, known, rate, unseen_everywhere, use
from builders.months import OCTOBER_PERIOD as OCTOBER
from builders.months import REPORT
from wolkvox_billing.errors import SettingsError
from wolkvox_billing.reconciliation.billed_documents import BilledDocument, StatedDocument
from wolkvox_billing.reconciliation.case import Case, Oddities
from wolkvox_billing.reconciliation.contract.exchange_rates import (
    ExchangeRate,
    RateTable,
    read_exchange_rates,
)
from wolkvox_billing.reconciliation.contract.line_map import MapRow
from wolkvox_billing.reconciliation.contract.rate import Rate
from wolkvox_billing.reconciliation.doubts import judge_again
from wolkvox_billing.reconciliation.facts import BilledLine, DayUse, Meter, MonthUse
from wolkvox_billing.reconciliation.judging import judge
from wolkvox_billing.reconciliation.keys import compare
from wolkvox_billing.reconciliation.policy import Policy
from wolkvox_billing.reconciliation.rules import Rules
from wolkvox_billing.reconciliation.unread import Tail, Unread
from wolkvox_billing.reconciliation.verdicts import Verdict
from wolkvox_billing.reconciliation.words import explanation
from wolkvox_billing.values.periods import Period

READ_ALL = Unread(Tail(Decimal(), 0, "busiest"))
MAP = [
    MapRow(2, "", "", "audios*", REPORT, "", "", "quantity"),
    MapRow(3, "", "", "*minimo*", REPORT, "", "", "price_component"),
]
USED = [use(OCTOBER, 12_400)]
DOLLARS = [rate("0.025", "USD")]
ISSUED, END = date(2026, 11, 3), date(2026, 10, 31)


def document(name: str, rate: str | None = None, **fields: Any) -> BilledDocument:
    """An invoice of this id, which states what one dollar is in pesos; or no rate."""
    own = BilledDocument(
        document_id=name, supplier_id="900", kind="invoice", number=name, period_start=None,
        period_end=None, period_source=None, corrects_number=None, currency="COP", tax=None,
        issued=ISSUED, is_test=False, format="ubl", net=None, payable=None,
        read_at=datetime(2026, 11, 4, tzinfo=timezone.utc), warnings=None, allowance=None,
        charge=None, rounding=None, prepaid=None, withheld=None,
        exchange_rate=Decimal(rate) if rate else None,
        exchange_currency="USD" if rate else None, exchange_in_currency="COP" if rate else None,
    )  # fmt: skip
    return own._replace(**fields)


def line(quantity: int | None, amount: str, name: str = "A", **fields: Any) -> BilledLine:
    own = {"document_id": name, "document_number": name, "issued": ISSUED}
    return billed_line(quantity, amount, **{**own, **fields})


def dollar(day: date, pesos: str, currency: str = "USD", in_currency: str = "COP") -> ExchangeRate:
    return ExchangeRate(2, day, currency, in_currency, Decimal(pesos))


FILE = [dollar(END, "4000"), dollar(ISSUED, "4100")]


def judged(
    lines: Sequence[BilledLine],
    documents: Sequence[BilledDocument],
    rates: Sequence[Rate] = DOLLARS,
    file: Sequence[ExchangeRate] = FILE,
    months: Sequence[MonthUse] = USED,
    days: dict[Meter, list[DayUse]] | None = None,
    **policy: Any,
) -> list[Verdict]:
    """The verdicts, with what speaks for the supplier, where nothing was left unread."""
    numbered = [own._replace(line_number=n) for n, own in enumerate(lines, 1)]
    operations = {month.operation_id: None for month in months}
    facts = known(
        list(months), numbered, operations=operations, days=days or {},
        stated=[StatedDocument(own, []) for own in documents],
    )  # fmt: skip
    comparison = compare(facts, MAP, None)
    observed = unseen_everywhere(comparison, READ_ALL)
    verdicts = judge(facts, comparison, observed, Rules(Policy(**policy), rates, file))
    return [
        judge_again(Case(verdict, (), Oddities(), facts, comparison))
        if verdict.status in ("price_difference", "exchange_difference")
        else verdict
        for verdict in verdicts
    ]


def told(verdicts: Sequence[Verdict]) -> list[tuple[str, str, str, str, str]]:
    """Status, contracted cost, and the effects of volume, price and exchange, which add up."""
    for verdict in verdicts:
        effects = (verdict.volume_effect, verdict.price_effect, verdict.exchange_effect)
        if None not in effects:
            assert sum(map(Decimal, map(str, effects))) == verdict.cost_variance
    return [
        (
            verdict.status,
            *(
                "" if amount is None else f"{amount:.2f}"
                for amount in (verdict.contracted_cost, verdict.volume_effect,
                               verdict.price_effect, verdict.exchange_effect)
            ),
        )
        for verdict in verdicts
    ]  # fmt: skip


def say(verdict: Verdict, locale: str = "en", **policy: Any) -> str:
    facts = known(USED, [])
    return explanation(replace(verdict, policy=Policy(**policy)), facts, locale)


# The page's example.


def test_by_the_documents_own_rate_it_is_matched() -> None:
    """The default: 310 dollars at its 4,100 are 1,271,000, whatever the file has."""
    [verdict] = judged([line(12_400, "1271000")], [document("A", "4100")])
    assert told([verdict]) == [("matched", "1271000.00", "0.00", "0.00", "0.00")]
    assert verdict.priced.unit_price == Decimal("102.5")
    assert say(verdict).endswith("the price is in USD: 1 USD is 4,100 COP by the document.")


def test_by_the_periods_end_the_exchange_effect_is_told() -> None:
    """31,000 more, of which nothing is by volume or price."""
    setting = {"exchange_rate": "period_end"}
    [verdict] = judged([line(12_400, "1271000")], [document("A", "4100")], **setting)
    assert told([verdict]) == [("exchange_difference", "1240000.00", "0.00", "0.00", "31000.00")]
    assert verdict.is_material
    assert say(verdict, **setting) == (
        "acme, rsync_s3_mp3, A: +31,000.00 COP against the contract (by quantity 0.00, by price "
        "0.00, by exchange rate +31,000.00); wolkvox billed 12,400 audios; your last reading on "
        "31 Oct 23:59 showed 12,400 audios; by contract that costs 1,240,000.00 COP, and "
        "1,271,000.00 COP were billed; the price is in USD: 1 USD is 4,000 COP by "
        "exchange_rates.csv on 31 Oct, and 4,100 COP by the document."
    )
    assert say(verdict, "es_CO", **setting).endswith(
        "el precio está en USD: 1 USD son 4.000 COP según exchange_rates.csv del 31 oct, y 4.100 "
        "COP según el documento."
    )


def test_by_the_day_of_issue() -> None:
    """The file has 4,100 on it."""
    [verdict] = judged(
        [line(12_400, "1271000")], [document("A", "4100")], exchange_rate="issue_date"
    )
    assert told([verdict])[0][0] == "matched"


def test_quantity_price_and_rate_are_told_apart() -> None:
    """12,500 at 0.026 and 4,100 for 12,400 at 0.025 and 4,000: 10,000 by volume, 51,250 by price,
    31,250 by the rate."""
    [verdict] = judged(
        [line(12_500, "1332500")], [document("A", "4100")], exchange_rate="period_end"
    )
    assert told([verdict]) == [
        ("overbilled_quantity", "1240000.00", "10000.00", "51250.00", "31250.00")
    ]


def test_a_price_that_differs_comes_before_the_rate() -> None:
    """0.026 at 4,100: 50,840 by price and 31,000 by the rate."""
    [verdict] = judged(
        [line(12_400, "1321840")], [document("A", "4100")], exchange_rate="period_end"
    )
    assert told([verdict]) == [("price_difference", "1240000.00", "0.00", "50840.00", "31000.00")]


# Which rate holds.


@pytest.mark.parametrize(
    ("day", "pesos"),
    [
        (date(2026, 10, 29), None), (date(2026, 10, 30), 3990), (date(2026, 10, 31), 3990),
        (date(2026, 11, 3), 4100), (date(2026, 11, 10), 4100), (date(2026, 11, 11), None),
    ],
)  # fmt: skip
def test_a_rate_holds_until_the_next_one_for_a_week(day: date, pesos: int | None) -> None:
    """That of Friday, 30 October, holds over the weekend; the last one for seven days more."""
    table = RateTable([dollar(ISSUED, "4100"), dollar(date(2026, 10, 30), "3990")])
    filed = table.rate_on(day, "USD", "COP")
    assert (filed and filed.parity) == pesos


def test_a_rate_is_used_the_other_way_round() -> None:
    """0.00025 dollars for a peso are 4,000 pesos for a dollar; one this way round comes first."""
    inverted = dollar(END, "0.00025", "COP", "USD")
    setting = {"exchange_rate": "period_end"}
    [verdict] = judged([line(12_400, "1240000")], [document("A")], file=[inverted], **setting)
    assert told([verdict])[0][:2] == ("matched", "1240000.00")
    both = RateTable([inverted, dollar(END, "4001")]).rate_on(END, "USD", "COP")
    assert both and both.parity == 4001


@pytest.mark.parametrize(
    "fields",
    [
        {"exchange_currency": "COP", "exchange_in_currency": "USD"},
        {"exchange_currency": None, "exchange_in_currency": None},
        {"exchange_currency": "USD", "exchange_in_currency": None},
        {"exchange_rate": 1 / Decimal(4100), "exchange_currency": "COP",
         "exchange_in_currency": "USD"},
        {"exchange_rate": 1 / Decimal(4100), "exchange_currency": None,
         "exchange_in_currency": None},
    ],
)  # fmt: skip
def test_a_document_may_have_its_rate_either_way_round(fields: dict[str, Any]) -> None:
    """One peso is never 4,100 dollars: whoever writes so means the other one."""
    own = document("A", "4100", **fields)
    [verdict] = judged([line(12_400, "1271000")], [own], file=[])
    assert verdict.status in ("matched", "within_tolerance")
    assert abs(verdict.cost_variance or 0) < 1


@pytest.mark.parametrize(
    ("setting", "amount", "status"),
    [
        ("document", "1271000", "inconclusive_price"),
        ("document", "1330000", "price_difference"),
        ("period_end", "1271000", "inconclusive_price"),
    ],
)
def test_a_rate_with_few_decimals_accuses_nobody(setting: str, amount: str, status: str) -> None:
    """0.00024 dollars for a peso are 4,166.67 pesos for a dollar, and may be 4,081 to 4,255."""
    coarse = document("A", "0.00024", exchange_currency="COP", exchange_in_currency="USD")
    file = [dollar(END, "0.00024", "COP", "USD")]
    stated = coarse if setting == "document" else document("A", "4100")
    [verdict] = judged([line(12_400, amount)], [stated], file=file, exchange_rate=setting)
    assert verdict.status == status


@pytest.mark.parametrize("names", [(None, None), ("USD", "COP")])
def test_a_rate_of_one_is_none(names: tuple[str | None, str | None]) -> None:
    """Programs write 1.00 where no currency was exchanged: no dollar is a peso."""
    own = document("A", "1.00", exchange_currency=names[0], exchange_in_currency=names[1])
    [verdict] = judged([line(12_400, "1271000")], [own])
    assert verdict.status == "matched"  # by the file's of the day of issue


def test_a_rate_that_is_far_from_the_amount_is_meant_the_other_way_round() -> None:
    """A document in pesos of Colombia that calls 220 what one of them is in Mexico's: 12,400 at
    0.5 Mexican ones are 6,200, and 1,364,000 Colombian ones. Of a dollar and a euro, which are near
    each other, what it states counts."""
    pesos = document("A", "220", exchange_currency="COP", exchange_in_currency="MXN")
    [verdict] = judged([line(12_400, "1364000")], [pesos], [rate("0.5", "MXN")], file=[])
    assert verdict.status == "matched"
    euros = document("A", "1.08", exchange_currency="EUR", exchange_in_currency="USD",
                     currency="EUR")  # fmt: skip
    [verdict] = judged([line(12_400, "334.80", currency="EUR")], [euros], file=[])
    assert (verdict.status, verdict.contracted_cost) == ("price_difference", Decimal("287.04"))


@pytest.mark.parametrize(
    ("setting", "days"),
    [("document", "2026-10-31 or on 2026-11-03"), ("period_end", "2026-10-31"),
     ("issue_date", "2026-11-03")],
)  # fmt: skip
def test_a_rate_that_nobody_has_is_named(setting: str, days: str) -> None:
    """It stays a mismatch, and accuses nobody."""
    old = [dollar(date(2026, 10, 20), "4000")]
    [verdict] = judged([line(12_400, "1271000")], [document("A")], file=old, exchange_rate=setting)
    assert told([verdict]) == [("currency_mismatch", "", "", "", "")]
    assert f"of USD in COP on {days}." in say(verdict, exchange_rate=setting)
    assert "USD en COP del 2026-1" in say(verdict, "es", exchange_rate=setting)


def test_a_document_without_a_day_of_issue_has_no_rate_by_it() -> None:
    """It says so, and accuses nobody."""
    setting = {"exchange_rate": "issue_date"}
    own = line(12_400, "1271000", issued=None)
    [verdict] = judged([own], [document("A", issued=None)], **setting)
    assert verdict.status == "currency_mismatch"
    assert say(verdict, **setting).endswith(
        "no rate of USD in COP on its day of issue, which it does not state."
    )


def test_a_rate_of_another_pair_is_none() -> None:
    """A document that states what a euro is says nothing of dollars."""
    euros = document("A", "4500", exchange_currency="EUR")
    [verdict] = judged([line(12_400, "1271000")], [euros], file=[])
    assert verdict.status == "currency_mismatch"


@pytest.mark.parametrize(
    ("amount", "status"),
    [("1271000", "matched"), ("1240000", "matched"), ("1300000", "inconclusive_price")],
)
def test_nobody_is_accused_by_a_guessed_rate(amount: str, status: str) -> None:
    """A document without a rate may have used that of its day or of the period's end; an amount by
    neither of them is left open."""
    [verdict] = judged([line(12_400, amount)], [document("A")])
    assert verdict.status == status


def test_a_rate_by_another_day_of_the_file_is_the_rates_difference() -> None:
    """By the setting that of the end counts, and the amount is that of the day of issue."""
    [verdict] = judged([line(12_400, "1271000")], [document("A")], exchange_rate="period_end")
    assert told([verdict]) == [("exchange_difference", "1240000.00", "0.00", "0.00", "31000.00")]


# Rounding, several documents, notes.


def test_what_exchanging_rounds_is_within_the_tolerance() -> None:
    """12,401 are 310.025 dollars: 310.03 at 4,000 are 20 pesos more than 12,401 at 100; and a price
    of 100.71 in place of 100.714503 is 55.84 less."""
    months = [use(OCTOBER, 12_401)]
    [verdict] = judged([line(12_401, "1240120")], [document("A", "4000")], months=months)
    assert verdict.status == "within_tolerance"
    [verdict] = judged(
        [line(12_400, "1248804")], [document("A", "4012.53")], [rate("0.0251", "USD")]
    )
    assert told([verdict]) == [("within_tolerance", "1248859.84", "0.00", "-55.84", "0.00")]


def test_documents_of_one_verdict_have_each_its_own_rate() -> None:
    """6,000 at 4,100 and 6,400 at 4,000: 615,000 and 640,000 are matched by their own, and by the
    period's end 15,000 too much."""
    lines = [line(6_000, "615000"), line(6_400, "640000", "B")]
    documents = [document("A", "4100"), document("B", "4000")]
    assert told(judged(lines, documents)) == [("matched", "1255000.00", "0.00", "0.00", "0.00")]
    assert told(judged(lines, documents, exchange_rate="period_end")) == [
        ("exchange_difference", "1240000.00", "0.00", "0.00", "15000.00")
    ]


@pytest.mark.parametrize("own", [None, "4100"])
@pytest.mark.parametrize("setting", ["document", "issue_date"])
def test_a_credit_note_is_of_the_rate_that_it_corrects(own: str | None, setting: str) -> None:
    """450 of 12,850 are given back in December at the 4,100 of the invoice; the file has another
    one then."""
    note = document("N", own, kind="credit_note", corrects_number="A", issued=date(2026, 12, 9))
    lines = [
        line(12_850, "1317125"),
        line(-450, "-46125", "N", is_note=True, issued=date(2026, 12, 9)),
    ]
    file = [*FILE, dollar(date(2026, 12, 9), "3800")]
    verdicts = judged(lines, [document("A", "4100"), note], file=file, exchange_rate=setting)
    assert told(verdicts) == [("matched", "1271000.00", "0.00", "0.00", "0.00")]


def test_a_note_that_takes_nearly_all_back_makes_no_rate_of_its_own() -> None:
    """12,400 at 4,100, all but one given back at 4,000: the rate stays between the two."""
    note = document("N", "4000", kind="credit_note", corrects_number="A")
    lines = [line(12_400, "1271000"), line(-12_399, "-1239900", "N", is_note=True)]
    [verdict] = judged(lines, [document("A", "4100"), note])
    assert verdict.status == "underbilled_quantity"
    assert 1_240_000 <= (verdict.contracted_cost or 0) <= 1_271_000


# The other terms.


def test_tiers_count_units_whatever_they_are_billed_in() -> None:
    """10,000 at 0.025 and 2,400 at 0.02 dollars are 298: 1,221,800 pesos at 4,100. Half of October
    in dollars and half in pesos goes through the same tiers."""
    tiers = [rate("0.025", "USD"), rate("0.02", "USD", line=3, from_quantity=Decimal(10_000))]
    assert told(judged([line(12_400, "1221800")], [document("A", "4100")], tiers))[0][0] == (
        "matched"
    )
    days = {
        Meter("acme", REPORT, "AUDIOS"): [
            DayUse(date(2026, 10, 15), 15, Decimal(8_000)),
            DayUse(date(2026, 10, 31), 16, Decimal(4_400)),
        ]
    }
    first, second = (Period(date(2026, 10, 1), date(2026, 10, 16)),
                     Period(date(2026, 10, 16), date(2026, 11, 1)))  # fmt: skip
    lines = [
        line(8_000, "200.00", period=first, currency="USD"),
        line(4_400, "401800", "B", period=second),
    ]
    documents = [document("A", currency="USD"), document("B", "4100")]
    verdicts = judged(lines, documents, tiers, days=days)
    assert [verdict.status for verdict in verdicts] == ["matched", "matched"]


def test_a_minimum_in_dollars() -> None:
    """400 at least, of which 310 were used: 90 more are 369,000 pesos at 4,100. With prices in
    pesos too, and once for a month in two currencies."""
    least = rate("400", "USD", line=9, term="minimum")
    lines = [line(12_400, "1271000"), line(None, "369000", description="consumo minimo")]
    assert told(judged(lines, [document("A", "4100")], [*DOLLARS, least])) == [
        ("matched", "1640000.00", "0.00", "0.00", "0.00")
    ]
    lines = [line(12_400, "1240000"), line(None, "360000", description="consumo minimo")]
    assert told(judged(lines, [document("A")], [*DOLLARS, least]))[0][0] == "matched"
    pesos = [rate("100"), least]
    lines = [line(12_400, "1240000"), line(None, "400000", description="consumo minimo")]
    assert told(judged(lines, [document("A", "4100")], pesos))[0][:2] == ("matched", "1640000.00")
    [verdict] = judged(lines, [document("A")], pesos, file=[])
    assert verdict.status == "currency_mismatch"
    days = {
        Meter("acme", REPORT, "AUDIOS"): [
            DayUse(date(2026, 10, 15), 15, Decimal(8_000)),
            DayUse(date(2026, 10, 31), 16, Decimal(4_400)),
        ]
    }
    first, second = (Period(date(2026, 10, 1), date(2026, 10, 16)),
                     Period(date(2026, 10, 16), date(2026, 11, 1)))  # fmt: skip
    lines = [
        line(8_000, "200.00", period=first, currency="USD"),
        line(4_400, "820000", "B", period=second),
    ]
    documents = [document("A", currency="USD"), document("B", "4100")]
    verdicts = judged(lines, documents, [*DOLLARS, least], days=days)
    assert [verdict.status for verdict in verdicts] == ["matched", "matched"]


def test_a_package_and_a_discount_in_dollars() -> None:
    """2,400 of a package are left, and 10 % are off: 10,000 at 0.0225 are 225 dollars, which are
    922,500 pesos."""
    rates = [
        *DOLLARS,
        rate("50", "USD", line=8, term="package", from_quantity=Decimal(2_400),
             valid_from=date(2026, 9, 1)),
        rate("10", "USD", line=9, term="discount_percent"),
    ]  # fmt: skip
    verdicts = judged([line(12_400, "922500")], [document("A", "4100")], rates)
    assert told(verdicts) == [("matched", "922500.00", "0.00", "0.00", "0.00")]


def test_prices_in_the_invoices_currency_come_first() -> None:
    """A list in pesos and one in dollars: the one in pesos, with nothing of the other's terms."""
    rates = [rate("100"), *DOLLARS, rate("9000", "USD", line=9, term="minimum"),
             rate("50", "USD", line=10, term="discount_percent")]  # fmt: skip
    [verdict] = judged([line(12_400, "1240000")], [document("A", "4100")], rates)
    assert (verdict.status, verdict.exchange) == ("matched", None)


def test_prices_that_changed_their_currency() -> None:
    """In pesos until the 15th, in dollars from the 16th on: 8,000 at 100 and 4,400 at 0.025 and
    4,100 are 800,000 and 451,000."""
    rates = [rate("100", valid_to=date(2026, 10, 16)),
             rate("0.025", "USD", line=3, valid_from=date(2026, 10, 16))]  # fmt: skip
    days = {
        Meter("acme", REPORT, "AUDIOS"): [
            DayUse(date(2026, 10, 15), 15, Decimal(8_000)),
            DayUse(date(2026, 10, 31), 16, Decimal(4_400)),
        ]
    }
    verdicts = judged([line(12_400, "1251000")], [document("A", "4100")], rates, days=days)
    assert told(verdicts)[0][:2] == ("matched", "1251000.00")


def test_prices_in_two_other_currencies_are_nobodys() -> None:
    """A list in dollars and one in euros say nothing of which one an invoice in pesos is by."""
    [verdict] = judged(
        [line(12_400, "1271000")], [document("A", "4100")], [*DOLLARS, rate("0.02", "EUR", line=3)]
    )
    assert (verdict.status, verdict.contracted_cost) == ("currency_mismatch", None)


def test_an_invoice_in_dollars_of_a_contract_in_pesos() -> None:
    """12,400 at 100 pesos, of which a dollar is 4,000, are 310.00 dollars."""
    own = document("A", "4000", currency="USD")
    [verdict] = judged([line(12_400, "310.00", currency="USD")], [own], [rate("100")], file=[])
    assert told([verdict])[0][:2] == ("matched", "310.00")


# The file.


def rates_of(folder: Path, text: str) -> list[ExchangeRate]:
    file = folder / "exchange_rates.csv"
    file.write_text(text)
    return read_exchange_rates(file)


def test_the_file_need_not_be_there(tmp_path: Path) -> None:
    """Without it there are no rates."""
    assert read_exchange_rates(tmp_path / "exchange_rates.csv") == []


def test_the_file_is_read_as_a_finance_person_writes_it(tmp_path: Path) -> None:
    """With `;`, a decimal comma, and days as in Colombia."""
    text = "date;currency;in_currency;rate\n31/10/2026;usd;cop;4.012,53\n2026-11-03;COP;USD;"
    text += "0,000249219330447374\n"
    assert [vars(own) for own in rates_of(tmp_path, text)] == [
        {"line": 2, "day": END, "currency": "USD", "in_currency": "COP",
         "rate": Decimal("4012.53")},
        {"line": 3, "day": ISSUED, "currency": "COP", "in_currency": "USD",
         "rate": Decimal("0.000249219330447374")},
    ]  # fmt: skip


@pytest.mark.parametrize(
    ("row", "says"),
    [
        ("2026-13-01,USD,COP,4000", "column date: '2026-13-01'"),
        ("2026-10-31,US$,COP,4000", "column currency: 'US$': expected a code such as COP"),
        ("2026-10-31,USD,pesos,4000", "column in_currency: 'pesos': expected a code"),
        ("2026-10-31,COP,COP,1", "column in_currency: COP: expected another currency"),
        ("2026-10-31,USD,COP,0", "column rate: 0: expected what one of `currency` is"),
        ("2026-10-31,USD,COP,-1", "column rate: '-1'"),
        ("2026-10-31,USD,COP,4.000", "column rate: '4.000': expected a number that reads in one"),
        ("2026-10-31,COP,USD,4000", "column rate: 4000: expected what one COP is in USD; that is "
         "what one USD is in COP: write USD under `currency`"),
        ("2026-10-31,USD,COP,4000.5\n2026-10-31,USD,COP,4001.5",
         "line 3, column rate: USD in COP on 2026-10-31 is in line 2 already"),
    ],
)  # fmt: skip
def test_a_wrong_file_is_named_by_row_and_column(tmp_path: Path, row: str, says: str) -> None:
    """What was expected, what came, and where."""
    with pytest.raises(SettingsError) as error:
        rates_of(tmp_path, f"date,currency,in_currency,rate\n{row}\n")
    assert str(error.value).startswith("exchange_rates.csv, line ")
    assert says in str(error.value)
