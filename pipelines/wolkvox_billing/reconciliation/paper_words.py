"""What was odd in a document when it was read: the tables hold it in English, whoever reads it
later, and here is what it says in another language."""

from __future__ import annotations

import re
from decimal import Decimal
from functools import lru_cache

from wolkvox_billing.values.translation import N_, Sentence

# As `invoices` writes them; `{places}` are rows, columns, sheets or documents.
_STORED = (
    N_("lines in {currencies}, and a document in {currency}"),
    N_("the lines add up to {lines}, and the total says {total}"),
    N_(
        "its parts come to {parts} (net {net}, less {allowance}, plus {charge}, tax {tax}, "
        "rounding {rounding}, prepaid {prepaid}), and it asks for {payable}"
    ),
    N_("its allowances add up to {sum}, and its total of them says {total}, which counts"),
    N_("its charges add up to {sum}, and its total of them says {total}, which counts"),
    N_("the document as a whole takes {amount} off, which no line holds"),
    N_("the document as a whole puts {amount} on, which no line holds"),
    N_("not stated: {names}"),
    N_(
        "quantity x price is not the amount, which counts, of {lines}: {quantity} x {price} and "
        "{amount}"
    ),
    N_("the list states no supplier: taken is the one that was given"),
    N_("the list states no currency: taken is the one that was given"),
    N_("no document kind: taken for an invoice"),
    N_("line {number}: {heading} is with tax, which is taken off"),
    N_("line {number}: no net amount: {heading} is taken to be with tax"),
    N_("line {number}: no net amount: {heading} is taken to be without tax"),
    N_("a credit note that does not say what it corrects"),
    N_("a test document: it is never reconciled"),
    N_("hidden in the workbook, and read: {places}"),
    N_("hidden in the workbook, and read where its heading is known: {places}"),
    N_("hidden, and passed over, since it repeats a row that is visible: {places}"),
    N_("not billed, by what its row says: {places}"),
    N_("not billed, by what its row says that it annuls: {places}"),
    N_("not read, without a header that has what is needed: {places}"),
    N_("a second table beside the first one is not read"),
    N_("columns that are not read: {places}"),
    N_("passed over, with amounts and without a number or a line: {places}"),
    N_("passed over, with neither number nor amount: {places}"),
    N_("passed over, since it restates what another table says: {places}"),
    N_("passed over, since it restates another table: {places}"),
    N_("passed over, since it says that it is a total: {places}"),
    N_("passed over, since it is the sum of the rows below it: {places}"),
    N_("passed over, since it is the sum of the rows above it: {places}"),
    N_("passed over, since it is what is withheld of the rows above it: {places}"),
    N_("passed over, since it is what was paid of the rows above it: {places}"),
    N_("passed over, since it is the tax of the rows above it: {places}"),
    N_("says total, and adds up to no rows above it: taken for a line: {places}"),
    N_(
        "the sum of the rows above it, with a price and a text of its own: taken for a line: "
        "{places}"
    ),
    N_(
        "the column of the tax seems to hold its rate: {tax} on {net} in line {number} is no tax "
        "amount"
    ),
    N_("{place} is the rate of the tax, and no amount"),
    N_("a total that is neither the net amount nor that with tax; the net amount counts: {places}"),
    # Why a paper was refused.
    N_("an empty file"),
    N_("a picture, which cannot be read"),
    N_("neither XML, zip nor text: no kind of file that is read here"),
    N_("encrypted: save it without a password"),
    N_("packed as {kind}, which is not read: unpack it, and give what is in it"),
    N_("the document {name} has no lines: nothing in it can be compared"),
    N_("the document {name} states no currency"),
    N_("no well-formed XML: {error}"),
    N_("no header row with rows of a document under it: {expected}"),
    N_("neither XML nor zip, and as a spreadsheet without a header row: {expected}"),
    N_("a spreadsheet without a column for {names}"),
    N_("{place} is blank: a line needs its amount"),
    N_("{place} is {text}, which is no number"),
    N_("{place} is {text}, which is no date: expected 2026-10-31 or 31/10/2026"),
    N_("{place} is {text}: expected a code such as COP"),
)
_NUMBER = re.compile(r"-?\d[\d,]*(\.\d+)?")


def say_stored(text: str) -> str:
    """Return what a table holds as a sentence that can be said in another language; as it is where
    it is none of those that are known."""
    for pattern, message in _patterns():
        if match := pattern.fullmatch(text):
            return Sentence(message, **{name: _value(v) for name, v in match.groupdict().items()})
    return text


@lru_cache
def _patterns() -> list[tuple[re.Pattern[str], str]]:
    return [
        (re.compile(re.sub(r"\\{(\w+)\\}", r"(?P<\1>.+?)", re.escape(message)), re.DOTALL), message)
        for message in _STORED
    ]


def _value(text: str) -> object:
    return Decimal(text.replace(",", "")) if _NUMBER.fullmatch(text) else text
