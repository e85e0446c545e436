"""The documents that lines were billed by, out of the tables of invoices: which of them count, what
each bills beside its lines, and what was odd in it."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Collection, Iterable, Sequence
from datetime import date, datetime
from decimal import ROUND_FLOOR, Decimal
from typing import NamedTuple

from wolkvox_billing.invoices.document import EXEMPT
from wolkvox_billing.reconciliation.captions import say_title
from wolkvox_billing.values.currencies import WHOLE_CURRENCIES
from wolkvox_billing.values.document_number import bare_number, digits_of
from wolkvox_billing.values.periods import Period
from wolkvox_billing.values.translation import Sentence
from wolkvox_billing.warehouse.sql import Client, columns_in, rows_of

Name = tuple[str | None, str, str]  # supplier_id, kind, bare number
LineId = tuple[str, int]  # document_id, line_number
_CENT = Decimal("0.01")
_UNIT = Decimal(1)
_NOTHING = Decimal()
# Of tables of earlier releases, which lack them until the next document comes.
_LATER_COLUMNS = ("allowance_amount", "charge_amount", "rounding_amount", "prepaid_amount",
                  "withheld_amount", "due_date", "document_uuid", "payment_form",
                  "customer_id", "customer_name", "supplier_name", "exchange_currency",
                  "exchange_in_currency", "exchange_rate", "received_at")  # fmt: skip

# Of a document's warnings, how those begin that say what the sums are of. They are told again where
# the document is judged; what is only not stated is not.
_OF_MONEY = (
    "hidden in the workbook",
    "not billed, by what its row says",
    "not read, without a header",
    "a second table",
    "passed over, with amounts",
    "passed over, since it is the tax",
    "passed over, since it is what",
    "says total,",
    "the sum of the rows above it, with",
    "the column of the tax",
    "a total that is neither",
    "the lines add up to",
    "the document as a whole",
    "its parts come to",
    "its allowances add up",
    "its charges add up",
    "it says '",
    "lines in ",
)


class Refused(NamedTuple):
    """A paper that was refused when it was read, and why."""

    day: date
    file_name: str
    reason: str


class BilledDocument(NamedTuple):
    """A row of `invoice_documents`, as far as it bills."""

    document_id: str
    supplier_id: str | None
    kind: str
    number: str | None
    period_start: date | None
    period_end: date | None
    period_source: str | None
    corrects_number: str | None
    currency: str | None
    tax: Decimal | None
    issued: date | None
    is_test: bool | None
    format: str
    net: Decimal | None
    payable: Decimal | None
    read_at: datetime
    warnings: str | None
    allowance: Decimal | None
    charge: Decimal | None
    rounding: Decimal | None
    prepaid: Decimal | None
    withheld: Decimal | None
    due: date | None = None
    uuid: str | None = None
    payment_form: str | None = None
    customer_id: str | None = None
    customer_name: str | None = None
    supplier_name: str | None = None
    exchange_currency: str | None = None
    exchange_in_currency: str | None = None
    exchange_rate: Decimal | None = None
    received_at: datetime | None = None
    file_name: str | None = None

    @property
    def came_by_mail(self) -> bool:
        """Whether its mail says when it came; headers that are later than our reading are wrong."""
        return bool(self.received_at and self.received_at <= self.read_at)

    @property
    def came_at(self) -> datetime:
        """When it was here at the latest: its mail came, or it was read."""
        return self.received_at if self.received_at and self.came_by_mail else self.read_at

    @property
    def sign(self) -> int:
        """What its amounts are multiplied by as they add to what is asked for."""
        return -1 if self.kind == "credit_note" else 1

    @property
    def period(self) -> Period | None:
        if self.period_start and self.period_end:
            return Period(self.period_start, self.period_end)
        return None

    @property
    def title(self) -> Sentence:
        """How a person is told of it."""
        return say_title(self.kind, self.number)

    @property
    def name(self) -> Name:
        """What no other document has."""
        if self.kind == "corrected_invoice":  # nobody knows whether all is replaced, or a part
            number = bare_number(self.corrects_number or self.number or "")
            return self.supplier_id, "invoice", number
        return self.supplier_id, self.kind, bare_number(self.number or "")

    @property
    def corrected(self) -> tuple[str | None, str]:
        return self.supplier_id, bare_number(self.corrects_number or "")

    @property
    def is_without_period(self) -> bool:
        """Whether it is a note that names no period: it is for that of what it corrects."""
        return self.kind != "invoice" and self.period_source in ("rule", None)

    @property
    def warnings_of_money(self) -> list[str]:
        """What was odd in its sums when it was read."""
        return [
            warning
            for warning in (self.warnings or "").split("\n")
            if warning.startswith(_OF_MONEY) or " is the rate of the tax" in warning
        ]

    @property
    def exemption(self) -> str:
        """Why it says that it, or a part of it, bears no tax; "" where it does not."""
        warnings = (self.warnings or "").split("\n")
        reasons = (text.removeprefix(EXEMPT) for text in warnings if text.startswith(EXEMPT))
        return next(reasons, "")

    @property
    def beside_lines(self) -> Decimal:
        """What it puts on and takes off as a whole, before tax. Nothing where what it asks for says
        that its lines hold that already."""
        charge, allowance = self.put_on_and_taken_off
        return charge - allowance

    @property
    def put_on_and_taken_off(self) -> tuple[Decimal, Decimal]:
        """Its charges and its allowances as a whole, as `beside_lines` has them."""
        charge, allowance = self.charge or _NOTHING, self.allowance or _NOTHING
        beside = charge - allowance
        if not beside:
            return charge, allowance
        is_held = not self._leads_to_payable(beside) and self._leads_to_payable(_NOTHING)
        return (_NOTHING, _NOTHING) if is_held else (charge, allowance)

    def _leads_to_payable(self, beside: Decimal) -> bool:
        if self.net is None or self.payable is None:
            return False
        asked = self.net + beside + (self.tax or _NOTHING) + (self.rounding or _NOTHING)
        asked -= self.prepaid or _NOTHING
        sums = (asked, asked - (self.withheld or _NOTHING))
        return any(abs(self.payable - amount) <= _CENT for amount in sums)

    def has_totals_of(self, other: BilledDocument) -> bool:
        """Whether it comes to what the other one does; a list may have what is asked for alone, and
        all of it without cents."""
        if self.currency != other.currency:
            return False
        steps = (_UNIT, _CENT) if self.currency in WHOLE_CURRENCIES else (_CENT,)
        nets = [other.net]
        if other.net is not None and other.beside_lines:
            nets.append(other.net + other.beside_lines)
        is_net = any(_is_rounded(self.net, net, steps) for net in nets)
        is_tax = None in (self.tax, other.tax) or _is_rounded(self.tax, other.tax, steps)
        asked = self.net if self.payable is None else self.payable
        return (is_net and is_tax) or _is_rounded(asked, other.payable, steps)


def _is_rounded(amount: Decimal | None, other: Decimal | None, steps: Iterable[Decimal]) -> bool:
    """Whether an amount is the other one, or that rounded or cut to one of these steps."""
    if amount is None or other is None:
        return False
    return amount == other or any(
        not amount % step and abs(amount - other) < step for step in steps
    )


class StatedLine(NamedTuple):
    """A row of `invoice_lines`, as far as it bills; and what its document puts on and takes off as
    a whole, as much as is this line's."""

    document_id: str
    line_number: int
    operation: str | None
    description: str | None
    item_code: str | None
    quantity: Decimal | None
    amount: Decimal | None
    currency: str | None
    period_start: date | None
    period_end: date | None
    tax: Decimal | None
    unit_code: str | None
    charge: Decimal = _NOTHING
    allowance: Decimal = _NOTHING

    @property
    def id(self) -> LineId:
        return self.document_id, self.line_number

    @property
    def whole_amount(self) -> Decimal:
        return (self.amount or _NOTHING) + self.charge - self.allowance


