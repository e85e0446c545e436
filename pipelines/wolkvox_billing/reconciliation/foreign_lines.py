"""Lines in another currency than their document, in its own: what it asks for is in one."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from decimal import Decimal
from itertools import product

from wolkvox_billing.reconciliation.billed_documents import (
    LineId,
    StatedDocument,
    StatedLine,
    share_out,
)
from wolkvox_billing.reconciliation.contract.tariff import cents
from wolkvox_billing.reconciliation.exchange import Exchanges
from wolkvox_billing.reconciliation.questions import JudgedLine, UnsettledRate
from wolkvox_billing.reconciliation.spreading import LINE, Piece
from wolkvox_billing.reconciliation.tax_by_rate import TaxedLine

_NOTHING = Decimal()


def exchange_lines(
    stated: StatedDocument, judged: Mapping[LineId, JudgedLine], exchanges: Exchanges
) -> list[TaxedLine]:
    """Return the lines that are in another currency than their document in its own: at a rate that
    is known and comes to what it says that its lines do; else as it makes them, which nobody can
    settle."""
    foreign = [
        line for line in stated.lines if line.currency not in (None, stated.document.currency)
    ]
    parities = _find_parities(stated, foreign, exchanges) if foreign else {}
    if parities is None:
        return _as_made(stated, foreign, judged, exchanges)
    return [
        (
            _with_tax(line, parities[line.currency or ""]),
            judged[line.id].exchanged(parities[line.currency or ""]),
        )
        for line in foreign
    ]


def _with_tax(line: StatedLine, parity: Decimal) -> StatedLine:
    return line if line.tax is None else line._replace(tax=cents(line.tax * parity))


def _find_parities(
    stated: StatedDocument, foreign: Sequence[StatedLine], exchanges: Exchanges
) -> dict[str, Decimal] | None:
    """Return what one of each other currency is in the document's, by rates with which its lines
    come to what it says that they do; None where there are none."""
    document = stated.document
    currencies = sorted({line.currency or "" for line in foreign})
    known = [exchanges.known_between(document, currency) for currency in currencies]
    for parities in product(*known):
        of_currency = dict(zip(currencies, parities, strict=True))
        amounts = [
            (line.amount or _NOTHING) * of_currency.get(line.currency or "", Decimal(1))
            for line in stated.lines
        ]
        net = sum(amounts, _NOTHING)
        near = max(Decimal(1), abs(net) / 1000)
        if document.net is not None and abs(net - document.net) <= near:
            return of_currency
    return None


def _as_made(
    stated: StatedDocument,
    foreign: Sequence[StatedLine],
    judged: Mapping[LineId, JudgedLine],
    exchanges: Exchanges,
) -> list[TaxedLine]:
    """Return lines as their document's sums make them, all of them in question; as nothing where
    they are in several currencies, or no sum is stated."""
    document = stated.document
    amounts = [line.amount or _NOTHING for line in foreign]
    own = [line.amount or _NOTHING for line in stated.lines if line not in foreign]
    left = _NOTHING
    if document.net is not None and len({line.currency for line in foreign}) == 1:
        left = document.net - sum(own, _NOTHING)
    parts = share_out(document.sign * left, amounts)
    taxed: list[TaxedLine] = []
    for line, amount, part in zip(foreign, amounts, parts, strict=True):
        parity = abs(part / amount) if amount else _NOTHING
        missing = exchanges.missing_between(document, line.currency)
        line_judged = JudgedLine(
            [Piece(LINE, part, questioned=part)],
            judged[line.id].role,
            unsettled=UnsettledRate(line.currency or "", parity, missing),
        )
        taxed.append((_with_tax(line, parity), line_judged))
    return taxed