class StatedDocument(NamedTuple):
    """A document with its lines, all as it states them: a credit note's amounts are positive."""

    document: BilledDocument
    lines: list[StatedLine]


def read_documents(client: Client, raw: str) -> list[BilledDocument]:
    """Return all documents that were ever loaded."""
    columns = columns_in(client, f"{raw}.invoice_documents")
    later = [name if name in columns else f"NULL AS {name}" for name in _LATER_COLUMNS]
    return [
        BilledDocument(*row)
        for row in rows_of(
            client,
            "SELECT document_id, supplier_id, document_kind, document_number, period_start, "
            "period_end, period_source, corrects_number, billing_currency, tax_amount, issue_date, "
            "is_test, format, net_amount, payable_amount, read_at, warnings, "
            f"{', '.join(later)}, file_name FROM {raw}.invoice_documents",
        )
    ]


def read_refused(client: Client, raw: str, tables: Collection[str]) -> list[Refused]:
    """Return what was refused, the last first, and not read later under the same name; nor a PDF or
    another file that lies beside a document of its name. tables: those that are there."""
    if "rejected_documents" not in tables:
        return []
    rows = rows_of(
        client,
        f"SELECT read_at, file_name, file_sha256, reason FROM {raw}.rejected_documents "
        "ORDER BY read_at DESC, file_name, reason",
    )
    read: defaultdict[str, list[tuple[str, datetime]]] = defaultdict(list)
    if rows:
        for name, digest, at in rows_of(
            client, f"SELECT file_name, file_sha256, read_at FROM {raw}.invoice_documents"
        ):
            read[name or ""].append((digest, at))
    stems = {_stem(name) for name in read}
    # Not by NOT EXISTS: DuckDB 1.5.6 gives rows of which such a document exists.
    return [
        Refused(at.date(), name or "?", reason or "")
        for at, name, digest, reason in rows
        if not any(other != digest and later > at for other, later in read.get(name or "", ()))
        and (name in read or _stem(name or "") not in stems)
    ]


def _stem(name: str) -> str:
    return name.rpartition(".")[0] or name


def find_superseded(documents: Iterable[BilledDocument]) -> dict[str, BilledDocument]:
    """Return by document_id the document that counts in place of each spreadsheet's that is another
    one too: with its kind, its number in whatever spelling, and its totals, as an electronic
    invoice or in a spreadsheet that was read before. A spreadsheet may leave out the supplier, or
    the prefix."""
    by_digits: defaultdict[tuple[str, str], list[BilledDocument]] = defaultdict(list)
    for document in documents:
        if number := bare_number(document.number or ""):
            by_digits[document.kind, digits_of(number) or number].append(document)
    superseded: dict[str, BilledDocument] = {}
    for namesakes in by_digits.values():
        counting: list[BilledDocument] = []
        # The XML before spreadsheets, one that names the supplier before one that does not.
        namesakes.sort(key=lambda d: (d.format != "ubl", not d.supplier_id, d.read_at))
        for document in namesakes:
            others = [other for other in counting if _is_copy(document, other)]
            # Of several, all contents of one number, it is a copy of whichever counts.
            if len({other.name for other in others}) == 1:
                superseded[document.document_id] = others[0]
            else:
                counting.append(document)
    return superseded


def _is_copy(document: BilledDocument, other: BilledDocument) -> bool:
    """Whether a document is what a spreadsheet says of the other one."""
    number, whole = bare_number(document.number or ""), bare_number(other.number or "")
    is_without_prefix = number == digits_of(whole) and document.issued in (other.issued, None)
    return (
        document.format != "ubl"
        and document.supplier_id in (other.supplier_id, None)
        and (number == whole or (other.format == "ubl" and is_without_prefix))
        and document.has_totals_of(other)
    )


def share_out(amount: Decimal, over: Sequence[Decimal]) -> list[Decimal]:
    """Return an amount in parts like these, to the cent; what is left over goes, a cent each, to
    those that were cut most. It is an equal share where these come to nothing."""
    if not amount:
        return [_NOTHING] * len(over)
    total = sum(over, _NOTHING)
    weights = [each / total for each in over] if total else [Decimal(1) / len(over)] * len(over)
    exact = [amount * weight for weight in weights]
    parts = [each.quantize(_CENT, ROUND_FLOOR) for each in exact]
    left = amount - sum(parts, _NOTHING)
    by_cut = sorted(range(len(over)), key=lambda n: parts[n] - exact[n])
    for n in by_cut:
        cent = min(left, _CENT)
        parts[n] += cent
        left -= cent
    return parts
